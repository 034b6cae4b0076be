"""The admin's table of the progress of a course, as a page and as CSV."""

import csv
import io
from datetime import timedelta

import pytest
from django.utils import timezone

from courses.models import Membership
from exchange import services
from tests import cast


@pytest.fixture
def address(course):
    return f"/admin/exchange/assignment/status/{course.pk}/"


def names_on(page):
    return [member.username for member, _ in page.context["rows"]]


def test_page_counts_who_has_submitted(submission, browser, address):
    page = browser("gina").get(address)
    assert names_on(page) == ["bob", "dave"]
    assert [(assignment.name, counts.sentence) for assignment, counts, _ in page.context["columns"]] == [
        ("ps1", "1 of 2 students")
    ]
    assert "1 of 2 students" in page.content.decode() and "2 members" in page.content.decode()


@pytest.mark.parametrize(
    ("query", "names"),
    [({"q": "BOB"}, ["bob"]), ({"q": "dyer"}, ["dave"]), ({"section": "B"}, ["dave"]), ({"q": "nobody"}, [])],
)
def test_page_is_filtered_by_name_and_section(submission, browser, address, query, names):
    Membership.objects.filter(user__username="dave").update(last_name="Dyer", section="B")
    assert names_on(browser("alice").get(address, query)) == names


def test_page_and_file_have_one_assignment_where_it_is_chosen(submission, browser, address):
    other = services.release(
        submission.assignment.course, "ps2", cast.upload(cast.PS1), by=cast.actor("alice")
    ).assignment
    alice, query = browser("alice"), {"assignment": other.pk, "show": "missing"}
    page = alice.get(address, query)
    assert [assignment.name for assignment, *_ in page.context["columns"]] == ["ps2"] and names_on(page) == [
        "bob",
        "dave",
    ]
    assert f'status.csv?assignment={other.pk}&amp;show=missing"' in page.content.decode()
    text = b"".join(alice.get(f"{address}status.csv", query).streaming_content).decode()
    assert "ps2: state" in text and "ps1: state" not in text


def test_trials_are_shown_where_they_are_asked_for(assignment, browser, address):
    cast.submit(assignment, "gina")
    alice = browser("alice")
    assert names_on(alice.get(address)) == ["bob", "dave"]
    page = alice.get(address, {"trials": "1"})
    assert names_on(page) == ["bob", "dave", "gina"]
    assert "0 of 2 students; 1 submission of staff" in page.content.decode()


@pytest.mark.parametrize(("who", "status"), [("bob", 302), ("erin", 302), ("carol", 404), ("gina", 200), ("root", 200)])
@pytest.mark.parametrize("page", ["", "status.csv"])
def test_progress_is_for_the_staff_of_the_course(submission, browser, address, page, who, status):
    assert browser(who).get(f"{address}{page}").status_code == status


def test_no_name_in_the_file_is_a_formula(submission, browser, address):
    Membership.objects.filter(user__username="bob").update(first_name="=1+1", last_name="@SUM(A1)", section="-1")
    answer = browser("alice").get(f"{address}status.csv")
    row = next(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode("utf-8-sig"))))
    assert (row["username"], row["first_name"], row["last_name"], row["section"]) == (
        "bob", "'=1+1", "'@SUM(A1)", "'-1",
    )  # fmt: skip
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{cast.COURSE} progress.csv"'


def test_page_says_what_students_do_not_see_yet(assignment, browser, address):
    soon = timezone.now() + timedelta(days=1)
    services.set_deadlines(assignment, {"release_at": soon}, by=cast.actor("alice"))
    assert "to be released, 0 of 2 students" in browser("alice").get(address).content.decode()
