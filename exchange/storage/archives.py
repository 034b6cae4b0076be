"""File sets as a zip that is made while it is sent: memory stays flat."""

import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db.models import prefetch_related_objects

from exchange import paths
from exchange.models import FileSet
from exchange.storage import file_sets, reading

EARLIEST, LATEST = (1980, 1, 1, 0, 0, 0), (2107, 12, 31, 23, 59, 58)  # the times that a zip can express
LOST = "MISSING FILES.txt"
LOST_INTRODUCTION = "The server has lost the bytes of these files:\n\n"


class _Buffer:
    """A file for zipfile to write to, emptied after each chunk."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, part: bytes) -> int:
        self._parts.append(bytes(part))
        return len(part)

    def flush(self) -> None:
        """Do nothing: zipfile wants the method."""

    def take(self) -> bytes:
        content, self._parts = b"".join(self._parts), []
        return content


@dataclass(frozen=True)
class ArchiveFolder:
    """A file set, the folder for it in the zip, and the time that its files get there."""

    file_set: FileSet
    folder: str
    moment: datetime


def stream_zip(folders: Iterable[ArchiveFolder]) -> Iterator[bytes]:
    """Yield one zip of many file sets in chunks. Two queries for each that is not prefetched.

    Names that Windows cannot write are changed, so that unpacking there loses no file.

    A file whose bytes are lost is left out; a list of these comes last. Errors: StoreUnreachable; blobs.Absent, where
    bytes go while they are read.
    """
    buffer = _Buffer()
    taken: set[str] = set()
    lost: list[str] = []
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:  # type: ignore[call-overload]
        for source in folders:
            folder = _unique(paths.portable(source.folder), taken)
            time = max(EARLIEST, min(LATEST, source.moment.timetuple()[:6]))
            prefetch_related_objects([source.file_set], file_sets.prefetch_entries())
            entries = source.file_set.entries.all()
            absent = {blob.pk for blob in reading.find_lost(entry.blob for entry in entries)}
            for entry in entries:
                path = _unique(f"{folder}/{paths.portable(entry.path)}", taken)
                if entry.blob_id in absent:
                    lost.append(path)
                    continue
                member = zipfile.ZipInfo(path, time)
                member.compress_type = zipfile.ZIP_DEFLATED
                with archive.open(member, "w", force_zip64=entry.blob.size >= 2**31) as file:
                    for chunk in reading.read(entry.blob):
                        file.write(chunk)
                        yield buffer.take()
        if lost:
            archive.writestr(LOST, LOST_INTRODUCTION + "".join(f"{path}\n" for path in lost))
    yield buffer.take()


def _unique(name: str, taken: set[str]) -> str:
    """Return the name, with a number if it is taken on a system that ignores case."""
    unique, number = name, 1
    while unique.casefold() in taken:
        number += 1
        unique = f"{name} ({number})"
    taken.add(unique.casefold())
    return unique
