"""What the page of an assignment says about deadlines, to students and staff."""

from datetime import timedelta

import pytest
from django.utils import timezone

from exchange import services
from exchange.models import Submission
from tests import cast

PAGE = "/view/course/NBG%20101/ps1/"


@pytest.fixture
def set_deadlines(assignment):
    def change(**changes):
        services.set_deadlines(assignment, changes, by=cast.actor("alice"))

    return change


@pytest.fixture
def extend(assignment):
    def grant(username, **values):
        services.grant_extensions(assignment, [services.Grant(username, **values)], by=cast.actor("alice"))

    return grant


def text(answer):
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def local(moment):
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def test_student_sees_their_own_deadlines_and_that_they_were_extended(set_deadlines, extend, browser):
    due = timezone.now() + timedelta(days=1)
    set_deadlines(due=due, cut_off=due + timedelta(days=1), max_attempts=3)
    extend("bob", due=due + timedelta(days=5), reason="illness")
    bobs, daves = text(browser("bob").get(PAGE)), text(browser("dave").get(PAGE))
    assert f'{local(due + timedelta(days=5))} <strong>in 5 days</strong> <span class="tag good">extended</span>' in bobs
    assert local(due) in daves and local(due + timedelta(days=1)) in daves and "extended" not in daves


def test_page_says_how_far_away_the_due_date_is(set_deadlines, browser):
    set_deadlines(due=timezone.now() + timedelta(hours=3, minutes=30))
    assert "<strong>in 3 hours</strong>" in text(browser("bob").get(PAGE))


@pytest.mark.parametrize("page", [PAGE, "/"])
def test_why_something_was_extended_is_not_shown_to_students(assignment, set_deadlines, extend, browser, page):
    due = timezone.now() + timedelta(days=1)
    set_deadlines(due=due)
    extend("bob", due=due + timedelta(days=5), reason="illness")
    assignment.course.memberships.filter(user__username="dave").update(section="A")
    section = services.Grant(section="A", due=due + timedelta(days=6), reason="the lab burnt down")
    services.grant_extensions(assignment, [section], by=cast.actor("alice"))
    for student in ("bob", "dave"):
        shown = text(browser(student).get(page))
        assert "illness" not in shown and "burnt" not in shown and "extended" in shown


def test_what_was_extended_is_marked_and_nothing_else(set_deadlines, extend, browser):
    due = timezone.now() + timedelta(days=1)
    set_deadlines(due=due, max_attempts=3)
    extend("bob", attempts=2)
    bobs = text(browser("bob").get(PAGE))
    assert '<dd>5 of 5 left <span class="tag good">extended</span></dd>' in bobs
    assert f"<dd>{local(due)} <strong>in 23 hours</strong></dd>" in bobs
    set_deadlines(cut_off=due + timedelta(days=1))
    extend("bob", cut_off=due + timedelta(days=2))
    bobs = text(browser("bob").get(PAGE))
    assert f'<dd>{local(due + timedelta(days=2))} <span class="tag good">extended</span>' in bobs
    assert f"<dd>{local(due)} <strong>in 23 hours</strong></dd>" in bobs and "<dd>3 of 3 left</dd>" in bobs


def test_student_sees_attempts_left_and_the_policy_for_late_work(course, submission, set_deadlines, browser):
    due = submission.created + timedelta(days=1)
    set_deadlines(due=due, cut_off=due + timedelta(days=1), max_attempts=3)
    course.late_days = 4
    course.save()
    page = text(browser("bob").get(PAGE))
    assert "2 of 3 left" in page and "submit it in JupyterLab" in page
    assert (
        "Submissions after the due date are accepted until the cut-off and marked as late" in page
        and "4 late days" in page
    )


def test_what_is_in_the_trash_is_no_attempt(submission, set_deadlines, browser):
    set_deadlines(max_attempts=3)
    Submission.objects.update(withdrawn_at=timezone.now())
    assert "3 of 3 left" in text(browser("bob").get(PAGE))


def test_closed_assignment_says_so(set_deadlines, browser):
    past = timezone.now() - timedelta(hours=1)
    set_deadlines(due=past, cut_off=past)
    page = text(browser("bob").get(PAGE))
    assert "closed" in page and "Nothing is accepted after the due date." in page
    assert "submit it in JupyterLab" not in page and "Nothing is accepted after it." not in page


def test_staff_see_deadlines_and_number_of_extensions_with_the_way_to_them(assignment, set_deadlines, extend, browser):
    due = timezone.now() + timedelta(days=1)
    set_deadlines(due=due, release_at=due - timedelta(days=2))
    extend("bob", due=due + timedelta(days=5))
    page = text(browser("gina").get(PAGE))
    assert local(due - timedelta(days=2)) in page
    assert f'<a href="{PAGE}deadlines/#extensions">1: see them</a>' in page
    assert f'<a href="{PAGE}deadlines/#extensions">1: see and change them</a>' in text(browser("alice").get(PAGE))
    assert "deadlines/" not in text(browser("bob").get(PAGE))


def test_grader_is_offered_extensions_where_they_may_grant_them(assignment, browser, settings):
    assert "<dt>Extensions</dt><dd>none</dd>" in text(browser("gina").get(PAGE))
    settings.NGSHARE_GRADERS_MAY_EXTEND = True
    for who in ("gina", "alice"):
        assert f'<a href="{PAGE}deadlines/#grant">none yet: grant one</a>' in text(browser(who).get(PAGE))


@pytest.mark.parametrize("page", [PAGE, "/"])
def test_staff_see_that_students_do_not_see_it_yet(set_deadlines, browser, page):
    assert "to be released" not in text(browser("gina").get(page))
    soon = timezone.now() + timedelta(days=1)
    set_deadlines(release_at=soon)
    shown = text(browser("gina").get(page))
    assert "to be released" in shown and local(soon) in shown
    assert (f"will be released on {local(soon)}" in shown) is (page == "/")


def test_receipt_is_shown_in_the_time_zone_of_the_course(course, submission, set_deadlines, browser):
    course.timezone = "Asia/Tokyo"
    course.save()
    page = text(browser("bob").get(f"/view/submission/{submission.pk}/"))
    tokyo = submission.created.astimezone(course.zone)
    assert f"<dt>Time</dt><dd>{tokyo:%Y-%m-%d %H:%M:%S} JST</dd>" in page


def test_solution_is_linked_and_sent_once_it_is_theirs(assignment, set_deadlines, extend, browser):
    services.set_solution(assignment, cast.upload({"solution.ipynb": b"{}"}), by=cast.actor("alice"))
    past = timezone.now() - timedelta(hours=1)
    set_deadlines(due=past)
    extend("bob", due=past + timedelta(days=1))
    for who, status in [("dave", 200), ("gina", 200), ("bob", 404), ("carol", 404)]:
        assert browser(who).get(f"{PAGE}solution.zip").status_code == status
    assert "solution.zip" in text(browser("dave").get(PAGE))
    assert "solution.zip" not in text(browser("bob").get(PAGE))


def test_solution_of_an_unreleased_assignment_is_for_nobody_who_submitted(submission, set_deadlines, browser):
    services.set_solution(submission.assignment, cast.upload({"solution.ipynb": b"{}"}), by=cast.actor("alice"))
    set_deadlines(due=timezone.now() - timedelta(hours=1))
    bob = browser("bob")
    assert bob.get(f"{PAGE}solution.zip").status_code == 200
    services.unrelease(submission.assignment, by=cast.actor("alice"))
    assert bob.get(f"{PAGE}solution.zip").status_code == 404
    page = text(bob.get(PAGE))
    assert "This assignment was unreleased" in page and "solution.zip" not in page
