"""Bytes: the only module that touches them.

The bytes of a blob arrive in a *staging* file and are hashed on the way (`stage`). Once everything that came with them
is verified, they move into the store (`put`), which is Django's default storage: a folder, or an object store through
django-storages. When `put` returns, the bytes are durable.
"""

import errno
import hashlib
import logging
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from io import FileIO
from pathlib import Path
from typing import IO, Any, Protocol

from django.conf import settings
from django.core.files.storage import FileSystemStorage, default_storage
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _

from courses.errors import Invalid, StorageFull, TryAgain
from courses.failures import Part, count_failure
from courses.places import waiting
from exchange.storage.folder import CHUNK, StagedFile

log = logging.getLogger(__name__)

try:
    from botocore.exceptions import BotoCoreError, ClientError

    STORE_ERRORS: tuple[type[Exception], ...] = (OSError, BotoCoreError, ClientError)
except ImportError:  # a folder needs no client of an object store
    STORE_ERRORS = (OSError,)


FULL = {errno.ENOSPC, errno.EDQUOT}
ADDRESS_SECONDS = 15 * 60  # a download must have begun by then
CHECKS = 16  # of an object store that run at once, in a process


class Absent(FileNotFoundError):
    """The store does not have these bytes, or not all of them."""


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
    size: int  # bytes
    path: Path


# Staging


def staging_folder() -> Path:
    """Return where uploads wait: on the file system of the blob folder, so that storing a file is a rename."""
    if isinstance(default_storage, FileSystemStorage):
        return Path(default_storage.location) / "staging"
    return Path(settings.NGSHARE_STAGING)


@contextmanager
def staging() -> Iterator[Path]:
    """Give one upload a folder, and remove it with everything in it when the upload is stored or refused."""
    root = staging_folder()
    with explained_errors():
        try:
            folder = Path(tempfile.mkdtemp(dir=root))
        except FileNotFoundError:
            root.mkdir(parents=True, exist_ok=True)
            folder = Path(tempfile.mkdtemp(dir=root))
    try:
        yield folder
    finally:
        try:
            folder.rmdir()  # it is empty where everything was stored
        except OSError:
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def explained_errors() -> Iterator[None]:
    """Turn what the disk or the store says into sentences. Errors: StorageFull, StoreUnreachable."""
    try:
        yield
    except STORE_ERRORS as error:
        count_failure(Part.STORE)
        if isinstance(error, OSError) and error.errno in FULL:
            log.error("no space is left for uploads: %s", error)
            raise StorageFull(
                _("The server's disk is full. Nothing was changed; tell an administrator of ngshare.")
            ) from error
        log.exception("cannot store files")
        raise StoreUnreachable(_("The server cannot store your files just now. Try again in a moment.")) from error


def abandoned_folders(before: datetime) -> list[Path]:
    """Return the folders of uploads whose process died: those not touched since `before`."""
    root = staging_folder()
    abandoned = []
    for folder in root.iterdir() if root.is_dir() else ():
        with suppress(FileNotFoundError):  # an upload that has just ended
            if folder.stat().st_mtime < before.timestamp():
                abandoned.append(folder)
    return abandoned


def remove_abandoned_folders(before: datetime) -> int:
    """Remove the abandoned folders and return how many there were."""
    folders = abandoned_folders(before)
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)
    return len(folders)


def stage(stream: Readable, folder: Path, *, sha256: str, size: int) -> Staged:
    """Read `size` bytes into a file of `folder` and verify them. Memory stays flat.

    Errors: WrongSize when the stream ends early, WrongHash when the bytes are not those announced, StorageFull,
    StoreUnreachable.
    """
    hashed = hashlib.sha256()
    path = folder / sha256
    if remaining := receive(stream, path, size, hashed):
        raise WrongSize(
            _("The blob %(sha256)s ends after %(received)s of %(size)s bytes.")
            % {"sha256": sha256, "received": size - remaining, "size": size},
            sha256=sha256,
        )
    if hashed.hexdigest() != sha256:
        raise WrongHash(
            _("The bytes sent as %(sha256)s have the hash %(found)s.")
            % {"sha256": sha256, "found": hashed.hexdigest()},
            sha256=sha256,
        )
    return Staged(sha256, size, path)


def receive(stream: Readable, path: Path, size: int, *hashes: "hashlib._Hash") -> int:
    """Read `size` bytes into a new file, and give them to the hashes. Return how many are missing at the stream's end.

    Memory stays flat. Errors: StorageFull, StoreUnreachable, those of the stream.
    """
    remaining = size
    with explained_errors():
        file = open(path, "wb", buffering=0)  # nothing is left to be written when it is closed
    with file:
        while remaining and (chunk := stream.read(min(CHUNK, remaining))):
            for each in hashes:
                each.update(chunk)
            write(file, chunk)
            remaining -= len(chunk)
    return remaining


def write(file: FileIO, content: bytes) -> None:
    with explained_errors():
        rest = memoryview(content)
        while rest:
            rest = rest[file.write(rest) :]


# The store


def folder() -> Path | None:
    """Return the folder of the store; None for an object store."""
    return Path(default_storage.location) if isinstance(default_storage, FileSystemStorage) else None


def waiting_for_store() -> AbstractContextManager[None]:
    """Let others work while an object store answers; a folder is as fast as another request."""
    return nullcontext() if folder() else waiting()


def key(sha256: str) -> str:
    """Return the name of a blob in the store."""
    return f"{sha256[:2]}/{sha256}"


def put(staged: Staged) -> None:
    """Move staged bytes into the store, durably. Bytes that are there already are replaced by the same bytes.

    Errors: StoreUnreachable, StorageFull.
    """
    with explained_errors(), waiting_for_store(), open(staged.path, "rb") as file:
        default_storage.save(key(staged.sha256), StagedFile(file, staged.path))


def find_absent(sizes: Mapping[str, int]) -> list[str]:
    """Return those of the hashes, {hash: bytes}, whose bytes the store does not have in this size. Nothing is read.

    An object store is asked for several at once. Call it outside a transaction. Errors: StoreUnreachable.
    """
    is_folder = isinstance(default_storage, FileSystemStorage)
    try:
        with waiting_for_store():
            found = map(_stored_size, sizes) if is_folder else _threads().map(_stored_size, sizes)
            return [sha256 for sha256, size in zip(sizes, found, strict=True) if size != sizes[sha256]]
    except STORE_ERRORS as error:
        log.exception("cannot look for blobs")
        count_failure(Part.STORE)
        raise StoreUnreachable(_("The server cannot reach its files just now. Try again in a moment.")) from error


def _stored_size(sha256: str) -> int | None:
    try:
        return default_storage.size(key(sha256))
    except FileNotFoundError:
        return None


@cache
def _threads() -> ThreadPoolExecutor:
    """Return threads that stay: each keeps its own connections to the store."""
    return ThreadPoolExecutor(CHECKS, "store")


def open_blob(sha256: str) -> IO[bytes]:
    """Return the bytes as a file to read and seek in. Errors: FileNotFoundError."""
    return default_storage.open(key(sha256), "rb")


def read(sha256: str, *, start: int = 0, length: int, chunk: int = CHUNK) -> Iterator[bytes]:
    """Yield `length` bytes from `start` on, in chunks of `chunk` bytes. Errors: Absent, OSError.

    reading.read is for responses.
    """
    try:
        file = open_blob(sha256)
    except FileNotFoundError as error:
        raise Absent(f"the blob {sha256} is not in the store") from error
    with file:
        file.seek(start)
        while length and (content := file.read(min(chunk, length))):
            yield content
            length -= len(content)
    if length:
        raise Absent(f"the stored blob {sha256} is {length} bytes short")


def verify(sha256: str) -> bool:
    """Return whether the store has the bytes and they still have their hash. Errors: StoreUnreachable."""
    try:
        return is_intact(sha256)
    except FileNotFoundError:
        return False


def is_intact(sha256: str, *, on_read: Callable[[int], None] = lambda size: None) -> bool:
    """Return whether the bytes still have their hash. `on_read` is called with the size of each chunk that was read.

    Errors: FileNotFoundError, StoreUnreachable.
    """
    hashed = hashlib.sha256()
    try:
        with open_blob(sha256) as file:
            while chunk := file.read(CHUNK):
                hashed.update(chunk)
                on_read(len(chunk))
    except FileNotFoundError:
        raise
    except STORE_ERRORS as error:
        if isinstance(error, OSError) and error.errno == errno.EIO:  # the disk cannot read its own bytes any more
            return False
        raise StoreUnreachable(_("The store cannot be read just now: %(error)s.") % {"error": error}) from error
    return hashed.hexdigest() == sha256


def download_address(sha256: str, file_name: str) -> str | None:
    """Return a presigned address of a blob, which downloads it as `file_name`; None unless the site has such ones."""
    if "downloads" not in settings.NGSHARE_S3_DIRECT:
        return None
    bucket: Any = default_storage  # exchange.storage.bucket.Bucket
    address: str = bucket.address(
        "get_object",
        key(sha256),
        ADDRESS_SECONDS,
        ResponseContentType="application/octet-stream",
        ResponseContentDisposition=content_disposition_header(True, file_name),
    )
    return address


def probe() -> None:
    """Check that the store answers. Errors: StoreUnreachable."""
    try:
        default_storage.exists(key("0" * 64))
    except STORE_ERRORS as error:
        count_failure(Part.STORE)
        raise StoreUnreachable(str(error)) from error


def delete(sha256: str) -> None:
    """Remove the bytes from the store, if they are there."""
    default_storage.delete(key(sha256))


def folders() -> list[str]:
    """Return the folders of the store that contain blobs: `00` to `ff`. Errors: StoreUnreachable."""
    try:
        return sorted(name for name in default_storage.listdir("")[0] if re.fullmatch("[0-9a-f]{2}", name))
    except FileNotFoundError:
        return []
    except STORE_ERRORS as error:
        raise StoreUnreachable(str(error)) from error


def names_in(folder: str) -> list[str]:
    """Return the names of the files in a folder of the store, sorted. Errors: StoreUnreachable."""
    try:
        return sorted(name for name in default_storage.listdir(folder)[1] if name)
    except STORE_ERRORS as error:
        raise StoreUnreachable(str(error)) from error
