"""A course of 5,000: opening, filtering, exporting and importing take a number of queries that does not grow."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from courses import roster, roster_export
from courses.importers import csv_file
from courses.models import Course, Membership
from courses.permissions import SERVER
from courses.roster import Result
from courses.services import RosterEntry
from tests import cast
from tests.cast import actor

pytestmark = pytest.mark.wide

MANY = 5000
FEW = 40  # of which a list shows as many in one page as it shows of MANY
STATEMENTS = 20  # for what is done once, whatever the size


def enrolled(course, count):
    people = [
        RosterEntry(
            f"u{number:05}", "student", "First", f"Last {number}", f"u{number:05}@example.edu", f"S{number % 20}"
        )
        for number in range(count)
    ]
    roster.apply_roster(course, people, by=SERVER)


def queries(act):
    with CaptureQueriesContext(
        connection,
    ) as seen:
        act()
    return len(seen)


def content(answer):
    return b"".join(answer.streaming_content) if answer.streaming else answer.content


PAGES = {
    "the list of members": "/admin/courses/membership/?course={pk}",
    "its last page": "/admin/courses/membership/?course={pk}&p=last",
    "all courses": "/admin/courses/membership/",
    "a filter": "/admin/courses/membership/?course={pk}&section=S3&role=student",
    "a search": "/admin/courses/membership/?course={pk}&q=last+7",
    "another order": "/admin/courses/membership/?course={pk}&o=2",
    "the course": "/admin/courses/course/{pk}/change/",
    "the list of courses": "/admin/courses/course/",
    "the roster as CSV": "/admin/courses/course/{pk}/roster.csv",
    "the students for nbgrader": "/admin/courses/course/{pk}/students-for-nbgrader.csv",
    "who has submitted": "/admin/exchange/assignment/status/{pk}/",
    "who has submitted, as CSV": "/admin/exchange/assignment/status/{pk}/status.csv",
    "the import's form": "/admin/courses/course/{pk}/import/",
}


@pytest.fixture
def courses_of_both_sizes(course):
    small = Course.objects.create(name="Small")
    cast.enrol(small, "alice", "instructor")
    enrolled(small, FEW)
    enrolled(course, MANY)
    return small, course


@pytest.mark.parametrize("who", ["alice", "root"])
def test_no_page_takes_more_queries_for_many_members(courses_of_both_sizes, browser, who):
    someone = browser(who)
    small, large = courses_of_both_sizes
    found = {}
    for name, address in PAGES.items():
        counts = []
        for one in (small, large):
            page = -(-Membership.objects.filter(course=one).count() // 100)
            path = address.format(pk=one.pk).replace("p=last", f"p={page}")

            def opened(path=path):
                answer = someone.get(path)
                assert answer.status_code == 200
                content(answer)

            counts.append(queries(opened))
        found[name] = counts
    assert {name: counts for name, counts in found.items() if counts[1] > max(counts[0], 12)} == {}


def test_many_members_are_all_exported(courses_of_both_sizes, browser):
    _, large = courses_of_both_sizes
    lines = content(browser("alice").get(f"/admin/courses/course/{large.pk}/roster.csv")).decode().splitlines()
    assert len(lines) == 1 + large.memberships.count() > MANY


def allowed(rows):
    """Statements for as many rows: a few for a thousand. SQLite takes few values in one statement (Django: 999)."""
    return STATEMENTS + rows / 1000 * (16 if connection.vendor == "sqlite" else 4)


def test_importing_takes_a_few_statements_for_a_thousand_rows(course):
    header = "username,first_name,last_name,email,section\n"
    text = header + "".join(f"u{n:05},First,Last {n},u{n:05}@example.edu,S{n % 20}\n" for n in range(MANY))

    def imported():
        report, _ = csv_file.import_roster(course, csv_file.read(text.encode()), by=cast.actor("alice"))
        assert report.count(Result.CREATED) == MANY

    assert queries(imported) <= allowed(MANY)


def test_importing_again_changing_and_removing_take_a_few_statements_for_a_thousand_rows(course):
    enrolled(course, MANY)
    cast.person("alice")
    text = "".join(roster_export.export_roster(course.memberships.all()))

    def applied(content, result, count, **more):
        report, _ = csv_file.import_roster(course, csv_file.read_text(content), by=actor("alice"), **more)
        assert report.count(result) == count

    assert queries(lambda: applied(text, Result.UNCHANGED, MANY + 4)) <= STATEMENTS
    assert queries(lambda: applied(text.replace("First", "Erste"), Result.CHANGED, MANY)) <= allowed(MANY)
    assert queries(lambda: applied("username\nbob\n", Result.REMOVED, MANY + 1, remove_others=True)) <= allowed(MANY)
