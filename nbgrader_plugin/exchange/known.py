"""What this computer knows about an assignment on the server, kept in the cache folder: `cache/.known/<…>.json`.

The latest release with its ETag, so that it is compared and not fetched again; and the hashes of files that the server
has accepted from here, so that they are not sent again. Neither is relied on: the server says so if it is not true.
"""

import hashlib
import json
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from ..client import manifest, responses
from ..client.manifest import File
from . import folders

FOLDER = ".known"
MOST_HASHES = 5000  # of what was sent; the newest


@dataclass(frozen=True)
class Release:
    """The latest release of an assignment."""

    files: list[File]
    etag: str  # empty if the server sent none


@dataclass(frozen=True)
class Known:
    """What is known about one assignment; empty if nothing is."""

    release: Release | None = None
    sent: list[str] = field(default_factory=list)  # hashes, the newest first

    def hashes(self) -> set[str]:
        """Return the hashes of all files that the server should have."""
        return {*self.sent, *(file.sha256 for file in (self.release.files if self.release else []))}


def read(cache: Path, address: str) -> Known:
    """Return what is known about the assignment at this address; a damaged file is as good as none."""
    try:
        fields = json.loads(_path(cache, address).read_text(encoding="utf-8"))
        etag, sent = fields["etag"], fields["sent"]
        release = Release(manifest.from_server(fields["files"]), etag) if responses.is_strong(etag) else None
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return Known()
    return Known(release, [sha256 for sha256 in sent if isinstance(sha256, str)] if isinstance(sent, list) else [])


def remember_release(cache: Path, address: str, release: Release) -> None:
    _write(cache, address, replace(read(cache, address), release=release))


def remember_sent(cache: Path, address: str, files: Iterable[File]) -> None:
    """Note files that the server has accepted."""
    known = read(cache, address)
    sent = dict.fromkeys([*(file.sha256 for file in files), *known.sent])
    _write(cache, address, replace(known, sent=list(sent)[:MOST_HASHES]))


def _write(cache: Path, address: str, known: Known) -> None:
    release = known.release or Release([], "")
    fields = {"etag": release.etag, "files": manifest.as_json(release.files), "sent": known.sent}
    with suppress(OSError):  # a full or unwritable home keeps nobody from working: then nothing is remembered
        folders.write_text(_path(cache, address), json.dumps(fields))


def _path(cache: Path, address: str) -> Path:
    return cache / FOLDER / f"{hashlib.sha256(address.encode()).hexdigest()[:32]}.json"
