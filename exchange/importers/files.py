"""Reading the files of a source. Each is read and its checksum verified; what is broken is left out and reported."""

import hashlib
import os
import stat
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from django.utils import timezone

from courses.errors import DomainError
from courses.permissions import SERVER
from exchange import paths
from exchange.importers.report import ImportReport, Kind
from exchange.importers.sources import SourceFile
from exchange.storage import blobs, file_sets
from exchange.storage.file_sets import ManifestEntry, Upload


class Broken(DomainError):
    """A file cannot be imported; the message says why."""


@dataclass
class SourceManifest:
    """The manifest of the files that can be imported, and where they lie."""

    entries: list[ManifestEntry] = field(default_factory=list)
    places: dict[str, Path] = field(default_factory=dict)  # by SHA-256
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


def open_plain(place: Path) -> IO[bytes]:
    """Open a plain file. A link is not followed: its author may not be allowed to read the target. Errors: Broken."""
    try:
        descriptor = os.open(place, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError as error:
        raise Broken(f"the file is missing: {place}") from error
    except OSError as error:
        raise Broken(f"the file cannot be read: {place}: {error.strerror}") from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise Broken(f"this is no plain file: {place}")
    return open(descriptor, "rb")


def read_files(files: list[SourceFile], report: ImportReport, *where: str) -> SourceManifest:
    """Return the manifest of those files that exist and are whole. Memory stays flat."""
    manifest = SourceManifest()
    names = [unicodedata.normalize("NFC", file.path) for file in files]
    misfits = _misfits(names)
    last = {name: number for number, name in enumerate(names)}  # written to a disk, the last one would stay
    for number, (name, file) in enumerate(zip(names, files, strict=True)):
        try:
            if name in misfits:
                raise Broken(misfits[name])
            if last[name] != number:
                raise Broken("another file of the same name follows")
            _add(manifest, name, file)
        except Broken as error:
            report.leave_out(Kind.FILE, error.message, *where, name)
    return manifest


def _add(manifest: SourceManifest, path: str, file: SourceFile) -> None:
    if file.place is None:
        raise Broken("the file has no place in the storage")
    try:
        sha256, md5 = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
        with open_plain(file.place) as stream:
            while chunk := stream.read(blobs.CHUNK):
                sha256.update(chunk)
                md5.update(chunk)
            size, changed = stream.tell(), datetime.fromtimestamp(os.fstat(stream.fileno()).st_mtime, UTC)
    except OSError as error:
        raise Broken(f"the file cannot be read: {file.place}: {error.strerror}") from error
    if file.md5 is not None and md5.hexdigest() != file.md5:
        raise Broken(f"the file is broken: {file.place} has the checksum {md5.hexdigest()}, not {file.md5}")
    manifest.entries.append(ManifestEntry(path, sha256.hexdigest(), size))
    manifest.places[sha256.hexdigest()] = file.place
    manifest.changed = max(changed, manifest.changed) if manifest.changed else changed


def _misfits(names: list[str]) -> dict[str, str]:
    """Return the paths that do not fit into one file set, with the reason."""
    distinct = list(dict.fromkeys(names))
    try:
        paths.check_all(distinct)
    except paths.BadPath:
        return _each_misfit(distinct)
    return {}


def _each_misfit(names: list[str]) -> dict[str, str]:
    kept: list[str] = []
    misfits: dict[str, str] = {}
    for name in names:
        try:
            paths.check_all([*kept, name])
        except paths.BadPath as error:
            misfits[name] = str(error)
        else:
            kept.append(name)
    return misfits
