"""A file set as a zip, written while it is sent: memory stays flat."""

import re
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db.models import prefetch_related_objects

from exchange.models import Blob, FileSet
from exchange.storage import blobs, file_sets
from exchange.storage.file_sets import ManifestEntry

FIRST, LAST = (1980, 1, 1, 0, 0, 0), (2107, 12, 31, 23, 59, 58)  # the times that a zip can say
LOST = "MISSING FILES.txt"
LOST_SAYS = "The server has lost the bytes of these files:\n\n"


class _Outgoing:
    """What the zip writer writes to; taken out again chunk by chunk."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, part: bytes) -> int:
        self._parts.append(bytes(part))
        return len(part)

    def flush(self) -> None:
        """Nothing waits here."""

    def take(self) -> bytes:
        taken, self._parts = b"".join(self._parts), []
        return taken


@dataclass(frozen=True)
class ArchiveFolder:
    """A file set, the folder below which it lies in the zip, and the time that its files have there."""

    file_set: FileSet
    folder: str
    moment: datetime


def stream(file_set: FileSet, *, folder: str, moment: datetime) -> Iterator[bytes]:
    """The zip in chunks; every file lies below `folder` and has the time `moment`."""
    return stream_zip([ArchiveFolder(file_set, folder, moment)])


def stream_zip(trees: Iterable[ArchiveFolder]) -> Iterator[bytes]:
    """Many file sets in one zip. Two queries for each whose `entries__blob` is not prefetched.

    A file whose bytes are lost stops nothing: a list of these comes last.
    """
    out = _Outgoing()
    taken: set[str] = set()
    lost: list[str] = []
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:  # type: ignore[call-overload]
        for tree in trees:
            folder = _folder(tree.folder, taken)
            prefetch_related_objects([tree.file_set], "entries__blob")
            for line in file_sets.manifest_of(tree.file_set):
                content = _content(line)
                if content is None:
                    lost.append(f"{folder}/{line.path}")
                    continue
                place = zipfile.ZipInfo(f"{folder}/{line.path}", max(FIRST, min(LAST, tree.moment.timetuple()[:6])))
                place.compress_type = zipfile.ZIP_DEFLATED
                with archive.open(place, "w", force_zip64=line.size >= 2**31) as file:
                    for chunk in content:
                        file.write(chunk)
                        yield out.take()
        if lost:
            archive.writestr(LOST, LOST_SAYS + "".join(f"{path}\n" for path in lost))
    yield out.take()


def _content(line: ManifestEntry) -> Iterator[bytes] | None:
    try:
        return blobs.start_reading(blobs.read(line.sha256, length=line.size))
    except FileNotFoundError:
        file_sets.mark_missing(Blob.objects.get(sha256=line.sha256))
        return None


def _folder(wanted: str, taken: set[str]) -> str:
    """A folder of its own, that no system takes for a way out of the zip: user and assignment names may have `\\`."""
    plain = re.sub(r"[\\\x00-\x1f\x7f]", "_", wanted)
    folder, number = plain, 1
    while folder in taken:
        number += 1
        folder = f"{plain} ({number})"
    taken.add(folder)
    return folder
