"""Pages show times in the zone of their course, and name it; everything else stays in UTC."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from exchange import services
from tests import cast

DUE = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)  # the first 02:30 of that night in Berlin
PORTAL = "/view/course/NBG%20101/ps1/"


@pytest.fixture(autouse=True)
def due(assignment):
    services.set_due_date(assignment, DUE, by=cast.actor("alice"))


@pytest.fixture
def in_berlin(course):
    course.timezone = "Europe/Berlin"
    course.save()
    return course


def text(answer):
    assert answer.status_code == 200
    return answer.content.decode()


def admin_pages(assignment):
    return [
        f"/admin/exchange/assignment/?course={assignment.course_id}",
        f"/admin/exchange/assignment/{assignment.pk}/change/",
        f"/admin/exchange/assignment/{assignment.pk}/history/",
        f"/admin/exchange/assignment/status/{assignment.course_id}/",
        f"/admin/exchange/submission/?course={assignment.course_id}",
        f"/admin/courses/course/{assignment.course_id}/change/",
    ]


def test_portal_shows_the_zone_of_the_course(in_berlin, browser):
    page = text(browser("bob").get(PORTAL))
    assert "2026-10-25 02:30 CEST" in page and "Times are in Europe/Berlin." in page


def test_page_of_a_submission_shows_the_zone_of_the_course(in_berlin, submission, browser):
    page = text(browser("bob").get(f"/view/submission/{submission.pk}/"))
    assert f"{timezone.localtime(submission.created, in_berlin.zone):%Y-%m-%d %H:%M:%S %Z}" in page


def test_start_page_shows_each_course_in_its_zone(in_berlin, browser):
    assert "2026-10-25 02:30 CEST" in text(browser("bob").get("/"))


def test_pages_of_the_admin_name_the_zone_of_the_course(in_berlin, submission, assignment, browser):
    alice = browser("alice")
    for page in admin_pages(assignment):
        shown = text(alice.get(page))
        assert "CET" in shown or "CEST" in shown or "Europe/Berlin" in shown, page
        # The name of a submission is its instant in UTC, as nbgrader has it.
        assert not re.search(r"\d UTC", shown.replace(str(submission), "")), page


def test_course_without_a_zone_has_that_of_the_site(settings, assignment, browser):
    settings.NGSHARE_TIME_ZONE = "Asia/Kolkata"
    assert "2026-10-25 06:00 IST" in text(browser("bob").get(PORTAL))
    assert "2026-10-25 06:00 IST" in text(browser("alice").get("/admin/exchange/assignment/"))


def test_zone_ends_with_the_page(in_berlin, browser):
    browser("bob").get(PORTAL)
    assert timezone.get_current_timezone_name() == "UTC"


def test_apis_stay_in_utc(in_berlin, settings):
    settings.NGSHARE_STANDALONE = True
    settings.NGSHARE_TIME_ZONE = "Asia/Kolkata"
    answer = cast.client("bob").get(cast.of_assignment())
    assert answer.json()["due"] == "2026-10-25T00:30:00.000000Z"


def test_chart_has_the_zone_of_the_page(in_berlin, submission, assignment, browser):
    services.set_due_date(assignment, submission.created + timedelta(days=1), by=cast.actor("alice"))
    local = timezone.localtime(submission.created, in_berlin.zone)
    assert f"The first came {local:%Y-%m-%d %H:%M %Z}" in text(browser("alice").get(PORTAL))
