"""The page that checks a receipt, and finds a submission by its short code."""

import io
import json
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from courses import services as course_services
from courses.permissions import SERVER
from exchange import receipts
from exchange.models import Submission
from tests import cast

PAGE = "/view/receipt/"


@pytest.fixture
def receipt(submission):
    return receipts.receipt(submission)


def check(browser, text="", file=None):
    sent = {"text": text} if file is None else {"text": text, "file": io.BytesIO(file)}
    before = cast.everything()
    reply = browser.post(PAGE, sent)
    assert cast.everything() == before
    return reply


def test_page_asks_for_a_log_in(receipt, client):
    assert client.get(PAGE).status_code == 302
    assert client.post(PAGE, {"text": json.dumps(receipt)}).status_code == 302


def test_page_is_linked_and_has_a_form_that_works_without_a_script(submission, browse):
    bob = browse("bob")
    assert PAGE in bob.get("/").content.decode()
    assert PAGE in bob.get(f"/view/submission/{submission.pk}/").content.decode()
    text = bob.get(PAGE).content.decode()
    assert 'type="file"' in text and "<textarea" in text and "public keys" in text


@pytest.mark.parametrize("options", [{}, {"indent": 2}, {"ensure_ascii": False}])
def test_genuine_receipt_is_shown_in_words_with_a_link(submission, receipt, browse, options):
    text = json.dumps(receipt, **options)
    for reply in (check(browse("bob"), text.replace("\n", "\r\n")), check(browse("bob"), file=text.encode())):
        page = reply.content.decode()
        assert reply.status_code == 200 and '<span class="tag good">genuine</span>' in page
        assert "ps1 in NBG 101" in page and receipt["code"] in page and receipt["digest"] in page
        assert "no due date" in page and f'href="/view/submission/{submission.pk}/"' in page


def test_receipt_says_whether_the_submission_was_in_time(submission, browse):
    for minutes, words in ((1, "in time"), (0, "in time"), (-1, "1 min late"), (-90, "1 h 30 min late")):
        Submission.objects.update(due=submission.created + timedelta(minutes=minutes), receipt="")
        receipt = receipts.receipt(Submission.objects.get())
        assert f"({words})" in check(browse("bob"), json.dumps(receipt)).content.decode()


def test_who_may_not_see_the_submission_gets_no_link(submission, receipt, browse):
    page = check(browse("dave"), json.dumps(receipt)).content.decode()
    assert '<span class="tag good">genuine</span>' in page and f"/view/submission/{submission.pk}/" not in page


@pytest.mark.parametrize(
    ("change", "state"),
    [
        ({"student": "mallory"}, "changed"),
        ({"key": "0123456789abcdef"}, "unknown key"),
        ({"grade": 100}, "no receipt"),
    ],
)
def test_what_is_not_genuine_says_so_and_shows_nothing_of_it(receipt, browse, change, state):
    page = check(browse("bob"), json.dumps(receipt | change)).content.decode()
    assert f'<span class="tag warn">{state}</span>' in page
    assert "mallory" not in page.split("<form")[1].split("<textarea")[0] and "Open the submission" not in page


@pytest.mark.parametrize("file", [b"", b"\xff\xfe\x00", b"[]", b"{", b'{"id": 1, "id": 2}', b"\x89PNG" * 100])
def test_other_files_are_no_receipts(receipt, browse, file):
    page = check(browse("bob"), file=file).content.decode()
    assert "no receipt" in page or "Choose a file" in page


def test_file_that_is_too_large_is_refused(receipt, browse):
    assert "16384 bytes at most" in check(browse("bob"), file=b"x" * 20_000).content.decode()


# Short codes


def test_short_code_opens_the_submission(submission, receipt, browse):
    for typed in (receipt["code"], receipt["code"].lower().replace("-", " ")):
        for name in ("bob", "alice", "root"):
            reply = check(browse(name), typed)
            assert (reply.status_code, reply.url) == (302, f"/view/submission/{submission.pk}/")


def test_short_code_of_somebody_elses_submission_is_as_one_of_none(submission, receipt, browse):
    said = check(browse("dave"), receipt["code"]).content.decode()
    Submission.objects.update(code=None)
    assert f"There is no submission {receipt['code']}, or it is not for you to see." in said
    assert "or it is not for you to see." in check(browse("bob"), receipt["code"]).content.decode()


def test_students_find_their_own_of_a_course_in_the_trash(submission, receipt, browse):
    course_services.trash_course(submission.assignment.course, by=SERVER)
    assert check(browse("bob"), receipt["code"]).url == f"/view/submission/{submission.pk}/"
    assert f"/view/submission/{submission.pk}/" in check(browse("bob"), json.dumps(receipt)).content.decode()
    assert "or it is not for you to see." in check(browse("alice"), receipt["code"]).content.decode()


def test_times_are_in_the_zone_that_the_page_names(submission, receipt, browse, settings):
    settings.NGSHARE_TIME_ZONE = "Asia/Kolkata"
    page = check(browse("bob"), json.dumps(receipt)).content.decode()
    there = submission.created.astimezone(ZoneInfo("Asia/Kolkata"))
    assert f"{there:%Y-%m-%d %H:%M:%S} IST" in page and "UTC" not in page


def test_typing_error_in_a_short_code_is_noticed(receipt, browse):
    wrong = ("2" if receipt["code"][0] != "2" else "3") + receipt["code"][1:]
    assert "Is a character of it wrong?" in check(browse("bob"), wrong).content.decode()
