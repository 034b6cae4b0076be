"""Returning feedback from the pages: a zip, which is looked at first, and pages on one attempt."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from exchange.models import Feedback
from tests import cast
from tests.exchange.importers.test_feedback_archive import PAGE, make_zip
from tests.ngshare_site.portal.staff.conftest import words


def upload(name, content):
    return SimpleUploadedFile(name, content)


def send_zip(browser, page, files):
    return browser.post(page("feedback/"), {"file": upload("feedback.zip", make_zip(files).getvalue())})


def test_zip_is_shown_and_then_returned(submission, browse, page):
    gina = browse("gina")
    reply = send_zip(gina, page, {"feedback/bob/ps1/ps1.html": PAGE, "feedback/dave/ps1/ps1.html": PAGE, "x.txt": b""})
    assert reply.status_code == 302 and not Feedback.objects.exists()
    said = words(gina.get(reply.url))
    assert "Return feedback to 1 student?" in said and "1 file in the zip is no page of feedback" in said
    assert "the latest will be returned" in said and "not returned This student has not submitted." in said
    assert not Feedback.objects.exists()
    assert gina.post(reply.url).url == page()
    said = words(gina.get(page()))
    assert "Feedback is returned to 1 student." in said and "Nothing was returned to dave." in said
    assert Feedback.objects.get().submission == submission
    # A second click, Back and reload
    assert "Feedback is returned to 1 student." in words(gina.post(reply.url, follow=True))
    assert "The feedback is returned" in words(gina.get(reply.url)) and Feedback.objects.count() == 1


def test_zip_without_feedback_says_so(submission, browse, page):
    gina = browse("gina")
    reply = send_zip(gina, page, {"feedback/bob/ps2/ps2.html": PAGE})
    assert "There is no feedback to return" in words(gina.get(reply.url))


def test_what_is_no_zip_is_said_beside_the_form(submission, browse, page):
    gina = browse("gina")
    assert "This is no zip file." in words(gina.post(page("feedback/"), {"file": upload("x.zip", b"no")}))
    assert "This field is required." in words(gina.post(page("feedback/")))


def test_zip_that_is_gone_is_asked_for_again(submission, browse, page):
    gina = browse("gina")
    reply = send_zip(gina, page, {"bob/ps1/ps1.html": PAGE})
    assert browse("alice").get(reply.url, follow=True).redirect_chain[-1][0] == page("feedback/")
    assert "There is no such upload" in words(browse("alice").post(reply.url, follow=True))
    assert not Feedback.objects.exists()


def test_pages_are_returned_on_one_attempt(submission, browse, page):
    newer = cast.submit(submission.assignment, "bob", more=b"more")
    gina = browse("gina")

    def send():
        files = [upload("b.html", b"b"), upload("a.html", b"a")]
        return gina.post(page("feedback/of/bob"), {"attempt": submission.pk, "pages": files}, follow=True)

    for _ in range(2):
        assert "Feedback is returned to bob." in words(send())
    feedback = Feedback.objects.get()
    assert feedback.submission == submission != newer
    assert [(entry.path, entry.blob.size) for entry in feedback.file_set.entries.all()] == [
        ("a.html", 1),
        ("b.html", 1),
    ]


@pytest.mark.parametrize(
    ("name", "sentence"),
    [("grades.ods", "grades.ods is no page"), ("", "This field is required"), ("ps1.html", "")],
)
def test_wrong_pages_are_refused_with_a_sentence(submission, browse, page, name, sentence):
    files = [upload(name, b"x"), upload(name, b"x")] if name else []
    reply = browse("gina").post(page("feedback/of/bob"), {"attempt": submission.pk, "pages": files}, follow=True)
    assert sentence in words(reply) and 'class="notice error"' in reply.content.decode()
    assert not Feedback.objects.exists()


def test_attempt_of_somebody_else_is_no_choice(submission, browse, page):
    sent = {"attempt": submission.pk, "pages": [upload("ps1.html", PAGE)]}
    reply = browse("gina").post(page("feedback/of/dave"), sent, follow=True)
    assert "not one of the available choices" in words(reply) and not Feedback.objects.exists()


@pytest.mark.parametrize("who", ["bob", "carol", "erin"])
def test_feedback_is_returned_by_staff_alone(submission, browse, page, who):
    other = browse(who)
    assert send_zip(other, page, {"bob/ps1/ps1.html": PAGE}).status_code == 404
    sent = {"attempt": submission.pk, "pages": [upload("ps1.html", PAGE)]}
    assert other.post(page("feedback/of/bob"), sent).status_code == 404 and not Feedback.objects.exists()


def test_larger_bodies_are_for_files_alone(submission, browse, page, settings):
    settings.NGSHARE_MAX_SUBMISSION_SIZE = 500_000
    gina = browse("gina")
    reply = gina.post(page("feedback/"), {"file": upload("x.zip", b"x" * 450_000)})
    assert reply.status_code == 200 and "no zip" in words(reply)
    assert gina.post(page("feedback/"), {"file": upload("x.zip", b"x" * 600_000)}).status_code == 413


class Untouched:
    """A body that nobody may read."""

    def read(self, *arguments):
        raise AssertionError("The body is read.")

    readline = read


@pytest.mark.parametrize(("who", "address"), [("bob", "feedback/"), ("carol", "feedback/"), ("bob", "feedback/of/bob")])
def test_body_of_who_may_not_is_not_read(submission, page, who, address):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(cast.person(who))
    kind = "multipart/form-data; boundary=x"
    more = {"wsgi.input": Untouched(), "CONTENT_LENGTH": "1000000", "CONTENT_TYPE": kind}
    assert browser.generic("POST", page(address), **more).status_code == 404


def test_forged_form_of_staff_is_refused(submission, page):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(cast.person("gina"))
    sent = {"attempt": submission.pk, "pages": [upload("ps1.html", PAGE)]}
    assert browser.post(page("feedback/of/bob"), sent).status_code == 403 and not Feedback.objects.exists()
