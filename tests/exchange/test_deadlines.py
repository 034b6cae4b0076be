"""What is in force for whom: the rule in Python and in SQL against a slow and obvious model."""

from datetime import UTC, datetime, timedelta
from importlib import import_module
from zoneinfo import ZoneInfo

import pytest
from django.apps import apps
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from courses.models import Course, Membership, Role, User
from exchange import deadlines, services
from exchange.deadlines import LATE, Deadline, Member, Pair
from exchange.importers import history
from exchange.models import Assignment, Extension, FileSet, Submission
from tests import cast
from tests.cast import actor, person

NOON = datetime(2026, 11, 3, 12, tzinfo=UTC)
TICK = timedelta(microseconds=1)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
CASES = [(NOON - TICK, True), (NOON, False), (NOON + TICK, False), (None, False)]


@pytest.mark.parametrize(("due", "late"), CASES)
def test_late_is_what_came_after_the_due_date(due, late):
    assert deadlines.is_late(NOON, due) is late


@pytest.mark.parametrize(("due", "late"), CASES)
def test_database_decides_as_python_does(submission, due, late):
    Submission.objects.update(created=NOON)
    services.set_due_date(submission.assignment, due, by=actor("alice"))
    assert Submission.objects.filter(LATE).exists() is late
    assert Submission.objects.exclude(LATE).exists() is not late
    assert Submission.objects.annotate(late=LATE).get().late is late


@pytest.mark.parametrize(
    ("moment", "minutes", "days"),
    [
        (NOON, 0, 0),
        (NOON + TICK, 1, 1),
        (NOON + 61 * timedelta(seconds=1), 2, 1),
        (NOON + DAY, 1440, 1),
        (NOON + DAY + TICK, 1441, 2),
        (NOON - DAY, 0, 0),
    ],
)
def test_begun_minutes_and_days_are_late_ones(moment, minutes, days):
    assert (deadlines.minutes_late(moment, NOON), deadlines.days_late(moment, NOON)) == (minutes, days)
    assert deadlines.minutes_late(moment, None) == deadlines.days_late(moment, None) == 0


def extend(assignment, **what):
    return Extension.objects.create(assignment=assignment, created=NOON, **what)


@pytest.fixture
def due(assignment):
    """ps1, due at noon and closed an hour later."""
    Assignment.objects.update(due=NOON, cut_off=NOON + HOUR, max_attempts=2)
    return Assignment.objects.select_related("course").get()


def test_extension_is_for_one_person_alone(due):
    extend(due, user=person("bob"), due=NOON + DAY)
    assert deadlines.in_force(due, person("bob")) == Deadline(NOON + DAY, NOON + DAY, 2, "extension")
    assert deadlines.in_force(due, person("dave")) == Deadline(NOON, NOON + HOUR, 2)
    assert deadlines.in_force(due, None) == Deadline(NOON, NOON + HOUR, 2)


def test_extension_of_a_section_is_for_its_members(due):
    Membership.objects.filter(user=person("bob")).update(section="B")
    extend(due, section="B", cut_off=NOON + DAY, attempts=3)
    assert deadlines.in_force(due, person("bob")) == Deadline(NOON, NOON + DAY, 5, "section")
    assert deadlines.in_force(due, person("dave")) == Deadline(NOON, NOON + HOUR, 2)
    Membership.objects.filter(user=person("bob")).delete()
    assert deadlines.in_force(due, person("bob")) == Deadline(NOON, NOON + HOUR, 2)


def test_most_generous_one_counts(due):
    Membership.objects.filter(user=person("bob")).update(section="B", created=NOON - DAY)
    extend(due, user=person("bob"), due=NOON - DAY, attempts=1)
    assert deadlines.in_force(due, person("bob")) == Deadline(NOON, NOON + HOUR, 3, "extension")
    extend(due, section="B", due=NOON + 2 * HOUR)
    assert deadlines.in_force(due, person("bob")) == Deadline(NOON + 2 * HOUR, NOON + 2 * HOUR, 3, "section")
    Course.objects.update(min_days=2)
    due.course.refresh_from_db()
    assert deadlines.in_force(due, person("bob")) == Deadline(NOON + DAY, NOON + DAY, 3, "joined")


def test_assignment_without_deadlines_asks_nothing(assignment, django_assert_num_queries):
    extend(assignment, user=person("bob"), due=NOON)
    bob = person("bob")
    with django_assert_num_queries(0):
        assert deadlines.in_force(assignment, bob) == Deadline()


# Everything, against the model

BERLIN, APIA = ZoneInfo("Europe/Berlin"), ZoneInfo("Pacific/Apia")
CHANGES = [  # hours of a day on which clocks change: the one that comes twice, the one that is left out, and others
    datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN),
    datetime(2026, 10, 25, 2, 30, fold=1, tzinfo=BERLIN),
    datetime(2026, 10, 24, 2, 30, tzinfo=BERLIN),
    datetime(2026, 10, 26, 2, 30, tzinfo=BERLIN),
    datetime(2026, 3, 29, 3, 0, tzinfo=BERLIN),
    datetime(2026, 10, 25, 0, 30, tzinfo=UTC),
    datetime(2026, 10, 25, 1, 30, tzinfo=UTC),
    datetime(2026, 10, 25, 14, 30, tzinfo=APIA),
]
moments = st.builds(
    lambda moment, ticks: moment.astimezone(UTC) + ticks * TICK,
    st.sampled_from(CHANGES),
    st.sampled_from([-1, 0, 1, 3_600_000_000]),
)
maybe = st.none() | moments
people = st.sampled_from(["ann", "ben", "cleo"])
sections = st.sampled_from(["", "A", "B"])


def in_order(due, cut_off):
    return (due, cut_off) if due is None or cut_off is None or due <= cut_off else (cut_off, due)


pairs_of_times = st.tuples(maybe, maybe).map(lambda times: in_order(*times))
extensions = st.tuples(pairs_of_times, st.integers(0, 2)).filter(lambda one: one != ((None, None), 0))


@st.composite
def worlds(draw):
    """A course, its members, an assignment, its extensions and submissions, as plain values."""
    return {
        "min_days": draw(st.none() | st.integers(0, 2)),
        "members": draw(st.dictionaries(people, st.tuples(sections, moments, st.sampled_from(Role.values)))),
        "times": draw(pairs_of_times),
        "max_attempts": draw(st.none() | st.integers(1, 3)),
        "of_people": draw(st.dictionaries(people, extensions)),
        "of_sections": draw(st.dictionaries(st.sampled_from(["A", "B"]), extensions)),
        "submitted": draw(st.lists(st.tuples(people, moments), max_size=4, unique=True)),
    }


def model(world, name):
    """The rule, spelled out: collect every offer and take the best."""
    due, cut_off = world["times"]
    limit = world["max_attempts"]
    offers = [world["of_people"][name]] if name in world["of_people"] else []
    if name in world["members"]:
        section, joined, _ = world["members"][name]
        offers += [world["of_sections"][section]] if section in world["of_sections"] else []
        if world["min_days"] is not None:
            until = joined + world["min_days"] * DAY
            offers += [((until, until), 0)]
    for (other_due, other_cut_off), attempts in offers:
        if due is not None and other_due is not None:
            due = max(due, other_due)
        for other in (other_due, other_cut_off):
            if cut_off is not None and other is not None:
                cut_off = max(cut_off, other)
        if limit is not None:
            limit = max(limit, world["max_attempts"] + attempts)
    return due, cut_off, limit


def make(world):
    course = Course.objects.create(name=cast.COURSE, min_days=world["min_days"])
    users = {name: User.objects.create(username=name) for name in ("ann", "ben", "cleo")}
    for name, (section, joined, role) in world["members"].items():
        Membership.objects.create(course=course, user=users[name], section=section, created=joined, role=role)
    due, cut_off = world["times"]
    limit = world["max_attempts"]
    assignment = Assignment.objects.create(course=course, name="ps1", due=due, cut_off=cut_off, max_attempts=limit)
    other = Assignment.objects.create(course=course, name="other", due=due)
    for name, ((due, cut_off), attempts) in world["of_people"].items():
        extend(assignment, user=users[name], due=due, cut_off=cut_off, attempts=attempts)
    for section, ((due, cut_off), attempts) in world["of_sections"].items():
        extend(assignment, section=section, due=due, cut_off=cut_off, attempts=attempts)
        extend(other, section=section, due=NOON + 999 * DAY)
    file_set = FileSet.objects.create(digest="0" * 64, size=0, file_count=0)
    for name, created in world["submitted"]:
        Submission.objects.get_or_create(
            assignment=assignment, student=users[name], created=created, defaults={"file_set": file_set}
        )
    return assignment, users


class TestRule(TestCase):
    @settings(suppress_health_check=[HealthCheck.too_slow])
    @given(worlds())
    def test_python_and_sql_say_what_the_model_says(self, world):
        assignment, users = make(world)
        expected = {name: model(world, name) for name in users}
        for name, user in users.items():
            found = deadlines.in_force(assignment, user)
            assert (found.due, found.cut_off, found.max_attempts) == expected[name]
            changed = expected[name] != (assignment.due, assignment.cut_off, assignment.max_attempts)
            assert bool(found.reason) is changed
        rows = Submission.objects.annotate(**columns(Pair.at("assignment", "student")), late=LATE)
        for row in rows.select_related("student"):
            assert (row.due_now, row.cut_off_now, row.limit_now) == expected[row.student.username]
            assert row.late is deadlines.is_late(row.created, row.due_now)
        late = {row.pk for row in Submission.objects.select_related("student") if self._is_late(row, expected)}
        assert {row.pk for row in Submission.objects.filter(LATE)} == late
        assert {row.pk for row in Submission.objects.exclude(LATE)}.isdisjoint(late)
        assert Submission.objects.exclude(LATE).count() == Submission.objects.count() - len(late)
        for name, user in users.items():
            row = Assignment.objects.annotate(**columns(Pair.at("", user.pk))).get(name="ps1")
            assert (row.due_now, row.cut_off_now, row.limit_now) == expected[name]
        for row in assignment.course.memberships.annotate(**columns(Pair.of(assignment, "user"))):
            assert (row.due_now, row.cut_off_now, row.limit_now) == expected[row.user.username]

    def _is_late(self, submission, expected):
        return deadlines.is_late(submission.created, expected[submission.student.username][0])


def columns(pair):
    return {
        "due_now": deadlines.due_in_sql(pair),
        "cut_off_now": deadlines.cut_off_in_sql(pair),
        "limit_now": deadlines.max_attempts_in_sql(pair),
    }


def test_earlier_submissions_have_the_due_date_of_their_assignment(due):
    """The migration that adds the column."""
    submission, without = cast.submit(due, "gina"), cast.submit(due, "alice")
    Submission.objects.update(due=None)
    Submission.objects.filter(pk=without.pk).update(assignment=Assignment.objects.create(course=due.course, name="x"))
    import_module("exchange.migrations.0009_deadlines").fill(apps, None)
    assert Submission.objects.get(pk=submission.pk).due == NOON and Submission.objects.get(pk=without.pk).due is None


def test_imported_submission_has_the_due_date_of_its_assignment(due):
    imported = history.import_submission(due, person("bob"), cast.upload(cast.WORK), created=NOON + DAY)
    assert imported.due == NOON


def test_page_of_people_costs_one_query(due, django_assert_num_queries):
    extend(due, user=person("bob"), due=NOON + DAY)
    members = [Member(*row) for row in due.course.memberships.values_list("user_id", "section", "created")]
    with django_assert_num_queries(1):
        found = deadlines.load([due], members)
    assert {each.reason for each in found.values()} == {"", "extension"} and len(found) == 4


def test_submission_keeps_the_due_date_that_was_in_force(due):
    due.cut_off = None
    due.save()
    extend(due, user=person("bob"), due=NOON + DAY)
    assert cast.submit(due, "bob").due == NOON + DAY
    submission = cast.submit(due, "dave")
    assert submission.due == NOON
    services.set_due_date(due, None, by=actor("alice"))
    submission.refresh_from_db()
    assert submission.due == NOON
    assert cast.submit(due, "dave").due is None
