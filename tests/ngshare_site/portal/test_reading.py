"""Files read in the browser: who reads which, how, and in which rights."""

from base64 import b64encode

import pytest
from django.conf import settings
from django.core.cache import caches
from django.db import connection
from django.test.utils import CaptureQueriesContext

from exchange import services
from exchange.rendering import documents
from exchange.rendering.sandbox import Busy
from exchange.storage import blobs
from tests import cast
from tests.cast import actor, everything
from tests.exchange.rendering.notebooks import code, hostile_html, markdown, notebook

FILES = {
    "ps1.ipynb": notebook(markdown("# My answer\n\n$x^2$"), code("print(7)")),
    "broken.ipynb": b"no notebook",
    "code/helper.py": b"import os\n",
    "picture.png": b"\x89PNG",
    "model.bin": b"\x00\x01",
    "page.html": b"<title>T</title><p>My page <script>alert(1)</script>",
}


@pytest.fixture
def submission(assignment):
    return services.submit(assignment, cast.upload(FILES), by=actor("bob"))[0]


@pytest.fixture
def feedback(submission):
    return cast.return_feedback(submission, "alice")


@pytest.fixture
def release(assignment):
    return assignment.releases.get()


def file(obj, path, look=""):
    return f"/view/{obj._meta.model_name}/{obj.pk}/file/{path}" + (f"?as={look}" if look else "")


def returned(submission, look="", path="ps1.html"):
    return f"/view/submission/{submission.pk}/feedback/{path}" + (f"?as={look}" if look else "")


def text_of(browser, address, status=200):
    reply = browser.get(address)
    assert reply.status_code == status
    return reply.content.decode()


# Who


@pytest.mark.parametrize("look", ["", "document", "file"])
@pytest.mark.parametrize(
    ("who", "status"),
    [("bob", 200), ("gina", 200), ("alice", 200), ("root", 200), ("dave", 404), ("carol", 404), ("erin", 404)],
)
def test_files_and_feedback_are_for_the_student_and_staff(submission, feedback, browse, who, status, look):
    browser, before = browse(who), everything()
    for address in (file(submission, "ps1.ipynb", look), returned(submission, look)):
        assert browser.get(address).status_code == status
    assert everything() == before


@pytest.mark.parametrize("look", ["", "document", "file"])
@pytest.mark.parametrize(
    ("who", "status"),
    [("bob", 200), ("dave", 200), ("gina", 200), ("alice", 200), ("root", 200), ("carol", 404), ("erin", 404)],
)
def test_release_is_for_the_members_of_its_course(release, browse, who, status, look):
    browser = browse(who)
    assert browser.get(file(release, "data/numbers.csv", look)).status_code == status
    assert browser.get(f"/view/release/{release.pk}/").status_code == status


@pytest.mark.parametrize(("who", "status"), [("bob", 404), ("gina", 200), ("alice", 200)])
def test_earlier_and_unreleased_releases_are_for_staff(assignment, release, browse, who, status):
    later = services.release(assignment.course, "ps1", cast.upload({"ps1.ipynb": b"2"}), by=actor("alice"), force=True)
    browser = browse(who)
    assert browser.get(f"/view/release/{release.pk}/").status_code == status
    assert browser.get(f"/view/release/{later.pk}/").status_code == 200
    services.unrelease(assignment, by=actor("alice"))
    assert browser.get(f"/view/release/{later.pk}/").status_code == status


def test_nobody_reads_without_a_log_in(submission, feedback, release, client):
    for address in (file(submission, "ps1.ipynb"), returned(submission, "document"), file(release, "ps1.ipynb")):
        assert client.get(address).status_code == 302


@pytest.mark.parametrize("path", ["other.ipynb", "../ps1.ipynb", "data/numbers.csv"])
def test_file_that_is_not_there_is_a_404(submission, browse, path):
    assert browse("bob").get(file(submission, path)).status_code == 404


# How


def test_page_frames_the_document_without_rights(submission, browse):
    text = text_of(browse("bob"), file(submission, "ps1.ipynb"))
    assert '<iframe class="paper" src="?as=document" sandbox="allow-popups allow-popups-to-escape-sandbox"' in text
    assert f'href="/view/submission/{submission.pk}/">Your submission</a>' in text  # the way back
    assert "My answer" not in text


@pytest.mark.parametrize(
    ("who", "names"),
    [("bob", ["Your submission", "Your feedback"]), ("alice", ["Submitted by bob", "Feedback for bob"])],
)
def test_student_is_not_named_to_themself(submission, feedback, browse, who, names):
    pages = (file(submission, "ps1.ipynb"), f"/view/submission/{submission.pk}/changes/", returned(submission))
    texts = [text_of(browse(who), page) for page in pages]
    assert [f">{name}</a>" in text for name, text in zip([names[0], *names], texts, strict=True)] == [True] * 3


def test_picture_can_be_opened_and_downloaded(assignment, browse):
    made, _ = services.submit(assignment, cast.upload({"plot.png": b"\x89PNG"}), by=actor("bob"))
    text = text_of(browse("bob"), file(made, "plot.png"))
    assert 'href="?as=file">Open the picture</a>' in text and 'href="?as=file" download>Download ' in text


def test_latest_release_can_be_downloaded_where_it_is_read(assignment, release, browse):
    latest = services.release(assignment.course, "ps1", cast.upload(FILES), by=actor("alice"), force=True)
    texts = [text_of(browse("alice"), f"/view/release/{each.pk}/") for each in (release, latest)]
    assert ["Download the assignment" in text for text in texts] == [False, True]


def test_notebook_is_a_document_with_formulas(submission, browse):
    text = text_of(browse("bob"), file(submission, "ps1.ipynb", "document"))
    assert "<h1>My answer</h1>" in text and "<msup>" in text and 'class="nb">print' in text


def test_picture_beside_a_notebook_is_shown_in_it(assignment, browse):
    text = "![a](a%20b.png) ![up](./../up.png) ![none](none.png) <img src='../../admin/' alt='x'>"
    pictures = {"week/a b.png": b"\x89PNG a", "up.png": b"\x89PNG up"}
    files = {"week/ps1.ipynb": notebook(markdown(text)), **pictures}
    made, _ = services.submit(assignment, cast.upload(files), by=actor("bob"))
    html = text_of(browse("bob"), file(made, "week/ps1.ipynb", "document"))
    for content in pictures.values():
        assert f'src="data:image/png;base64,{b64encode(content).decode()}"' in html
    assert html.count("src=") == 2


def test_picture_of_the_submission_is_shown_in_its_feedback(submission, browse):
    upload = cast.upload({"ps1.html": b'<p><img src="picture.png" alt="a">'})
    item = services.FeedbackItem(upload.manifests[0], submission=submission.pk)
    services.return_feedback(submission.assignment, [item], upload, by=actor("alice"))
    address = f"data:image/png;base64,{b64encode(FILES['picture.png']).decode()}"
    assert address in text_of(browse("bob"), returned(submission, "document"))


def test_large_pictures_beside_a_notebook_are_left_out(assignment, browse, monkeypatch):
    monkeypatch.setattr(documents, "LARGEST_PICTURE", 10)
    files = {"ps1.ipynb": notebook(markdown("![a](a.png) ![b](b.png)")), "a.png": b"1234567", "b.png": b"12345678"}
    made, _ = services.submit(assignment, cast.upload(files), by=actor("bob"))
    assert text_of(browse("bob"), file(made, "ps1.ipynb", "document")).count("src=") == 1


def test_document_has_no_rights(submission, browse):
    headers = browse("bob").get(file(submission, "ps1.ipynb", "document")).headers
    policy = [part.strip() for part in headers["Content-Security-Policy"].split(";")]
    assert policy[0] == "sandbox allow-popups allow-popups-to-escape-sandbox"
    assert {"default-src 'none'", "img-src data:", "form-action 'none'", "frame-ancestors 'self'"} <= set(policy)
    assert not any(part.startswith("script-src") for part in policy)
    assert headers["X-Frame-Options"] == "SAMEORIGIN" and headers["X-DNS-Prefetch-Control"] == "off"
    assert headers["X-Content-Type-Options"] == "nosniff" and "no-store" in headers["Cache-Control"]


def test_code_is_highlighted(submission, browse):
    assert '<span class="kn">import</span>' in text_of(browse("bob"), file(submission, "code/helper.py", "document"))


def test_page_of_html_has_its_text_alone(submission, browse):
    text = text_of(browse("bob"), file(submission, "page.html", "document"))
    assert "My page" in text and "<script" not in text


def test_feedback_is_one_click_from_the_list_of_attempts(submission, feedback, browse):
    bob = browse("bob")
    address = f"/view/submission/{submission.pk}/feedback/"
    assert f'href="{address}">read it</a>' in text_of(bob, f"/view/course/{cast.COURSE}/ps1/")
    assert f'href="{address}">read it</a>' in text_of(bob, "/")
    assert bob.get(address).headers["Location"] == returned(submission)
    assert "well done" in text_of(bob, returned(submission, "document"))


def test_latest_feedback_counts(submission, feedback, browse):
    upload = cast.upload({"ps1.html": b"second"})
    item = services.FeedbackItem(upload.manifests[0], submission=submission.pk)
    services.return_feedback(submission.assignment, [item], upload, by=actor("alice"))
    assert "second" in text_of(browse("bob"), returned(submission, "document"))


def test_no_feedback_is_a_404(submission, browse):
    assert browse("bob").get(f"/view/submission/{submission.pk}/feedback/").status_code == 404


def test_picture_is_shown_in_the_page(submission, browse):
    bob = browse("bob")
    assert '<img src="?as=file" alt="picture.png">' in text_of(bob, file(submission, "picture.png"))
    reply = bob.get(file(submission, "picture.png", "file"))
    assert reply.headers["Content-Type"] == "image/png"
    assert reply.headers["Content-Security-Policy"].startswith("sandbox")


@pytest.mark.parametrize("path", ["ps1.ipynb", "page.html", "code/helper.py", "model.bin"])
def test_file_itself_is_a_download(submission, browse, path):
    reply = browse("bob").get(file(submission, path, "file"))
    assert b"".join(reply.streaming_content) == FILES[path]
    assert reply.headers["Content-Disposition"].startswith("attachment")


def test_odd_file_is_a_download_alone(submission, browse):
    text = text_of(browse("bob"), file(submission, "model.bin"))
    assert "<iframe" not in text and "Download it to open it" in text


def test_large_file_is_a_download_alone(submission, browse, settings):
    settings.NGSHARE_RENDERING_SIZE = 10
    bob = browse("bob")
    assert "<iframe" not in text_of(bob, file(submission, "ps1.ipynb"))
    assert "My answer" not in text_of(bob, file(submission, "ps1.ipynb", "document"))


def test_site_may_render_nothing(submission, browse, settings):
    settings.NGSHARE_RENDERERS = 0
    assert "<iframe" not in text_of(browse("bob"), file(submission, "ps1.ipynb"))


def test_queries_do_not_grow_with_the_files(assignment, browse):
    files = {"ps1.ipynb": FILES["ps1.ipynb"], **{f"data/{number}.txt": b"%d" % number for number in range(60)}}
    many, _ = services.submit(assignment, cast.upload(files), by=actor("bob"))
    few, _ = services.submit(assignment, cast.upload({"ps1.ipynb": FILES["ps1.ipynb"]}), by=actor("bob"))
    bob, counts = browse("bob"), []
    for each in (few, many):
        with CaptureQueriesContext(connection) as asked:
            bob.get(file(each, "ps1.ipynb"))
        counts.append(len(asked))
    assert counts[0] == counts[1]


# What goes wrong


def test_what_is_no_notebook_says_so(submission, browse):
    text = text_of(browse("bob"), file(submission, "broken.ipynb", "document"), status=422)
    assert "not what its name says" in text and "?as=file" in text


def test_busy_site_offers_another_try(submission, browse, monkeypatch):
    def refuse(*args, **options):
        raise Busy("Many documents are being opened just now.")

    caches["renderings"].clear()
    monkeypatch.setattr(documents.sandbox(), "run", refuse)
    text = text_of(browse("bob"), file(submission, "ps1.ipynb", "document"), status=503)
    assert "Many documents" in text and "Try again" in text
    assert f'<a href="{file(submission, "ps1.ipynb")}" target="_blank">Try again</a>' in text


def test_lost_bytes_are_a_410_with_a_sentence(submission, browse):
    caches["renderings"].clear()
    blobs.delete(submission.file_set.entries.get(path="ps1.ipynb").blob.sha256)
    assert "lost the content" in text_of(browse("bob"), file(submission, "ps1.ipynb", "document"), status=410)


def test_lost_picture_is_left_out(assignment, browse):
    files = {"ps1.ipynb": notebook(markdown("![a](a.png) ![b](b.png)")), "a.png": b"\x89PNG a", "b.png": b"\x89PNG b"}
    made, _ = services.submit(assignment, cast.upload(files), by=actor("bob"))
    blobs.delete(made.file_set.entries.get(path="b.png").blob.sha256)
    for _look in ("made", "kept"):
        text = text_of(browse("bob"), file(made, "ps1.ipynb", "document"))
        assert b64encode(b"\x89PNG a").decode() in text and b64encode(b"\x89PNG b").decode() not in text


def test_what_is_kept_has_bounded_bytes(assignment, browse, monkeypatch):
    files = {"large.txt": b"x" * 80 * 15_000, "small.txt": b"x"}
    made, _ = services.submit(assignment, cast.upload(files), by=actor("bob"))
    run, ran = documents.sandbox().run, []
    monkeypatch.setattr(documents.sandbox(), "run", lambda *args, **options: ran.append(1) or run(*args, **options))
    caches["renderings"].clear()
    for path, times in (("small.txt", 1), ("large.txt", 2)):
        ran.clear()
        for _look in range(2):
            text_of(browse("bob"), file(made, path, "document"))
        assert len(ran) == times
    assert settings.CACHES["renderings"]["OPTIONS"]["MAX_ENTRIES"] * documents.LARGEST_KEPT <= 10**9


def test_document_is_rendered_once_for_all(submission, browse, monkeypatch):
    caches["renderings"].clear()
    address = file(submission, "ps1.ipynb", "document")
    first = text_of(browse("bob"), address)
    monkeypatch.setattr(documents.sandbox(), "run", None)
    assert text_of(browse("alice"), address) == first


def test_failure_is_kept_for_a_while(submission, browse, monkeypatch):
    address = file(submission, "broken.ipynb", "document")
    bob = browse("bob")
    first = text_of(bob, address, status=422)
    monkeypatch.setattr(documents.sandbox(), "run", None)
    assert text_of(bob, address, status=422) == first


def test_hostile_page_keeps_its_text(assignment, browse):
    upload = cast.upload({"ps1.html": hostile_html("http://elsewhere.example").encode()})
    hostile, _ = services.submit(assignment, upload, by=actor("bob"))
    text = text_of(browse("bob"), file(hostile, "ps1.html", "document"))
    assert "still here" in text and "<script" not in text and 'src="http' not in text
