"""Zip files that students submit, which may be anything: what is in one is read piece by piece, and bounded.

Neither the sizes that a zip announces nor its number of files is believed.
"""

import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from django.conf import settings
from django.utils.translation import gettext as _

from courses.errors import Invalid, TooLarge
from courses.sizes import readable_size
from exchange.storage import manifests
from exchange.storage.folder import CHUNK
from exchange.storage.receiving import ReceivedFile, Receiver

ENTRY = 256  # bytes of the list in a zip, for each file that may be in it: all of it is read into memory
METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}  # of the others, Python unpacks a piece of any size at once
ENCRYPTED = 0x1  # in the flags of an entry
IS_UTF8 = 0x800
MADE_ON_DOS = 0


class BadZip(Invalid):
    code = "bad_zip"


class _Bounded:
    """A file of which little is read at once."""

    def __init__(self, file: IO[bytes], limit: int) -> None:
        self._file, self._limit = file, limit
        self.seek, self.tell, self.seekable, self.close = file.seek, file.tell, file.seekable, file.close

    def read(self, size: int = -1, /) -> bytes:
        content = self._file.read(min(size, self._limit + 1) if size >= 0 else self._limit + 1)
        if len(content) > self._limit:
            raise manifests.TooManyFiles(
                _("There are too many files in the zip; the limit is %(limit)s.")
                % {"limit": settings.NGSHARE_MAX_FILES},
                limit=settings.NGSHARE_MAX_FILES,
            )
        return content


def unpack(source: Path, folder: Path) -> list[ReceivedFile]:
    """Return the files in a zip, written to the folder. What is no file, such as a link, is refused.

    Errors: BadZip, TooManyFiles, TooLarge, StorageFull, StoreUnreachable.
    """
    receiver = Receiver(folder)
    with _explained(), open(source, "rb") as file:
        bounded = _Bounded(file, max(CHUNK, ENTRY * settings.NGSHARE_MAX_FILES))
        with zipfile.ZipFile(bounded) as archive:  # any object that reads and seeks
            members = [member for member in archive.infolist() if not _is_folder(member)]
            _check_announced(members)
            try:
                for member in members:
                    _unpack_one(archive, member, receiver)
            finally:
                receiver.abandon()
    return receiver.files


def _check_announced(members: list[zipfile.ZipInfo]) -> None:
    """Errors: BadZip, TooManyFiles, TooLarge."""
    manifests.check_file_count(len(members))
    total = sum(member.file_size for member in members)
    if total > (limit := settings.NGSHARE_MAX_SUBMISSION_SIZE):
        size = readable_size(total)
        raise TooLarge(
            _("The zip unpacks to %(size)s, the limit is %(limit)s.") % {"size": size, "limit": readable_size(limit)},
            size=total,
            limit=limit,
        )
    for member in members:
        name, mode = member.filename[:200], member.external_attr >> 16
        if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
            raise BadZip(_("%(name)s in the zip is a link, and no file. Put the file itself into it.") % {"name": name})
        if member.flag_bits & ENCRYPTED:
            raise BadZip(_("The zip has a password. Make one without."))
        if member.compress_type not in METHODS:
            raise BadZip(
                _("%(name)s in the zip is packed in an unusual way. Make the zip with your system's own program.")
                % {"name": name}
            )


def _unpack_one(archive: zipfile.ZipFile, member: zipfile.ZipInfo, receiver: Receiver) -> None:
    receiver.begin(_path_of(member))
    with archive.open(member) as content:
        while chunk := content.read(CHUNK):
            receiver.write(chunk)
    receiver.end()


def _is_folder(member: zipfile.ZipInfo) -> bool:
    """Return whether a member is a folder, also as old programs on Windows write it: with a backslash at its end."""
    return member.is_dir() or (not member.file_size and _path_of(member).endswith("/"))


def _path_of(member: zipfile.ZipInfo) -> str:
    """Return the path of a member: macOS writes UTF-8 without saying so, and some programs on Windows backslashes."""
    name = member.orig_filename
    if not member.flag_bits & IS_UTF8:
        try:
            name = name.encode("cp437").decode()
        except UnicodeError:
            pass
    return name.replace("\\", "/") if member.create_system == MADE_ON_DOS else name


@contextmanager
def _explained() -> Iterator[None]:
    """Errors: BadZip."""
    try:
        yield
    except (
        zipfile.BadZipFile,
        zlib.error,
        struct.error,
        EOFError,
        NotImplementedError,
        ValueError,
        OverflowError,
    ) as error:
        raise BadZip(_("The zip is damaged, or no zip. Make it again, or choose the files themselves.")) from error
