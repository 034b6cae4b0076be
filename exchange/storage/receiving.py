"""Files whose size and hash nobody has announced: those of a form, and those in a zip. They are hashed while written.

Memory stays flat, and what is more than the limits of a submission is refused while it arrives.
"""

import hashlib
from dataclasses import dataclass, field
from io import FileIO
from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext as _

from courses.errors import TooLarge
from courses.sizes import readable_size
from exchange.storage import blobs, manifests
from exchange.storage.blobs import Staged


@dataclass(frozen=True)
class ReceivedFile:
    path: str  # as it was sent; nobody has checked it
    staged: Staged


@dataclass
class Receiver:
    """Writes files to a staging folder one after the other, and counts them and their bytes against the limits."""

    folder: Path
    files: list[ReceivedFile] = field(default_factory=list, init=False)
    _size: int = field(default=0, init=False)  # of all
    _file: FileIO = field(init=False, repr=False)
    _hash: "hashlib._Hash" = field(init=False, repr=False)
    _path: str = field(default="", init=False)
    _count: int = field(default=0, init=False)  # bytes of the open one

    def begin(self, path: str) -> None:
        """Begin a file. Errors: TooManyFiles, StorageFull, StoreUnreachable."""
        manifests.check_file_count(len(self.files) + 1)
        self._path, self._count, self._hash = path, 0, hashlib.sha256()
        with blobs.explained_errors():
            self._file = open(self.folder / f"{id(self)}-{len(self.files)}", "wb", buffering=0)

    def write(self, content: bytes) -> None:
        """Errors: TooLarge, StorageFull, StoreUnreachable."""
        self._count += len(content)
        self._size += len(content)
        if self._count > (limit := settings.NGSHARE_MAX_FILE_SIZE):
            message = _("%(path)s is larger than the limit of %(limit)s.")
            raise TooLarge(message % {"path": self._path[:200], "limit": readable_size(limit)}, limit=limit)
        if self._size > (limit := settings.NGSHARE_MAX_SUBMISSION_SIZE):
            message = _("Your files are together larger than the limit of %(limit)s.")
            raise TooLarge(message % {"limit": readable_size(limit)}, limit=limit)
        self._hash.update(content)
        blobs.write(self._file, content)

    def end(self) -> None:
        """End the file."""
        self._file.close()
        staged = Staged(self._hash.hexdigest(), self._count, Path(str(self._file.name)))
        self.files.append(ReceivedFile(self._path, staged))

    def abandon(self) -> None:
        """Close a file that is not complete, if there is one."""
        if hasattr(self, "_file"):
            self._file.close()
