"""Extensions as files in the admin: shown first, granted all or none."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from courses.models import AuditEntry
from exchange import services
from exchange.models import Extension
from tests import cast
from tests.cast import everything

DUE = datetime(2031, 7, 1, 10, tzinfo=UTC)
LINE = b"username,due,reason\nbob,2040-01-01T12:00,ill\n"


def page(assignment):
    return f"/admin/exchange/assignment/{assignment.pk}/extensions/import/"


def csv_of(assignment):
    return f"/admin/exchange/assignment/{assignment.pk}/extensions.csv"


def upload(content):
    return {"file": SimpleUploadedFile("extensions.csv", content)}


def sent_again(answer):
    return {**answer.context["seen_form"].initial}


@pytest.fixture(autouse=True)
def late(submission, assignment):
    services.set_due_date(assignment, submission.created - timedelta(hours=1), by=cast.actor("alice"))


def test_import_shows_whose_state_changes_and_then_grants(assignment, browser):
    alice, before = browser("alice"), everything()
    shown = alice.post(page(assignment), upload(LINE))
    text = shown.content.decode()
    assert "bob: late → submitted" in text and "2040-01-01 12:00 UTC" in text and "ill" in text
    assert everything() == before
    assert alice.post(page(assignment), sent_again(shown)).status_code == 302
    assert assignment.extensions.get().granted_by == cast.person("alice")


def test_one_bad_line_and_nothing_is_granted(assignment, browser):
    before = everything()
    answer = browser("alice").post(page(assignment), upload(LINE + b"erin,2040-01-01,\n"))
    assert "Line 3, column username: erin is not a member of NBG 101." in answer.content.decode()
    assert everything() == before


def test_states_that_changed_meanwhile_are_shown_again(assignment, browser):
    alice = browser("alice")
    shown = alice.post(page(assignment), upload(LINE + b"dave,2040-01-01T00:00,\n"))
    cast.submit(assignment, "dave")
    before = everything()
    again = alice.post(page(assignment), sent_again(shown))
    assert again.status_code == 200 and "dave: late → submitted" in again.content.decode()
    assert everything() == before


@pytest.mark.parametrize(("who", "status"), [("gina", 403), ("bob", 302), ("carol", 404), ("erin", 302)])
def test_only_those_who_may_extend_import(assignment, browser, who, status):
    before = everything()
    assert browser(who).post(page(assignment), upload(LINE)).status_code == status
    assert browser(who).post(page(assignment), {"text": LINE.decode(), "seen": ""}).status_code == status
    assert everything() == before


def test_grader_imports_where_the_setting_says_so(assignment, browser, settings):
    settings.NGSHARE_GRADERS_MAY_EXTEND = True
    gina = browser("gina")
    assert gina.post(page(assignment), sent_again(gina.post(page(assignment), upload(LINE)))).status_code == 302
    assert Extension.objects.get().granted_by == cast.person("gina")


def test_download_is_for_staff_and_in_the_log(assignment, browser):
    services.grant_extensions(assignment, [services.Grant("bob", due=DUE + timedelta(days=1))], by=cast.actor("alice"))
    answer = browser("gina").get(csv_of(assignment))
    text = b"".join(answer.streaming_content).decode()
    assert text.startswith("\ufeffusername,section,due,cut_off,attempts,reason\r\nbob,,2031-07-02T10:00:00+00:00")
    assert AuditEntry.objects.filter(action="download extensions", actor="gina").exists()
    assert browser("bob").get(csv_of(assignment)).status_code == 302
    assert browser("carol").get(csv_of(assignment)).status_code == 404
