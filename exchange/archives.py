"""A file set as a zip, written while it is sent: memory stays flat."""

import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db.models import prefetch_related_objects

from exchange import blobs, filesets
from exchange.models import FileSet


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
class Tree:
    """A file set, the folder below which it lies in the zip, and the time that its files have there."""

    file_set: FileSet
    folder: str
    moment: datetime


def stream(file_set: FileSet, *, folder: str, moment: datetime) -> Iterator[bytes]:
    """The zip in chunks; every file lies below `folder` and has the time `moment`."""
    return stream_all([Tree(file_set, folder, moment)])


def stream_all(trees: Iterable[Tree]) -> Iterator[bytes]:
    """Many file sets in one zip. Two queries for each whose `entries__blob` is not prefetched."""
    out = _Outgoing()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:  # type: ignore[call-overload]
        for tree in trees:
            prefetch_related_objects([tree.file_set], "entries__blob")
            for line in filesets.lines_of(tree.file_set):
                place = zipfile.ZipInfo(f"{tree.folder}/{line.path}", tree.moment.timetuple()[:6])
                place.compress_type = zipfile.ZIP_DEFLATED
                with archive.open(place, "w", force_zip64=line.size >= 2**31) as file:
                    for chunk in blobs.read(line.sha256, length=line.size):
                        file.write(chunk)
                        yield out.take()
    yield out.take()
