"""Reading the files of a source. Each is read and its checksum verified; what is broken is left out and reported."""

import hashlib
import os
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import IO

from django.conf import settings
from django.utils import timezone

from courses.permissions import SERVER
from exchange import paths
from exchange.importers.places import Broken, Place, open_plain
from exchange.importers.report import ImportReport, Kind
from exchange.importers.sources import SourceFile, to_utc
from exchange.storage import blobs, file_sets, manifests
from exchange.storage.file_sets import Upload
from exchange.storage.manifests import ManifestEntry


@dataclass
class SourceManifest:
    """The manifest of the files that can be imported, and where they lie."""

    entries: list[ManifestEntry] = field(default_factory=list)
    places: dict[str, Place] = field(default_factory=dict)  # by SHA-256
    changed: datetime | None = None  # when the newest file was written

    @property
    def created(self) -> datetime:
        """When the file set was made, as well as it can be guessed."""
        return self.changed or timezone.now()

    def upload(self) -> Upload:
        """Return the upload, which sends the bytes that are not in the store yet."""
        return Upload([self.entries], self._missing())

    def _missing(self) -> Iterator[tuple[str, blobs.Readable]]:
        for sha256 in file_sets.missing_blobs(self.entries, by=SERVER):
            with open_plain(self.places[sha256]) as file:
                yield sha256, file


def read_files(files: list[SourceFile], report: ImportReport, *where: str) -> SourceManifest:
    """Return the manifest of those files that exist and are whole. Memory stays flat.

    The sizes are compared with the limits before a byte is hashed: a sparse file costs its author nothing. Errors:
    TooManyFiles, TooLarge.
    """
    sized: list[tuple[ManifestEntry, SourceFile]] = []
    for name, file in _fitting_files(files, report, *where):
        with _report_broken(report, *where, name):
            sized.append((ManifestEntry(name, sha256="", size=_size(file)), file))
    manifests.check_limits([entry for entry, _ in sized])
    manifest = SourceManifest()
    for entry, file in sized:
        with _report_broken(report, *where, entry.path):
            _add(manifest, entry.path, file)
    return manifest


@contextmanager
def _report_broken(report: ImportReport, *where: str) -> Iterator[None]:
    """Report a file that is broken as left out, and go on."""
    try:
        yield
    except Broken as error:
        report.leave_out(Kind.FILE, error.message, *where)


def _fitting_files(files: list[SourceFile], report: ImportReport, *where: str) -> list[tuple[str, SourceFile]]:
    """Return the files whose paths fit into one file set, by path; the others are reported."""
    names = [unicodedata.normalize("NFC", file.path) for file in files]
    last = {name: number for number, name in enumerate(names)}  # written to a disk, the last one would stay
    tree = paths.PathTree()
    fitting: list[tuple[str, SourceFile]] = []
    for number, (name, file) in enumerate(zip(names, files, strict=True)):
        if last[name] != number:
            report.leave_out(Kind.FILE, "another file of the same name follows", *where, name)
            continue
        try:
            tree.add(name)
        except paths.BadPath as error:
            report.leave_out(Kind.FILE, str(error), *where, name)
        else:
            fitting.append((name, file))
    return fitting


def _place(file: SourceFile) -> Place:
    if file.place is None:
        raise Broken("the file has no place in the storage")
    return file.place


def _size(file: SourceFile) -> int:
    with open_plain(_place(file)) as stream:
        return os.fstat(stream.fileno()).st_size


def _add(manifest: SourceManifest, path: str, file: SourceFile) -> None:
    place, limit = _place(file), settings.NGSHARE_MAX_FILE_SIZE
    try:
        sha256, md5 = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
        with open_plain(place) as stream:
            while chunk := stream.read(blobs.CHUNK):
                sha256.update(chunk)
                md5.update(chunk)
                if stream.tell() > limit:
                    raise Broken(f"the file grows while it is read: {place}")
            size, changed = stream.tell(), _time_of_change(stream)
    except OSError as error:
        raise Broken(f"the file cannot be read: {place}: {error.strerror}") from error
    if file.md5 is not None and md5.hexdigest() != file.md5:
        raise Broken(f"the file is broken: {place} has the checksum {md5.hexdigest()}, not {file.md5}")
    manifest.entries.append(ManifestEntry(path, sha256.hexdigest(), size))
    manifest.places[sha256.hexdigest()] = place
    manifest.changed = max(filter(None, (changed, manifest.changed)), default=None)


def _time_of_change(file: IO[bytes]) -> datetime | None:
    """Return when an open file was written; None for what its owner set beyond the calendar."""
    try:
        return to_utc(datetime.fromtimestamp(os.fstat(file.fileno()).st_mtime, UTC))
    except (ValueError, OverflowError):
        return None
