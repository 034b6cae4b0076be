"""Responses with uploaded files, which must not be able to do anything in the browser that shows them.

An upload may be anything. A page or picture is shown without scripts, in an origin of its own (CSP `sandbox`); text is
shown as text; everything else is a download. The browser must not guess a type from the content (`nosniff`).
"""

from collections.abc import Iterator
from itertools import chain
from pathlib import PurePosixPath

from django.http import HttpResponse, HttpResponseBase, HttpResponseRedirect, StreamingHttpResponse
from django.utils.http import content_disposition_header
from django.utils.translation import gettext_lazy

from courses.errors import BytesLost, TryAgain
from exchange.models import FileEntry
from exchange.storage import archives, blobs, reading
from exchange.storage.archives import ArchiveFolder

SANDBOX = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:"
INLINE_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".htm": "text/html; charset=utf-8",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".webp": "image/webp",
}
TEXT_SUFFIXES = frozenset(
    ".c .cfg .cpp .css .csv .h .ipynb .java .jl .js .json .log .md .py .r .rst .sh .sql .tex .toml .tsv .txt .yaml "
    ".yml".split()
)
PLAIN_TEXT = "text/plain; charset=utf-8"
DOWNLOAD_TYPE = "application/octet-stream"
LOST = gettext_lazy(
    "The server has lost the bytes of this file. Restore them from a backup, or ask for the file to be submitted again."
)


def content_type_of(path: str) -> str:
    """Return the content type under which a browser may show the file, or that of a download.

    >>> content_type_of("feedback/ps1.html"), content_type_of("ps1.ipynb"), content_type_of("figure.svg")
    ('text/html; charset=utf-8', 'text/plain; charset=utf-8', 'application/octet-stream')
    """
    suffix = PurePosixPath(path).suffix.lower()
    return INLINE_TYPES.get(suffix) or (PLAIN_TEXT if suffix in TEXT_SUFFIXES else DOWNLOAD_TYPE)


def open_file(entry: FileEntry) -> HttpResponseBase:
    """Return the file to look at, where that is harmless, or to download. Select the entry's `blob` with it."""
    content_type = content_type_of(entry.path)
    return _respond(entry, content_type, as_attachment=content_type == DOWNLOAD_TYPE)


def download_file(entry: FileEntry) -> HttpResponseBase:
    return _respond(entry, DOWNLOAD_TYPE, as_attachment=True)


def _respond(entry: FileEntry, content_type: str, *, as_attachment: bool) -> HttpResponseBase:
    try:
        reading.require_files([entry])
    except BytesLost:
        return _refuse(str(LOST), 410)
    except TryAgain as error:
        return _refuse(error.message, 503)
    name = PurePosixPath(entry.path).name
    if as_attachment and (address := blobs.download_address(entry.blob.sha256, name)):
        return HttpResponseRedirect(address)
    response = StreamingHttpResponse(reading.read(entry.blob), content_type=content_type)
    response["Content-Length"] = str(entry.blob.size)
    return add_headers(response, name, as_attachment=as_attachment)


def download_zip(folders: list[ArchiveFolder], name: str) -> HttpResponseBase:
    """Return the folders as one zip, made while it is sent."""
    return send_zip(archives.stream_zip(folders), name)


def send_zip(content: Iterator[bytes], name: str) -> HttpResponseBase:
    """Return a zip that is made while it is sent."""
    try:
        start = next(content)
    except TryAgain as error:
        return _refuse(error.message, 503)
    response = StreamingHttpResponse(chain([start], content), content_type="application/zip")
    return add_headers(response, f"{name.replace('/', ' ')}.zip", as_attachment=True)


def _refuse(sentence: str, status: int) -> HttpResponseBase:
    response = HttpResponse(sentence, status=status, content_type=PLAIN_TEXT)
    return add_headers(response, "error.txt", as_attachment=False)


def add_headers(response: HttpResponseBase, name: str, *, as_attachment: bool) -> HttpResponseBase:
    response["Content-Disposition"] = content_disposition_header(as_attachment, name) or "attachment"
    response["Content-Security-Policy"] = SANDBOX
    response["X-Content-Type-Options"] = "nosniff"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    response["Cache-Control"] = "private, no-cache"
    return response
