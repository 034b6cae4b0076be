"""Files that people handed over, given to a browser so that they can do nothing there.

What was handed in may be anything. A page or picture is shown without scripts, in an origin of its own (CSP `sandbox`);
text is shown as text; everything else is a download. Nothing is guessed from content (`nosniff`, set for the site).
"""

from pathlib import PurePosixPath

from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.http import content_disposition_header

from exchange.models import FileEntry
from exchange.storage import archives, blobs, file_sets
from exchange.storage.archives import ArchiveFolder

SANDBOX = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:"
SHOWN = {
    ".html": "text/html; charset=utf-8",
    ".htm": "text/html; charset=utf-8",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".webp": "image/webp",
}
TEXT = frozenset(
    ".c .cfg .cpp .css .csv .h .ipynb .java .jl .js .json .log .md .py .r .rst .sh .sql .tex .toml .tsv .txt .yaml "
    ".yml".split()
)
SHOWN_TEXT = "text/plain; charset=utf-8"
DOWNLOAD = "application/octet-stream"
LOST = "The server has lost the bytes of this file. Bring them back from a backup, or have them handed in again."


def shown_as(path: str) -> str:
    """The content type under which a browser may show the file, or that of a download.

    >>> shown_as("feedback/ps1.html"), shown_as("ps1.ipynb"), shown_as("figure.svg")
    ('text/html; charset=utf-8', 'text/plain; charset=utf-8', 'application/octet-stream')
    """
    ending = PurePosixPath(path).suffix.lower()
    return SHOWN.get(ending) or (SHOWN_TEXT if ending in TEXT else DOWNLOAD)


def open_file(entry: FileEntry) -> HttpResponseBase:
    """The file to look at, where that is harmless; else to download. Needs `blob`."""
    kind = shown_as(entry.path)
    return _answer(entry, kind, as_attachment=kind == DOWNLOAD)


def download_file(entry: FileEntry) -> HttpResponseBase:
    return _answer(entry, DOWNLOAD, as_attachment=True)


def _answer(entry: FileEntry, kind: str, *, as_attachment: bool) -> HttpResponseBase:
    try:
        content = blobs.start_reading(blobs.read(entry.blob.sha256, length=entry.blob.size))
    except FileNotFoundError:
        file_sets.mark_missing(entry.blob)
        return add_headers(HttpResponse(LOST, status=410, content_type=SHOWN_TEXT), "lost.txt", as_attachment=False)
    response = StreamingHttpResponse(content, content_type=kind)
    response["Content-Length"] = str(entry.blob.size)
    return add_headers(response, PurePosixPath(entry.path).name, as_attachment=as_attachment)


def download_zip(trees: list[ArchiveFolder], name: str) -> HttpResponseBase:
    """Trees as one zip, made while it is sent."""
    response = StreamingHttpResponse(archives.stream_zip(trees), content_type="application/zip")
    return add_headers(response, f"{name.replace('/', ' ')}.zip", as_attachment=True)


def add_headers(response: HttpResponseBase, name: str, *, as_attachment: bool) -> HttpResponseBase:
    response["Content-Disposition"] = content_disposition_header(as_attachment, name) or "attachment"
    response["Content-Security-Policy"] = SANDBOX
    response["X-Content-Type-Options"] = "nosniff"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    response["Cache-Control"] = "private, no-cache"
    return response
