"""Zip files that students submit, which may be anything: what is in one is read piece by piece, and bounded.

Neither the sizes that a zip announces nor its number of files is believed.
"""

import hashlib
import stat
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext as _

from courses.errors import Invalid, TooLarge
from courses.sizes import readable_size
from exchange.storage import manifests, zip_files
from exchange.storage.blobs import Staged
from exchange.storage.folder import CHUNK
from exchange.storage.receiving import Receiver

IS_UTF8 = 0x800
MADE_ON_DOS = 0


class BadZip(Invalid):
    code = "bad_zip"


@dataclass(frozen=True)
class PackedFile:
    """A file in a zip."""

    path: str  # nobody has checked it
    size: int  # which the zip announces: no more is ever read
    member: zipfile.ZipInfo


def list_files(source: Path) -> list[PackedFile]:
    """Return the files in a zip. What is no file, such as a link, is refused.

    Errors: BadZip, TooManyFiles, TooLarge.
    """
    with _opened(source) as archive:
        members = [member for member in archive.infolist() if not _is_folder(member)]
        _check_announced(members)
        return [PackedFile(_path_of(member), member.file_size, member) for member in members]


def hash_files(source: Path, files: Sequence[PackedFile]) -> dict[str, int]:
    """Read these files of a zip and return their sizes, {hash: bytes}. Nothing is written. Errors: BadZip."""
    sizes: dict[str, int] = {}
    with _opened(source) as archive:
        for file in files:
            hashed, size = hashlib.sha256(), 0
            for chunk in _read(archive, file):
                hashed.update(chunk)
                size += len(chunk)
            sizes[hashed.hexdigest()] = size
    return sizes


def unpack(source: Path, folder: Path, files: Sequence[PackedFile]) -> list[Staged]:
    """Write these files of a zip to the folder. Errors: BadZip, TooLarge, StorageFull, StoreUnreachable."""
    receiver = Receiver(folder)
    with _opened(source) as archive:
        try:
            for file in files:
                receiver.begin(file.path)
                for chunk in _read(archive, file):
                    receiver.write(chunk)
                receiver.end()
        finally:
            receiver.abandon()
    return [received.staged for received in receiver.files]


def _read(archive: zipfile.ZipFile, file: PackedFile) -> Iterator[bytes]:
    with archive.open(file.member) as content:
        while chunk := content.read(CHUNK):
            yield chunk


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
        if member.flag_bits & zip_files.ENCRYPTED:
            raise BadZip(_("The zip has a password. Make one without."))
        if member.compress_type not in zip_files.METHODS:
            raise BadZip(
                _("%(name)s in the zip is packed in an unusual way. Make the zip with your system's own program.")
                % {"name": name}
            )


def _is_folder(member: zipfile.ZipInfo) -> bool:
    """Return whether a member is a folder, also as old programs on Windows write it: with a backslash at its end."""
    return zip_files.is_folder(member) or (not member.file_size and _path_of(member).endswith("/"))


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
def _opened(source: Path) -> Iterator[zipfile.ZipFile]:
    """Open a zip. Errors: BadZip, TooManyFiles."""
    with open(source, "rb") as file:
        try:
            with zip_files.open_bounded(file, settings.NGSHARE_MAX_FILES) as archive:
                yield archive
        except zip_files.UNREADABLE as error:
            raise BadZip(_("The zip is damaged, or no zip. Make it again, or choose the files themselves.")) from error
