"""The points of the curve of submissions: exact, few, and of each section."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from courses.models import Membership, Role, User
from exchange import services
from exchange.models import FileSet, Submission
from exchange.submission_curve import POINTS, read_curves
from tests import cast

START = datetime(2026, 11, 3, 12, tzinfo=UTC)


@pytest.fixture
def submit(assignment):
    """Let a student of a section submit so many minutes after the start, as often as there are numbers."""

    def add(username, *minutes, section="", role=Role.STUDENT, trial=False):
        user, _ = User.objects.get_or_create(username=username)
        member, _ = Membership.objects.get_or_create(course=assignment.course, user=user, defaults={"role": role})
        Membership.objects.filter(pk=member.pk).update(section=section)
        files, _ = FileSet.objects.get_or_create(digest="0" * 64, defaults={"size": 0, "file_count": 0})
        return [
            Submission.objects.create(
                assignment=assignment,
                student=user,
                file_set=files,
                trial=trial,
                created=START + timedelta(minutes=each),
            )
            for each in minutes
        ]

    return add


def minutes(curve):
    return [(moment - START) // timedelta(minutes=1) for moment in curve.moments]


def test_nobody_has_submitted(assignment):
    curves = read_curves(assignment)
    assert (curves.whole.students, curves.whole.submitted, curves.whole.moments) == (2, 0, [])


def test_each_student_counts_once_from_their_first_submission(assignment, submit):
    submit("bob", 5, 50)
    submit("dave", 20)
    whole = read_curves(assignment).whole
    assert minutes(whole) == [5, 20] and whole.counts == [1, 2] and whole.submitted == 2
    assert [whole.count_by(START + timedelta(minutes=each)) for each in (0, 5, 19, 20, 99)] == [0, 1, 1, 2, 2]


def test_only_students_of_the_roster_count(assignment, submit):
    submit("bob", 1)
    submit("gina", 2, role=Role.GRADER, trial=True)
    submit("erin", 3)
    Membership.objects.filter(user__username="erin").delete()
    services.withdraw_submissions(submit("dave", 4), by=cast.actor("alice"))
    cast.enrol(assignment.course.__class__.objects.get(name=cast.ELSEWHERE), "bob", Role.STUDENT)
    whole = read_curves(assignment).whole
    assert (minutes(whole), whole.students, whole.submitted) == ([1], 2, 1)


def test_sections_have_curves_of_their_own(assignment, submit):
    submit("bob", 5, section="A")
    submit("dave", 20, section="B")
    submit("zoe", 30, section="B")
    curves = read_curves(assignment)
    assert {name: (curve.students, curve.counts, minutes(curve)) for name, curve in curves.sections.items()} == {
        "A": (1, [1], [5]),
        "B": (2, [1, 2], [20, 30]),
    }
    assert curves.whole.counts == [1, 2, 3]


@pytest.mark.parametrize("count", [1, 7])
def test_one_section_or_many_are_not_told_apart(assignment, submit, count):
    for number in range(count):
        submit(("bob", "dave")[number] if number < 2 else f"s{number}", number, section=f"section {number}")
    Membership.objects.filter(user__username="dave", section="").update(section="section 0")
    assert read_curves(assignment).sections == {}


def test_who_was_in_time_is_counted_exactly(assignment, submit):
    for number in range(3 * POINTS):
        submit(f"s{number}", number, section="A" if number % 2 else "B")
    services.set_due_date(assignment, START + timedelta(minutes=100), by=cast.actor("alice"))
    curves = read_curves(assignment)
    assert (curves.whole.submitted, curves.whole.in_time) == (180, 101)
    assert [curves.sections[name].in_time for name in "AB"] == [50, 51]


def test_curve_has_few_points_each_of_which_is_true(assignment, submit):
    for number in range(5 * POINTS):
        submit(f"s{number:03}", number)
    with CaptureQueriesContext(connection) as captured:
        whole = read_curves(assignment).whole
    assert len(captured) == 2
    assert POINTS <= len(whole.moments) <= POINTS + 1 and whole.counts[-1] == whole.submitted == 300
    assert [count - 1 for count in whole.counts] == minutes(whole)
    assert whole.moment_of(0.5) == START + timedelta(minutes=149)
