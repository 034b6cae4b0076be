"""Bytes: the only room that touches them.

A blob's bytes arrive in a *staging* file, hashed on the way (`stage`). Once everything that came with them is verified,
they move into the store (`put`), which is Django's default storage: a folder, or an object store through
django-storages. What `put` returns from is durable.
"""

import hashlib
import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import IO, Any, Protocol

from django.conf import settings
from django.core.files import File
from django.core.files.storage import FileSystemStorage, default_storage

from courses.errors import Invalid, TryAgain

log = logging.getLogger(__name__)

try:
    from botocore.exceptions import BotoCoreError, ClientError

    STORE_ERRORS: tuple[type[Exception], ...] = (OSError, BotoCoreError, ClientError)
except ImportError:  # a folder needs no object store's client
    STORE_ERRORS = (OSError,)

CHUNK = 2**18  # bytes read or written at once


class StoreUnreachable(TryAgain):
    """The store does not answer; nothing was changed and a repeat is safe."""


class Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


class WrongHash(Invalid):
    code = "wrong_hash"


class WrongSize(Invalid):
    code = "wrong_size"


@dataclass(frozen=True)
class Staged:
    """Verified bytes that wait in a file of their own."""

    sha256: str
    md5: str
    size: int  # bytes
    path: Path


class StagedFile(File):
    """Says where it is, so that a folder can take it by renaming."""

    def __init__(self, file: IO[bytes], staged: Staged) -> None:
        super().__init__(file, name=staged.sha256)
        self.staged = staged


class DurableFolder(FileSystemStorage):
    """A folder whose files are there, whole, after a power cut: synced, then renamed, then the folder synced."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{**kwargs, "allow_overwrite": True})

    def _save(self, name: str, content: Any) -> str:
        target = Path(self.path(name))
        self._make_folder(target.parent)
        if isinstance(content, StagedFile):
            os.fsync(content.fileno())
            os.replace(content.staged.path, target)
        else:
            draft = target.with_name(f"{target.name}.{os.getpid()}.draft")
            with open(draft, "wb") as file:
                for chunk in content.chunks(CHUNK):
                    file.write(chunk)
                file.flush()
                os.fsync(file.fileno())
            os.replace(draft, target)
        _sync_folder(target.parent)
        return name

    @staticmethod
    def _make_folder(folder: Path) -> None:
        missing = [parent for parent in (folder, *folder.parents) if not parent.exists()]
        folder.mkdir(parents=True, exist_ok=True)
        for made in missing:
            _sync_folder(made.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def staging_folder() -> Path:
    """Where uploads wait: on the blob folder's own file system, so that moving in is a rename."""
    if isinstance(default_storage, FileSystemStorage):
        return Path(default_storage.location) / "staging"
    return Path(settings.NGSHARE_STAGING)


@contextmanager
def staging() -> Iterator[Path]:
    """A folder for one upload, gone with everything in it when the upload is settled or refused."""
    root = staging_folder()
    root.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=root) as folder:
        yield Path(folder)


def abandoned(before: datetime) -> list[Path]:
    """Folders of uploads whose process died in the middle: untouched since `before`."""
    root = staging_folder()
    folders = root.iterdir() if root.is_dir() else ()
    return [folder for folder in folders if folder.stat().st_mtime < before.timestamp()]


def remove_abandoned(before: datetime) -> int:
    """Remove what `abandoned` names; how many."""
    folders = abandoned(before)
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)
    return len(folders)


def stage(stream: Readable, folder: Path, *, sha256: str, size: int) -> Staged:
    """Read `size` bytes into a file of `folder` and verify them. Memory stays flat.

    Errors: WrongSize when the stream ends early, WrongHash when the bytes are others than announced.
    """
    hashed, checksum = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
    path = folder / sha256
    left = size
    with open(path, "wb") as file:
        while left and (chunk := stream.read(min(CHUNK, left))):
            hashed.update(chunk)
            checksum.update(chunk)
            file.write(chunk)
            left -= len(chunk)
    if left:
        raise WrongSize(f"The blob {sha256} ends after {size - left} of {size} bytes.", sha256=sha256)
    if hashed.hexdigest() != sha256:
        raise WrongHash(f"The bytes sent as {sha256} have the hash {hashed.hexdigest()}.", sha256=sha256)
    return Staged(sha256, checksum.hexdigest(), size, path)


def key(sha256: str) -> str:
    """A blob's name in the store."""
    return f"{sha256[:2]}/{sha256}"


def put(staged: Staged) -> None:
    """Move staged bytes into the store, durably. Bytes of the same name are replaced by themselves.

    Errors: StoreUnreachable.
    """
    try:
        with open(staged.path, "rb") as file:
            default_storage.save(key(staged.sha256), StagedFile(file, staged))
    except STORE_ERRORS as error:
        log.exception("cannot store %s", staged.sha256)
        raise StoreUnreachable("The server cannot store your files just now. Try again in a moment.") from error


def open_blob(sha256: str) -> IO[bytes]:
    """The blob's bytes, to read and seek in. Errors: FileNotFoundError."""
    return default_storage.open(key(sha256), "rb")


def read(sha256: str, *, start: int = 0, length: int) -> Iterator[bytes]:
    """`length` bytes from `start` on, in chunks."""
    with open_blob(sha256) as file:
        file.seek(start)
        while length and (chunk := file.read(min(CHUNK, length))):
            yield chunk
            length -= len(chunk)
    if length:
        raise OSError(f"the stored blob {sha256} is {length} bytes short")


def start_reading(content: Iterator[bytes]) -> Iterator[bytes]:
    """The same bytes, the first of them read already: what is lost is known before an answer begins.

    Errors: FileNotFoundError.
    """
    return chain([next(content, b"")], content)


def verify(sha256: str) -> bool:
    """Do the stored bytes still have their hash? False also when they are gone."""
    try:
        with open_blob(sha256) as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == sha256  # type: ignore[arg-type]
    except FileNotFoundError:
        return False


def probe() -> None:
    """Ask the store something. Errors: StoreUnreachable."""
    try:
        default_storage.exists(key("0" * 64))
    except STORE_ERRORS as error:
        raise StoreUnreachable(str(error)) from error


def delete(sha256: str) -> None:
    """Remove the bytes; nothing happens where there are none."""
    default_storage.delete(key(sha256))
