"""Files as documents to read in the browser: which of them, how, and in which rights.

A document is HTML that somebody else wrote. It is cleaned (cleaning.py), and its policy keeps it in an origin of its
own, without scripts, forms and addresses that are loaded, whatever is in it.
"""

import hashlib
import json
import posixpath
from collections.abc import Iterator
from enum import StrEnum
from functools import cache
from itertools import chain
from pathlib import PurePosixPath
from typing import Any

from django.conf import settings
from django.core.cache import caches
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext_lazy

from courses.errors import BytesLost, TooLarge
from exchange.models import FileEntry, FileSet
from exchange.rendering.languages import LANGUAGES
from exchange.rendering.notes import NOTES
from exchange.rendering.sandbox import Sandbox, TooCostly, Unreadable
from exchange.storage import reading

SANDBOX = "allow-popups allow-popups-to-escape-sandbox"  # a link opens a tab, which is like any other
POLICY = (
    f"sandbox {SANDBOX}; default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
KEPT_SECONDS = 14 * 24 * 3600
FAILED_SECONDS = 3600  # for which what failed is not tried again
MOST_PICTURES = 50  # that lie beside a notebook and are shown in it
LARGEST_PICTURE = 5_000_000  # bytes of one, and of all of them
LARGEST_KEPT = 1_000_000  # bytes; of so many documents as settings.CACHES says
FAILURES: dict[str, type[Unreadable | TooCostly]] = {each.__name__: each for each in (Unreadable, TooCostly)}


CELLS = {  # titles by the type of the cell
    "code": gettext_lazy("Code cell %(number)s"),
    "markdown": gettext_lazy("Markdown cell %(number)s"),
    "raw": gettext_lazy("Raw cell %(number)s"),
}
LEFT_OUT: dict[str, Any] = {
    "unchanged": ngettext_lazy("%(count)d unchanged line", "%(count)d unchanged lines", "count"),
    "lines": ngettext_lazy("%(count)d more line is not shown", "%(count)d more lines are not shown", "count"),
    "parts": ngettext_lazy("%(count)d more part is not shown.", "%(count)d more parts are not shown.", "count"),
}


class Look(StrEnum):
    """How a file is looked at."""

    NOTEBOOK = "notebook"
    WEBPAGE = "webpage"
    TEXT = "text"
    IMAGE = "image"
    DOWNLOAD = "download"


IMAGES = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".webp": "image/webp",
}
RENDERED = (Look.NOTEBOOK, Look.WEBPAGE, Look.TEXT)
LOOKS = {
    ".ipynb": Look.NOTEBOOK,
    ".html": Look.WEBPAGE,
    ".htm": Look.WEBPAGE,
    **dict.fromkeys(IMAGES, Look.IMAGE),
    **dict.fromkeys(LANGUAGES, Look.TEXT),
}


def look_of(path: str, size: int) -> Look:
    """Return how a file of so many bytes is looked at: large and unknown ones are downloads.

    >>> look_of("ps1.ipynb", 1), look_of("data.parquet", 1)
    (<Look.NOTEBOOK: 'notebook'>, <Look.DOWNLOAD: 'download'>)
    """
    look = LOOKS.get(PurePosixPath(path).suffix.lower(), Look.DOWNLOAD)
    if look is Look.IMAGE:
        return look
    return look if settings.NGSHARE_RENDERERS and size <= settings.NGSHARE_RENDERING_SIZE else Look.DOWNLOAD


def render(entry: FileEntry, *, person: str, beside: FileSet | None = None) -> bytes:
    """Return the file as a piece of HTML, which is to be shown under POLICY alone.

    Its pictures may lie beside it, also in another file set; lost ones are left out. `person` is who waits for it.
    Errors: Busy, Unreadable, TooCostly, TooLarge, BytesLost, StoreUnreachable.
    """
    look = look_of(entry.path, entry.blob.size)
    if look not in RENDERED:
        raise TooLarge(_("This file cannot be shown here."))
    pictures = [] if look is Look.TEXT else list(_find_pictures(entry, beside))
    try:
        return _render(entry, look, pictures, person)
    except BytesLost:
        lost = reading.find_lost(each.blob for _path, each in pictures)
        return _render(entry, look, [(path, each) for path, each in pictures if each.blob not in lost], person)


def _render(entry: FileEntry, look: Look, pictures: list[tuple[str, FileEntry]], person: str) -> bytes:
    language = LANGUAGES.get(PurePosixPath(entry.path).suffix.lower(), "text")
    names = json.dumps([[path, IMAGES[PurePosixPath(path).suffix.lower()], each.blob.size] for path, each in pictures])
    entries = [entry, *(each for _path, each in pictures)]
    notes = json.dumps({name: _(text) for name, text in NOTES.items()} if look is Look.NOTEBOOK else {})
    key = ":".join((look, language, names, notes, *(each.blob.sha256 for each in entries)))
    options = {"task": look.value, "language": language, "size": str(entry.blob.size), "pictures": names}
    return _cached(key, entries, person, **options, notes=notes)


def _find_pictures(document: FileEntry, beside: FileSet | None) -> Iterator[tuple[str, FileEntry]]:
    """Yield the pictures that a document may show, with their paths as it names them: not too many, nor too large."""
    file_sets = {document.file_set_id, beside.pk if beside else document.file_set_id}
    suffixes = Q(*(Q(path__iendswith=suffix) for suffix in IMAGES), _connector=Q.OR)
    rows = FileEntry.objects.filter(suffixes, file_set__in=file_sets, blob__size__lte=LARGEST_PICTURE)
    room = LARGEST_PICTURE
    for entry in rows.select_related("blob").order_by("file_set", "position")[:MOST_PICTURES]:
        room -= entry.blob.size
        if room >= 0:
            yield posixpath.relpath(entry.path, posixpath.dirname(document.path) or "."), entry


def compare(before: FileEntry, after: FileEntry, *, person: str) -> list[dict[str, Any]]:
    """Return what changed in a file: the fields of differences.Part. Nothing of it is HTML.

    Errors: as for render.
    """
    look = look_of(after.path, before.blob.size + after.blob.size)
    if look not in RENDERED:
        raise TooLarge(_("Files of this kind or size are not compared here."))
    key = f"difference:{look}:{before.blob.sha256}:{after.blob.sha256}"
    options = {"task": "difference", "kind": look.value, "start": str(before.blob.size)}
    parts: list[dict[str, Any]] = json.loads(_cached(key, [before, after], person, **options))
    for part in parts:
        _translate(part)
    return parts


def _translate(part: dict[str, Any]) -> None:
    """Put the words of a part of a difference, which is kept for all readers, into the reader's language."""
    if part["kind"] in CELLS:
        part["title"] = CELLS[part["kind"]] % {"number": part["number"]}
    for line in part["lines"]:
        if line["left_out"]:
            line["text"] = LEFT_OUT[line["left_out"]] % {"count": line["count"]}


def _cached(key: str, entries: list[FileEntry], person: str, **options: str) -> bytes:
    kept = caches["renderings"]
    key = hashlib.sha256(key.encode()).hexdigest()
    if (found := kept.get(key)) is not None:
        failure, content = found
        if failure:
            raise FAILURES[failure]
        return bytes(content)
    reading.require_files(entries)
    try:
        content = sandbox().run(chain.from_iterable(reading.read(entry.blob) for entry in entries), person, **options)
    except (Unreadable, TooCostly) as error:
        kept.set(key, (type(error).__name__, b""), FAILED_SECONDS)
        raise
    if len(content) <= LARGEST_KEPT:
        kept.set(key, ("", content), KEPT_SECONDS)
    return content


@cache
def sandbox() -> Sandbox:
    return Sandbox()
