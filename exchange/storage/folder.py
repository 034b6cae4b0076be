"""The default store: a folder in which every file is there, whole, after a power cut."""

import os
from pathlib import Path
from typing import IO

from django.core.files import File
from django.core.files.storage import FileSystemStorage

CHUNK = 2**18  # bytes read or written at once
MAX_SYNCED = 1000  # folders that a process remembers; blobs have 256 of them, and each upload in parts has one


class StagedFile(File):
    """A file to store that says where it lies, so that a folder on the same file system can take it by renaming."""

    def __init__(self, file: IO[bytes], path: Path) -> None:
        super().__init__(file, name=path.name)
        self.path = path


class DurableFolder(FileSystemStorage):
    """Write in this order: sync the file, rename it into place, sync its folder."""

    def __init__(self, location: str | None = None) -> None:
        super().__init__(location, allow_overwrite=True)
        self._synced_folders: set[Path] = set()  # that this process knows to be there after a power cut

    def _save(self, name: str, content: File) -> str:
        target = Path(self.path(name))
        self._make_folder(target.parent)
        if isinstance(content, StagedFile):
            os.fsync(content.fileno())
            os.replace(content.path, target)
        else:
            draft = target.with_name(f"{target.name}.{os.getpid()}.draft")
            with open(draft, "wb") as file:
                for chunk in content.chunks(CHUNK):
                    file.write(chunk)
                file.flush()
                os.fsync(file.fileno())
            os.replace(draft, target)
        sync_folder(target.parent)
        return name

    def _make_folder(self, folder: Path) -> None:
        """Make a folder and its parents. Each is an entry of its parent, which must be synced, too.

        One that is there may have been made by another process a moment ago, which has not come to that yet.
        """
        if folder in self._synced_folders and folder.exists():
            return
        root = Path(self.location)
        parents = [folder, *folder.parents]
        entries = {*parents[: parents.index(root) + 1], *(parent for parent in parents if not parent.exists())}
        folder.mkdir(parents=True, exist_ok=True)
        for entry in sorted(entries):
            sync_folder(entry.parent)
        if len(self._synced_folders) >= MAX_SYNCED:
            self._synced_folders.clear()
        self._synced_folders.add(folder)


def make_folder(folder: Path) -> None:
    """Make a folder and its parents. Each new one is an entry of its parent, which must be synced, too."""
    missing = [parent for parent in (folder, *folder.parents) if not parent.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for created in missing:
        sync_folder(created.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
