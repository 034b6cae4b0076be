"""What the page of an assignment says about deadlines, to students and staff."""

from datetime import timedelta

import pytest
from django.utils import timezone

from exchange import services
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


def test_student_sees_their_own_deadlines_with_the_reason(set_deadlines, extend, browser):
    due = timezone.now() + timedelta(days=1)
    set_deadlines(due=due, cut_off=due + timedelta(days=1), max_attempts=3)
    extend("bob", due=due + timedelta(days=5), reason="illness")
    bobs, daves = text(browser("bob").get(PAGE)), text(browser("dave").get(PAGE))
    assert local(due + timedelta(days=5)) in bobs and "extended: illness" in bobs
    assert local(due) in daves and local(due + timedelta(days=1)) in daves and "illness" not in daves


def test_student_sees_attempts_left_and_the_policy_for_late_work(course, submission, set_deadlines, browser):
    due = submission.created + timedelta(days=1)
    set_deadlines(due=due, cut_off=due + timedelta(days=1), max_attempts=3)
    course.late_days = 4
    course.save()
    page = text(browser("bob").get(PAGE))
    assert "2 of 3 left" in page
    assert "accepted until the cut-off after the due date and marked as late" in page and "4 late days" in page


def test_closed_assignment_says_so(set_deadlines, browser):
    past = timezone.now() - timedelta(hours=1)
    set_deadlines(due=past, cut_off=past)
    page = text(browser("bob").get(PAGE))
    assert "closed" in page and "Nothing is accepted after the due date." in page


def test_staff_see_deadlines_and_number_of_extensions_with_the_way_to_them(assignment, set_deadlines, extend, browser):
    due = timezone.now() + timedelta(days=1)
    set_deadlines(due=due, release_at=due - timedelta(days=2))
    extend("bob", due=due + timedelta(days=5))
    page = text(browser("gina").get(PAGE))
    assert local(due - timedelta(days=2)) in page
    assert f'<a href="/admin/exchange/assignment/{assignment.pk}/change/">1</a>' in page
    assert "/admin/exchange" not in text(browser("bob").get(PAGE))


def test_solution_is_linked_and_sent_once_it_is_theirs(assignment, set_deadlines, extend, browser):
    services.set_solution(assignment, cast.upload({"solution.ipynb": b"{}"}), by=cast.actor("alice"))
    past = timezone.now() - timedelta(hours=1)
    set_deadlines(due=past)
    extend("bob", due=past + timedelta(days=1))
    for who, status in [("dave", 200), ("gina", 200), ("bob", 404), ("carol", 404)]:
        assert browser(who).get(f"{PAGE}solution.zip").status_code == status
    assert "solution.zip" in text(browser("dave").get(PAGE))
    assert "solution.zip" not in text(browser("bob").get(PAGE))
