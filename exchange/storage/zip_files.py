"""Reading zip files that come from anywhere: what is the same for all of them."""

import struct
import zipfile
import zlib
from typing import IO

from django.utils.translation import gettext as _

from exchange.storage.folder import CHUNK
from exchange.storage.manifests import TooManyFiles

# What zipfile raises for what is damaged, encrypted or of a kind that it does not read: also where a zip lies about
# places in the file (OSError, ValueError and OverflowError) and names in it.
UNREADABLE = (
    zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, OverflowError, RuntimeError, ValueError
)  # fmt: skip
METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}  # of the others, Python unpacks a piece of any size at once
ENCRYPTED = 0x1  # in the flags of an entry
ENTRY = 256  # bytes of the list in a zip, for each file that may be in it


def is_folder(member: zipfile.ZipInfo) -> bool:
    """Return whether this is a folder. Python's is_dir fails for an empty name, before 3.12."""
    return member.filename.endswith("/")


class _Bounded:
    """A file of which little is read at once."""

    def __init__(self, file: IO[bytes], max_files: int) -> None:
        self._file, self._max_files, self._limit = file, max_files, max(CHUNK, ENTRY * max_files)
        self.seek, self.tell, self.seekable, self.close = file.seek, file.tell, file.seekable, file.close

    def read(self, size: int = -1, /) -> bytes:
        content = self._file.read(min(size, self._limit + 1) if size >= 0 else self._limit + 1)
        if len(content) > self._limit:
            raise TooManyFiles(
                _("There are too many files in the zip; the limit is %(limit)s.") % {"limit": self._max_files},
                limit=self._max_files,
            )
        return content


def open_bounded(file: IO[bytes], max_files: int) -> zipfile.ZipFile:
    """Open a zip whose list of files is too large to be read into memory if there are many more than `max_files`.

    Count them all the same: small entries are more. Errors: TooManyFiles, UNREADABLE.
    """
    return zipfile.ZipFile(_Bounded(file, max_files))  # any object that reads and seeks
