"""`ngshare-receipt verify FILE [FOLDER]` and `ngshare-receipt key`: receipts are checked without the service.

Exit statuses: 0 for a genuine receipt (whose files are those of the folder), 1 for one that is not (or other files),
2 if it cannot be found out.
"""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import requests
from jupyter_core.paths import jupyter_data_dir
from nbgrader.exchange import ExchangeError

from ..client import manifest, receipt_files, times
from ..client.address import find_address
from ..client.client import NgshareClient
from ..client.paths import BadPath
from ..client.progress import files_text, size_text
from ..client.receipt_files import CannotCheck, NotGenuine, Receipt
from ..exchange.local_files import find_files, read_files
from ..exchange.submit import LEFT_OUT
from ..translation import gettext as _
from ..translation import ngettext
from .output import FAILED, INTERRUPTED, load_nbgrader, print_error, print_success, sentence_of

UNKNOWN = 2
TIMEOUT = 10.0  # seconds
KEYS_FILE = "ngshare-receipt-keys.json"  # in Jupyter's data folder


def main(arguments: Sequence[str] | None = None) -> int:
    options = make_parser().parse_args(arguments)
    try:
        print_success(options.run(options))
    except NotGenuine as error:
        print_error(str(error))
        return FAILED
    except (ExchangeError, BadPath, OSError) as error:
        print_error(sentence_of(error))
        return UNKNOWN
    except KeyboardInterrupt:
        print_error(_("Interrupted."))
        return INTERRUPTED
    return 0


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="ngshare-receipt",
        description=_("Check receipts of submissions, with the public keys of the service alone."),
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    text = _("Check that a receipt is genuine, and that a folder has the files that it states")
    verify = commands.add_parser(
        "verify", help=text, description=_("%(text)s. Exit status: 0 yes, 1 no, 2 unknown.") % {"text": text}
    )
    verify.add_argument("file", metavar="FILE", type=Path, help="receipt.json")
    verify.add_argument("folder", metavar="FOLDER", type=Path, nargs="?", help=_("the files that were submitted"))
    source = verify.add_mutually_exclusive_group()
    source.add_argument("--key", metavar="FILE", type=Path, help=_("the public keys; default: what `key` has saved"))
    source.add_argument("--url", help=_("the service that is asked for its public keys; default: as for nbgrader"))
    verify.set_defaults(run=verify_receipt)

    text = _("Save the public keys of the service, to check receipts offline")
    key = commands.add_parser("key", help=text, description=text)
    key.add_argument("file", metavar="FILE", type=Path, nargs="?", help=_("default: where `verify` looks for them"))
    key.add_argument("--url", help=_("address of the service; default: as for nbgrader"))
    key.set_defaults(run=save_keys)
    return parser


def verify_receipt(options: argparse.Namespace) -> str:
    """Return what the receipt says, in a sentence. Raises NotGenuine, CannotCheck and what reading a folder raises."""
    with options.file.open("rb") as file:
        content = file.read(receipt_files.MAX_SIZE + 1)
    receipt = receipt_files.read(content.decode("utf-8-sig", errors="replace"))
    receipt_files.verify(receipt, find_keys(options, str(receipt["key"])))
    if options.folder is None:
        return _("Genuine: %(description)s.") % {"description": describe(receipt)}
    app = load_nbgrader()
    files = read_files(find_files(options.folder, app.coursedir, leave_out=LEFT_OUT))
    if manifest.digest(files) != receipt["digest"]:
        raise NotGenuine(
            _("The receipt is genuine, but %(folder)s has other files: %(files)s of %(size)s now, %(description)s.")
            % {
                "folder": options.folder,
                "files": files_text(len(files)),
                "size": size_text(sum(file.size for file in files)),
                "description": describe(receipt),
            }
        )
    return _("Genuine: %(description)s, which are exactly those in %(folder)s.") % {
        "description": describe(receipt),
        "folder": options.folder,
    }


def describe(receipt: Receipt) -> str:
    """Return who submitted what, when, and how many files, as part of a sentence."""
    created, due = times.from_server(receipt["timestamp"]), receipt["due"]
    sentence = _("%(assignment)s in %(course)s was submitted for %(student)s at %(time)s, %(files)s of %(size)s")
    if receipt["submitted_by"] not in (receipt["student"], None):
        sentence = _(
            "%(assignment)s in %(course)s was submitted for %(student)s by %(sender)s at %(time)s, "
            "%(files)s of %(size)s"
        )
    time, size = f"{created:%Y-%m-%d %H:%M:%S.%f} UTC", receipt["size"]
    if due is not None:
        is_late = created > times.from_server(due)
        with_due = _("%(time)s, late (due %(due)s)") if is_late else _("%(time)s, in time (due %(due)s)")
        time = with_due % {"time": time, "due": f"{times.from_server(due):%Y-%m-%d %H:%M:%S} UTC"}
    return sentence % {
        **{name: receipt[name] for name in ("assignment", "course", "student")},
        "sender": receipt["submitted_by"],
        "time": time,
        "files": counted(receipt["file_count"]),
        "size": size_text(size) if isinstance(size, int) else size,
    }


def counted(files: object) -> str:
    return files_text(files) if isinstance(files, int) else str(files)


def find_keys(options: argparse.Namespace, key_id: str) -> dict[str, str]:
    """Return the public keys that the options name: saved ones, or those of the service if the key is not there."""
    if options.key is not None:
        return load_keys(options.key)
    if options.url is None:
        saved = saved_keys()
        if key_id in saved:
            return saved
    return fetch_keys(options.url)


def save_keys(options: argparse.Namespace) -> str:
    """Save the keys of the service beside those that are there already."""
    file = options.file or default_file()
    kept = load_keys(file) if file.exists() else {}
    keys = {**fetch_keys(options.url), **kept}
    file.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=file.parent, encoding="utf-8", delete=False) as new:
        json.dump(receipt_files.as_key_set(keys), new, indent=2)
        new.write("\n")
    os.replace(new.name, file)
    return ngettext("%(file)s has %(count)s public key.", "%(file)s has %(count)s public keys.", len(keys)) % {
        "file": file,
        "count": len(keys),
    }


def default_file() -> Path:
    return Path(jupyter_data_dir(), KEYS_FILE)


def saved_keys() -> dict[str, str]:
    file = default_file()
    return load_keys(file) if file.exists() else {}


def load_keys(file: Path) -> dict[str, str]:
    """Raises CannotCheck, OSError."""
    try:
        return receipt_files.read_keys(json.loads(file.read_text(encoding="utf-8")))
    except (ValueError, CannotCheck) as error:
        raise CannotCheck(_("%(file)s has no public keys of receipts.") % {"file": file}) from error


def fetch_keys(url: str | None) -> dict[str, str]:
    """Ask a service for its public keys, which needs no token. Raises CannotCheck."""
    address = (url or find_address(NgshareClient(parent=load_nbgrader()).url)).rstrip("/")
    try:
        response = requests.get(f"{address}/api/v2/receipts/keys/", timeout=TIMEOUT, allow_redirects=False)
        response.raise_for_status()
        return receipt_files.read_keys(response.json())
    except (requests.RequestException, ValueError, CannotCheck) as error:
        raise CannotCheck(
            _("%(address)s does not say its public keys. Save them while it answers: `ngshare-receipt key`.")
            % {"address": address}
        ) from error


if __name__ == "__main__":
    sys.exit(main())
