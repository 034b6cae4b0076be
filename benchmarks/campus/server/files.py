"""Blobs and file sets of a university. A file is a line of text.

The store gets the bytes of the probed part; the rows of all other blobs say that theirs are missing.
"""

from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, default_storage

from benchmarks.campus.server.rows import Rows
from exchange.models import Blob, Fault, FileEntry, FileSet
from exchange.storage import blobs
from exchange.storage.manifests import ManifestEntry, digest

File = tuple[str, Blob]  # a path and what is there


def add_blob(rows: Rows, text: str, touched: datetime, *, stored: bool) -> Blob:
    content = text.encode()
    name = sha256(content).hexdigest()
    if stored:
        _put(blobs.key(name), content)
    fault = "" if stored else Fault.MISSING
    return rows.add(Blob(sha256=name, size=len(content), stored=stored, fault=fault, touched=touched))


def _put(name: str, content: bytes) -> None:
    """Store bytes. A folder does not wait for the disk: nothing is lost that could not be made again."""
    if isinstance(default_storage, FileSystemStorage):
        path = Path(default_storage.path(name))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    else:
        default_storage.save(name, ContentFile(content))


def add_file_set(rows: Rows, files: Sequence[File]) -> FileSet:
    """Add the file set of these files, which no other one equals."""
    files = sorted(files, key=lambda file: file[0])
    entries = [ManifestEntry(path, blob.sha256, blob.size) for path, blob in files]
    size = sum(entry.size for entry in entries)
    file_set = rows.add(FileSet(digest=digest(entries), size=size, file_count=len(entries)))
    for position, (path, blob) in enumerate(files):
        rows.add(FileEntry(file_set=file_set, position=position, path=path, blob=blob))
    return file_set
