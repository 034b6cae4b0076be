"""A folder with copies of blobs, laid out as the store is: the part of a backup that is shared by all its snapshots."""

import hashlib
from collections.abc import Container, Iterator
from pathlib import Path

from exchange.storage import blobs
from exchange.storage.folder import CHUNK, DurableFolder, StagedFile


class BlobCopies:
    """Copies are verified on their way in and out, and whole after a power cut."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._folder = DurableFolder(str(root))

    def path(self, sha256: str) -> Path:
        return self.root / blobs.key(sha256)

    def has(self, sha256: str, size: int) -> bool:
        """Return whether there is a copy of this size; its bytes were verified when it was made."""
        try:
            return self.path(sha256).stat().st_size == size
        except FileNotFoundError:
            return False

    def is_intact(self, sha256: str) -> bool:
        """Return whether there is a copy, and its bytes still have their hash."""
        hashed = hashlib.sha256()
        try:
            with open(self.path(sha256), "rb") as file:
                while chunk := file.read(CHUNK):
                    hashed.update(chunk)
        except OSError:
            return False
        return hashed.hexdigest() == sha256

    def add(self, sha256: str, size: int, staging: Path) -> None:
        """Copy a blob from the store. Errors: FileNotFoundError, WrongHash, WrongSize."""
        with blobs.open_blob(sha256) as source:
            staged = blobs.stage(source, staging, sha256=sha256, size=size)
        with open(staged.path, "rb") as file:
            self._folder.save(blobs.key(sha256), StagedFile(file, staged.path))

    def put_into_store(self, sha256: str, size: int) -> None:
        """Copy a blob to the store, unless it is there. Errors: FileNotFoundError, WrongHash, WrongSize, TryAgain."""
        if blobs.verify(sha256):
            return
        with blobs.staging() as folder, open(self.path(sha256), "rb") as source:
            blobs.put(blobs.stage(source, folder, sha256=sha256, size=size))

    def remove_others(self, kept: Container[str]) -> int:
        """Remove the copies that are not among the kept ones. Return how many there were."""
        count = 0
        for path in self._files():
            if path.name not in kept:
                path.unlink()
                count += 1
        return count

    def _files(self) -> Iterator[Path]:
        if self.root.is_dir():
            for folder in self.root.iterdir():
                yield from folder.iterdir() if folder.is_dir() else ()
