"""File sets as a zip that is made while it is sent: memory stays flat."""

import zipfile
from collections.abc import Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
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
    """A file set, the folder for it in the zip, and the time that its files get there.

    `texts` are written beside the files, and instead of those of their names.
    """

    file_set: FileSet
    folder: str
    moment: datetime
    texts: Mapping[str, str] = field(default_factory=dict)


class ZipStream:
    """A zip that is made while it is read: what each method yields, in order, is the zip."""

    def __init__(self) -> None:
        self._buffer = _Buffer()
        self._archive = zipfile.ZipFile(self._buffer, "w", zipfile.ZIP_DEFLATED)  # type: ignore[call-overload]
        self._taken: set[str] = set()
        self._lost: list[str] = []

    def add(self, source: ArchiveFolder) -> Generator[bytes, None, dict[str, str | None]]:
        """Add the files of a file set, with two queries if its entries are not prefetched.

        Return their names in the zip by their paths. Names that Windows cannot write are changed, so that unpacking
        there loses no file. A file whose bytes are lost is left out, and its name is None. Errors: StoreUnreachable;
        blobs.Absent, where bytes go while they are read.
        """
        names: dict[str, str | None] = {}
        folder = _unique(paths.portable(source.folder), self._taken)
        prefetch_related_objects([source.file_set], file_sets.prefetch_entries())
        entries = [entry for entry in source.file_set.entries.all() if entry.path not in source.texts]
        absent = {blob.pk for blob in reading.find_lost(entry.blob for entry in entries)}
        for name, text in source.texts.items():
            path = _unique(f"{folder}/{paths.portable(name)}", self._taken)
            yield from self.write(path, [text.encode()], source.moment)
        for entry in entries:
            path = _unique(f"{folder}/{paths.portable(entry.path)}", self._taken)
            if entry.blob_id in absent:
                self._lost.append(path)
                names[entry.path] = None
                continue
            names[entry.path] = path
            yield from self.write(path, reading.read(entry.blob), source.moment, is_large=entry.blob.size >= 2**31)
        return names

    def write(
        self, name: str, content: Iterable[bytes], moment: datetime, *, is_large: bool = False
    ) -> Iterator[bytes]:
        """Add one file. `is_large` says that it may have 2 GB or more."""
        member = zipfile.ZipInfo(name, max(EARLIEST, min(LATEST, moment.timetuple()[:6])))
        member.compress_type = zipfile.ZIP_DEFLATED
        with self._archive.open(member, "w", force_zip64=is_large) as file:
            for chunk in content:
                file.write(chunk)
                yield self._buffer.take()

    def unique(self, name: str) -> str:
        """Return a portable name that nothing in the zip has."""
        return _unique(paths.portable(name), self._taken)

    def close(self) -> Iterator[bytes]:
        """End the zip, with a list of what is lost, if anything is."""
        if self._lost:
            self._archive.writestr(LOST, LOST_INTRODUCTION + "".join(f"{path}\n" for path in self._lost))
        self._archive.close()
        yield self._buffer.take()


def stream_zip(folders: Iterable[ArchiveFolder]) -> Iterator[bytes]:
    """Yield one zip of many file sets in chunks."""
    archive = ZipStream()
    for source in folders:
        yield from archive.add(source)
    yield from archive.close()


def _unique(name: str, taken: set[str]) -> str:
    """Return the name, with a number if it is taken on a system that ignores case."""
    unique, number = name, 1
    while unique.casefold() in taken:
        number += 1
        unique = f"{name} ({number})"
    taken.add(unique.casefold())
    return unique
