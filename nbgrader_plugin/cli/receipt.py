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
from ..client.progress import size_text
from ..client.receipt_files import CannotCheck, NotGenuine, Receipt
from ..exchange.local_files import find_files, read_files
from ..exchange.submit import LEFT_OUT
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
        print_error("Interrupted.")
        return INTERRUPTED
    return 0


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="ngshare-receipt",
        description="Check receipts of submissions, with the public keys of the service alone.",
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    text = "Check that a receipt is genuine, and that a folder has the files that it states"
    verify = commands.add_parser("verify", help=text, description=f"{text}. Exit status: 0 yes, 1 no, 2 unknown.")
    verify.add_argument("file", metavar="FILE", type=Path, help="receipt.json")
    verify.add_argument("folder", metavar="FOLDER", type=Path, nargs="?", help="the files that were submitted")
    source = verify.add_mutually_exclusive_group()
    source.add_argument("--key", metavar="FILE", type=Path, help="the public keys; default: what `key` has saved")
    source.add_argument("--url", help="the service that is asked for its public keys; default: as for nbgrader")
    verify.set_defaults(run=verify_receipt)

    text = "Save the public keys of the service, to check receipts offline"
    key = commands.add_parser("key", help=text, description=text)
    key.add_argument("file", metavar="FILE", type=Path, nargs="?", help="default: where `verify` looks for them")
    key.add_argument("--url", help="address of the service; default: as for nbgrader")
    key.set_defaults(run=save_keys)
    return parser


def verify_receipt(options: argparse.Namespace) -> str:
    """Return what the receipt says, in a sentence. Raises NotGenuine, CannotCheck and what reading a folder raises."""
    with options.file.open("rb") as file:
        content = file.read(receipt_files.MAX_SIZE + 1)
    receipt = receipt_files.read(content.decode("utf-8-sig", errors="replace"))
    receipt_files.verify(receipt, find_keys(options, str(receipt["key"])))
    found = f"Genuine: {describe(receipt)}"
    if options.folder is None:
        return f"{found}."
    app = load_nbgrader()
    files = read_files(find_files(options.folder, app.coursedir, leave_out=LEFT_OUT))
    if manifest.digest(files) != receipt["digest"]:
        raise NotGenuine(
            f"The receipt is genuine, but {options.folder} has other files: "
            f"{counted(len(files))} of {size_text(sum(file.size for file in files))} now, {describe(receipt)}."
        )
    return f"{found}, which are exactly those in {options.folder}."


def describe(receipt: Receipt) -> str:
    """Return who submitted what, when, and how many files, as part of a sentence."""
    created, due = times.from_server(receipt["timestamp"]), receipt["due"]
    lateness = ""
    if due is not None:
        is_late = created > times.from_server(due)
        lateness = f", {'late' if is_late else 'in time'} (due {times.from_server(due):%Y-%m-%d %H:%M:%S} UTC)"
    sender = "" if receipt["submitted_by"] in (receipt["student"], None) else f" by {receipt['submitted_by']}"
    size = receipt["size"]
    return (
        f"{receipt['assignment']} in {receipt['course']} was submitted for {receipt['student']}{sender} "
        f"at {created:%Y-%m-%d %H:%M:%S.%f} UTC{lateness}, {counted(receipt['file_count'])} of "
        f"{size_text(size) if isinstance(size, int) else size}"
    )


def counted(files: object) -> str:
    return "1 file" if files == 1 else f"{files} files"


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
    return f"{file} has {len(keys)} public key{'s' if len(keys) > 1 else ''}."


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
        raise CannotCheck(f"{file} has no public keys of receipts.") from error


def fetch_keys(url: str | None) -> dict[str, str]:
    """Ask a service for its public keys, which needs no token. Raises CannotCheck."""
    address = (url or find_address(NgshareClient(parent=load_nbgrader()).url)).rstrip("/")
    try:
        response = requests.get(f"{address}/api/v2/receipts/keys/", timeout=TIMEOUT, allow_redirects=False)
        response.raise_for_status()
        return receipt_files.read_keys(response.json())
    except (requests.RequestException, ValueError, CannotCheck) as error:
        raise CannotCheck(
            f"{address} does not say its public keys. Save them while it answers: `ngshare-receipt key`."
        ) from error


if __name__ == "__main__":
    sys.exit(main())
