"""A late submission that repeats what was in time. tests/test_states.py tries the rest."""

from datetime import UTC, datetime, timedelta

import pytest

from exchange import progress, services
from exchange.models import Assignment, Submission
from exchange.progress_tables import TableFilter
from exchange.services.deadlines import State, StateChange
from exchange.states import read_states
from tests import cast
from tests.cast import actor, person, v2

DUE = datetime(2026, 11, 3, 12, tzinfo=UTC)


@pytest.fixture
def due(assignment):
    Assignment.objects.update(due=DUE)
    assignment.refresh_from_db()
    return assignment


def submit(assignment, name, *attempts):
    """The submissions of (files, minutes after the due date)."""
    made = []
    for files, minutes in attempts:
        made.append(cast.submit(assignment, name, files=files.encode()))
        Submission.objects.filter(pk=made[-1].pk).update(created=DUE + timedelta(minutes=minutes))
    return made


def work_of(assignment, name):
    (member,) = [each for each in progress.course_progress(assignment.course) if each.username == name]
    return member.work[assignment.pk]


@pytest.mark.parametrize(
    ("attempts", "counted"),
    [
        ("a-2 a1", 0),
        ("a-2 a1 a2", 0),
        ("a-2 b1 a2", 0),
        ("a-3 b-2 b1", 1),
        ("a-3 b-2 a1", 2),  # what was in time had been replaced in time
        ("a-2 b1", 1),
        ("a1 a2", 1),
        ("a-2 a1 b2", 2),
    ],
)
def test_latest_one_counts_as_in_time_if_it_has_the_files_of_the_latest_in_time(due, attempts, counted):
    made = submit(due, "bob", *((each[0], int(each[1:])) for each in attempts.split()))
    work = work_of(due, "bob")
    last = Submission.objects.get(pk=made[counted].pk)
    assert (work.last_id, work.last, work.attempts) == (last.pk, last.created, len(made))
    assert work.late is (last.created > DUE)
    repeats = [each.repeated for each in read_states(Submission.objects.filter(pk=made[-1].pk))]
    assert repeats == [None if counted == len(made) - 1 else last.pk]


def test_what_is_not_in_time_any_more_is_not_repeated(due):
    first, _ = submit(due, "bob", ("a", -2), ("a", 1))
    assert not work_of(due, "bob").late
    services.withdraw_submissions([first], by=actor("alice"))
    assert work_of(due, "bob").late


def test_what_others_submitted_in_time_is_not_repeated(due):
    submit(due, "dave", ("a", -2))
    submit(due, "bob", ("a", 1))
    assert work_of(due, "bob").late


def test_change_of_a_due_date_says_what_the_tables_will_say(due):
    submit(due, "bob", ("a", -2), ("a", 1))
    submit(due, "dave", ("a", -2), ("b", 1))
    later = DUE + timedelta(minutes=1)
    late, in_time = State(late=True), State(late=False)
    changed = services.set_deadlines(due, {"due": later}, by=actor("alice"), dry_run=True)
    assert changed == [StateChange("dave", late, in_time)]


def test_members_are_sorted_by_the_time_that_is_shown(due):
    submit(due, "bob", ("a", -2), ("a", 9))
    submit(due, "dave", ("a", -1))
    found = TableFilter(sort="time").apply(due.course, [due])
    assert [each.username for each in found] == ["dave", "bob"]


def test_student_is_told_on_the_pages(due, client, settings):
    settings.NGSHARE_STANDALONE = True
    first, again = submit(due, "bob", ("a", -2), ("a", 1))
    client.force_login(person("bob"))
    page = client.get(f"/view/submission/{again.pk}/").content.decode()
    assert f'<a href="/view/submission/{first.pk}/">a submission that was in time</a>' in page
    assert "that was in time" not in client.get(f"/view/submission/{first.pk}/").content.decode()
    page = client.get("/view/course/NBG 101/ps1/").content.decode()
    assert page.count("same files as in time") == 1


def test_api_names_what_is_repeated(due, settings):
    settings.NGSHARE_STANDALONE = True
    first, again = submit(due, "bob", ("a", -2), ("a", 1))
    bob = cast.client("bob")
    rows = bob.get(v2("submissions"), {"mine": "true"}).json()["results"]
    assert {each["id"]: (each["late"], each["repeats"]) for each in rows} == {
        first.pk: (False, None),
        again.pk: (True, first.pk),
    }
    assert bob.get(v2("submissions", again.pk)).json()["repeats"] == first.pk
