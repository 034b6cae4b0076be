"""The bytes of uploads in parts, which wait in the store: every process that shares it can go on with them.

A part is a file or object of its own, `parts/{upload}/{number}`. It is there whole or not at all.
"""

import errno
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.files.storage import default_storage
from django.utils.translation import gettext as _

from exchange.models import BlobUpload
from exchange.storage import blobs
from exchange.storage.folder import StagedFile

ROOT = "parts"
ADDRESS_SECONDS = 60 * 60  # to send parts directly; asking again gives new ones


class PartGone(Exception):
    """A part went while it was read: the upload was completed, or removed, in another process."""


def put(upload: BlobUpload, number: int, stream: blobs.Readable) -> None:
    """Store a part durably, or nothing of it. Errors: WrongSize if it breaks off, StoreUnreachable, StorageFull."""
    size = upload.length_of(number)
    with blobs.staging() as folder:
        path = folder / str(number)
        if missing := blobs.receive(stream, path, size):
            raise blobs.WrongSize(
                _("Part %(number)s ends after %(received)s of %(size)s bytes.")
                % {"number": number, "received": size - missing, "size": size}
            )
        with blobs.explained_errors(), blobs.waiting_for_store(), open(path, "rb") as file:
            default_storage.save(_name(upload, number), StagedFile(file, path))


def numbers(upload: BlobUpload) -> list[int]:
    """Return which parts are in the store. Errors: StoreUnreachable."""
    _, names = _list(f"{ROOT}/{upload.pk}")
    return sorted(int(name) for name in names if name.isdecimal() and 1 <= int(name) <= upload.part_count)


def missing(upload: BlobUpload) -> list[int]:
    """Return which parts are not in the store. Errors: StoreUnreachable."""
    found = set(numbers(upload))
    return [number for number in range(1, upload.part_count + 1) if number not in found]


def addresses(upload: BlobUpload) -> dict[int, str] | None:
    """Return presigned addresses for the parts that are missing, each of which takes exactly that many bytes.

    None unless the site has such ones. Errors: StoreUnreachable.
    """
    if "uploads" not in settings.NGSHARE_S3_DIRECT:
        return None
    bucket: Any = default_storage  # exchange.storage.bucket.Bucket
    return {
        number: bucket.address(
            "put_object", _name(upload, number), ADDRESS_SECONDS, ContentLength=upload.length_of(number)
        )
        for number in ([] if upload.completed else missing(upload))
    }


class Parts:
    """The bytes of all parts, one after another, as one stream."""

    def __init__(self, upload: BlobUpload) -> None:
        self._chunks = _read(upload)

    def read(self, size: int, /) -> bytes:
        """Return the next bytes, a chunk at most. Errors: PartGone, StoreUnreachable."""
        with blobs.explained_errors():
            return next(self._chunks, b"")


def _read(upload: BlobUpload) -> Iterator[bytes]:
    for number in range(1, upload.part_count + 1):
        name, remaining = _name(upload, number), upload.length_of(number)
        try:
            with default_storage.open(name, "rb") as file:
                while remaining and (chunk := file.read(min(blobs.CHUNK, remaining))):
                    yield chunk
                    remaining -= len(chunk)
        except blobs.STORE_ERRORS as error:
            if default_storage.exists(name):
                raise
            raise PartGone from error  # an object store says so when its bytes are asked for


def delete(upload_id: str) -> None:
    """Remove the parts of an upload. Errors: StoreUnreachable."""
    folder = f"{ROOT}/{upload_id}"
    _, names = _list(folder)
    with blobs.explained_errors():
        for name in names:
            default_storage.delete(f"{folder}/{name}")


def delete_folder(upload_id: str) -> None:
    """Remove the parts of an upload that is over, and their folder, where a store has such. Errors: StoreUnreachable.

    As long as an upload has a row, other processes may be about to store parts in the folder.
    """
    delete(upload_id)
    if blobs.folder() is None:
        return
    with blobs.explained_errors():
        try:
            default_storage.delete(f"{ROOT}/{upload_id}")
        except OSError as error:
            if error.errno != errno.ENOTEMPTY:  # a late part, which the next call removes
                raise


def upload_ids() -> list[str]:
    """Return the ids of the uploads of which the store has parts. Errors: StoreUnreachable."""
    folders, _ = _list(ROOT)
    return folders


def _list(folder: str) -> tuple[list[str], list[str]]:
    """Return the names of the folders and of the files in a folder of the store."""
    with blobs.explained_errors():
        try:
            folders, files = default_storage.listdir(folder)
        except FileNotFoundError:
            return [], []
    return folders, files


def _name(upload: BlobUpload, number: int) -> str:
    return f"{ROOT}/{upload.pk}/{number}"
