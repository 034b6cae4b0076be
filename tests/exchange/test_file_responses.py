"""Responses with uploaded files: whatever was uploaded, it does nothing in the browser that shows it."""

import pytest

from exchange import file_responses, services
from exchange.models import FileEntry
from exchange.storage.archives import ArchiveFolder
from tests import cast

SCRIPT = b"<script>fetch('/admin/')</script>"


@pytest.fixture
def entries(assignment):
    """The files of a submission: {path: entry}."""
    files = {"page.html": SCRIPT, "page.htm": SCRIPT, "figure.svg": SCRIPT, "notes.txt": SCRIPT, "figure.png": b"png"}
    submission = services.submit(assignment, cast.upload(files), by=cast.actor("bob"))[0]
    return {entry.path: entry for entry in FileEntry.objects.filter(file_set=submission.file_set)}


def policy_of(response):
    return {part.strip() for part in response.headers["Content-Security-Policy"].split(";")}


@pytest.mark.parametrize("path", ["page.html", "page.htm", "figure.svg", "notes.txt", "figure.png"])
@pytest.mark.parametrize("respond", [file_responses.open_file, file_responses.download_file])
def test_file_is_sent_sandboxed_without_sources_and_unguessed(entries, path, respond):
    headers = respond(entries[path]).headers
    assert policy_of(respond(entries[path])) == {
        "sandbox", "default-src 'none'", "style-src 'unsafe-inline'", "img-src data:", "font-src data:",
    }  # fmt: skip
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert headers["Cache-Control"] == "private, no-cache"


def test_zip_is_sent_sandboxed_and_as_a_download(submission):
    folder = ArchiveFolder(submission.file_set, "bob", submission.created)
    response = file_responses.download_zip([folder], "bob/ps1")
    assert "sandbox" in policy_of(response)
    assert response.headers["Content-Disposition"] == 'attachment; filename="bob ps1.zip"'


@pytest.mark.parametrize(
    ("path", "content_type", "disposition"),
    [
        ("page.html", "text/html; charset=utf-8", "inline"),
        ("figure.png", "image/png", "inline"),
        ("notes.txt", "text/plain; charset=utf-8", "inline"),
        ("figure.svg", "application/octet-stream", "attachment"),
    ],
)
def test_only_harmless_types_are_shown(entries, path, content_type, disposition):
    response = file_responses.open_file(entries[path])
    assert response.headers["Content-Type"] == content_type
    assert response.headers["Content-Disposition"] == f'{disposition}; filename="{path}"'


def test_page_is_only_downloaded_where_a_download_was_asked_for(entries):
    response = file_responses.download_file(entries["page.html"])
    assert response.headers["Content-Type"] == "application/octet-stream"
    assert response.headers["Content-Disposition"] == 'attachment; filename="page.html"'
