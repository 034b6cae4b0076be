"""File sets in API v1: a JSON list of `{"path", "content"}`, the content in base64; checksums are MD5.

In: the whole list is in memory. Out: streamed, file by file and piece by piece.
"""

import base64
import binascii
import hashlib
import json
import math
import unicodedata
from collections.abc import Iterator
from io import BytesIO

from django.http import HttpResponseBase, StreamingHttpResponse

from exchange.api.v1.answers import CONTENT_TYPE, Failure, json_text
from exchange.models import FileEntry, FileSet
from exchange.storage import checksums, reading
from exchange.storage.file_sets import Upload
from exchange.storage.manifests import ManifestEntry

LINE = 57  # bytes that one line of base64 holds
PIECE = LINE * 4096  # bytes encoded at once


def upload(text: str | None) -> Upload:
    """Return the upload that a `files` argument holds. Errors: Failure."""
    if text is None:
        raise Failure(400, "Please supply files")
    contents: dict[str, bytes] = {}
    manifest = []
    for item in _items(text):
        path = normalize_path(item.get("path"))
        content = _decode(item.get("content"))
        sha256 = hashlib.sha256(content).hexdigest()
        contents[sha256] = content
        manifest.append(ManifestEntry(path, sha256, len(content)))
    return Upload([manifest], ((sha256, BytesIO(content)) for sha256, content in contents.items()))


def _items(text: str) -> list[dict[str, object]]:
    try:
        items = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Failure(400, "Files cannot be JSON decoded") from error
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise Failure(400, "Incorrect request format")
    return items


def normalize_path(path: object) -> str:
    """Return the path in Unicode NFC, if ngshare 0.6 accepted it. Some disks, and so old clients, decompose names.

    exchange.paths refuses more; it checks the manifest as a whole later. Errors: Failure.

    >>> normalize_path("figures/plot.png")
    'figures/plot.png'
    """
    if not isinstance(path, str) or any(part in (".", "..") for part in path.split("/")):
        raise Failure(400, "Illegal path")
    if not path or path.startswith("/") or path.endswith("/"):
        raise Failure(400, "Illegal path")
    return unicodedata.normalize("NFC", path)


def _decode(content: object) -> bytes:
    try:
        if isinstance(content, str):
            return base64.decodebytes(content.encode())
    except (binascii.Error, UnicodeEncodeError):
        pass
    raise Failure(400, "Content cannot be base64 decoded")


def answer(file_set: FileSet | None, *, list_only: bool, **more: str) -> HttpResponseBase:
    """Return an answer with the files of the file set, in their order, and `more` fields. None means no files.

    Errors: BytesLost, TryAgain.
    """
    entries = list(FileEntry.objects.filter(file_set=file_set).select_related("blob")) if file_set else []
    if not list_only:
        reading.require_files(entries)
    checksums.complete([entry.blob for entry in entries])
    end = json_text(more)[1:] if more else "}"
    head = '{"success": true, "files": ['
    tail = "], " + end if more else "]" + end
    response = StreamingHttpResponse(_stream(head, entries, tail, list_only=list_only), content_type=CONTENT_TYPE)
    response["Content-Length"] = str(len(head) + len(tail) + sum(_lengths(entries, list_only=list_only)))
    return response


def _frame(entry: FileEntry, *, list_only: bool) -> tuple[str, str]:
    """Return the JSON before and after a file's content."""
    text = json_text({"path": entry.path, "checksum": entry.blob.md5})
    return (text, "") if list_only else (text[:-1] + ', "content": "', '"}')


def _lengths(entries: list[FileEntry], *, list_only: bool) -> Iterator[int]:
    for place, entry in enumerate(entries):
        before, after = _frame(entry, list_only=list_only)
        size = entry.blob.size
        content = 0 if list_only else 4 * math.ceil(size / 3) + len("\\n") * math.ceil(size / LINE)
        yield len(", ") * (place > 0) + len(before) + content + len(after)


def _stream(head: str, entries: list[FileEntry], tail: str, *, list_only: bool) -> Iterator[bytes]:
    yield head.encode()
    for place, entry in enumerate(entries):
        before, after = _frame(entry, list_only=list_only)
        yield (", " * (place > 0) + before).encode()
        if not list_only:
            for piece in reading.read(entry.blob, chunk=PIECE):
                yield base64.encodebytes(piece).replace(b"\n", b"\\n")
        yield after.encode()
    yield tail.encode()
