"""Reading a source's trees: every file is read and its checksum verified; what is broken is left out and reported."""

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
    """A file that cannot be taken over; says why."""


@dataclass
class SourceManifest:
    lines: list[ManifestEntry] = field(default_factory=list)
    places: dict[str, Path] = field(default_factory=dict)  # by SHA-256
    changed: datetime | None = None  # when the youngest file was written

    @property
    def created(self) -> datetime:
        """The best guess at when the tree came to be."""
        return self.changed or timezone.now()

    def upload(self) -> Upload:
        """The tree, and the bytes that are not in the store yet."""
        return Upload([self.lines], self._missing())

    def _missing(self) -> Iterator[tuple[str, blobs.Readable]]:
        for sha256 in file_sets.missing_blobs(self.lines, by=SERVER):
            with open_plain(self.places[sha256]) as file:
                yield sha256, file


def open_plain(place: Path) -> IO[bytes]:
    """The file's bytes. A link is not followed: who made it may not read what it leads to. Errors: Broken."""
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


def read(files: list[SourceFile], report: ImportReport, *where: str) -> SourceManifest:
    """The tree of those files that are there and whole. Memory stays flat."""
    tree = SourceManifest()
    names = [unicodedata.normalize("NFC", file.path) for file in files]
    misfits = _misfits(names)
    last = {name: number for number, name in enumerate(names)}  # whoever wrote the tree to a disk saw the last one
    for number, (name, file) in enumerate(zip(names, files, strict=True)):
        try:
            if name in misfits:
                raise Broken(misfits[name])
            if last[name] != number:
                raise Broken("another file of the same name follows")
            _add(tree, name, file)
        except Broken as error:
            report.left_out(Kind.FILE, error.message, *where, name)
    return tree


def _add(tree: SourceManifest, path: str, file: SourceFile) -> None:
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
    tree.lines.append(ManifestEntry(path, sha256.hexdigest(), size))
    tree.places[sha256.hexdigest()] = file.place
    tree.changed = max(changed, tree.changed) if tree.changed else changed


def _misfits(names: list[str]) -> dict[str, str]:
    """The paths that do not fit into a tree, with the reason."""
    distinct = list(dict.fromkeys(names))
    try:
        paths.check_tree(distinct)
    except paths.BadPath:
        return _each_misfit(distinct)
    return {}


def _each_misfit(names: list[str]) -> dict[str, str]:
    kept: list[str] = []
    misfits: dict[str, str] = {}
    for name in names:
        try:
            paths.check_tree([*kept, name])
        except paths.BadPath as error:
            misfits[name] = str(error)
        else:
            kept.append(name)
    return misfits
