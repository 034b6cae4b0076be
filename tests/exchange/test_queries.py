"""Which rows an actor sees, and what the rows of a list bring."""

from datetime import timedelta

import pytest

from courses import services as course_services
from courses.permissions import SERVER
from exchange import queries, services
from exchange.api.v2.serializers import AssignmentSerializer, SubmissionSerializer
from exchange.models import Assignment, Submission
from tests import cast
from tests.cast import PS1, actor, submit


def names(username):
    return [f"{row.course.name}: {row.name}" for row in queries.visible_assignments(actor(username)).order_by("pk")]


def students(username, **flags):
    rows = queries.submissions(actor(username), **flags).order_by("pk")
    return list(rows.values_list("student__username", flat=True))


def release(course, name="ps1", files=PS1, **options):
    return services.release(course, name, cast.upload(files), by=SERVER, **options).assignment


# Assignments


def test_assignments_are_those_of_the_actors_courses(two_courses):
    here, elsewhere = f"{cast.COURSE}: ps1", f"{cast.ELSEWHERE}: lab 1"
    assert {who: names(who) for who in ("bob", "gina", "alice", "carol", "erin", "root")} == {
        "bob": [here],
        "gina": [here],
        "alice": [here],
        "carol": [elsewhere],
        "erin": [],
        "root": [here, elsewhere],
    }


def test_unreleased_assignment_is_for_staff_alone(assignment):
    services.unrelease(assignment, by=SERVER)
    assert {who for who in ("bob", "gina", "alice", "carol", "root") if names(who)} == {"gina", "alice", "root"}


def test_assignments_of_a_course_in_the_trash_are_for_nobody(assignment):
    course_services.trash_course(assignment.course, by=SERVER)
    assert names("bob") == names("alice") == names("root") == []


def test_row_counts_the_actors_own_submissions(submission):
    submit(submission.assignment, "dave")
    for username, count in (("bob", 1), ("dave", 1), ("alice", 0)):
        (row,) = queries.load_assignments([submission.assignment.pk], actor(username))
        assert row.my_submissions == count


def test_row_brings_the_latest_release(assignment):
    release(assignment.course, force=True)
    (row,) = queries.load_assignments([assignment.pk], actor("bob"))
    assert row.latest_release.number == 2


@pytest.mark.parametrize("username", ["alice", "gina", "bob", "carol", "erin"])
def test_released_keys_are_those_of_the_visible_assignments_that_are_released(two_courses, username):
    who = actor(username)
    for _ in range(2):
        rows = queries.with_status(queries.visible_assignments(who), "released").order_by("pk")
        assert queries.released_keys(who) == list(rows.values("pk"))
        for assignment in Assignment.objects.all():
            services.unrelease(assignment, by=SERVER)


def test_assignments_are_read_in_as_many_queries_for_many_as_for_few(assignment, django_assert_num_queries):
    pks = [assignment.pk, *(release(assignment.course, name).pk for name in ("ps2", "ps3"))]
    bob = actor("bob")
    for some in (pks[:1], pks):
        with django_assert_num_queries(2):
            rows = queries.load_assignments(some, bob)
            assert all(AssignmentSerializer(row).data["notebooks"] for row in rows)
        assert [row.pk for row in rows] == some


@pytest.mark.parametrize("load", [lambda file_sets: None, queries.load_notebooks, queries.load_files])
def test_notebooks_are_those_at_the_top(assignment, load):
    files = {"b.ipynb": b"b", "a.ipynb": b"a", "deeper/c.ipynb": b"c", "notes.txt": b"n"}
    file_set = services.submit(assignment, cast.upload(files), by=actor("bob"))[0].file_set
    load([file_set])
    assert queries.notebooks_of(file_set) == ["a.ipynb", "b.ipynb"]


@pytest.mark.parametrize(("status", "shown"), [("released", ["ps2"]), ("withdrawn", ["ps1"]), ("all", ["ps1", "ps2"])])
def test_status_chooses_assignments(assignment, status, shown):
    release(assignment.course, "ps2")
    services.unrelease(assignment, by=SERVER)
    rows = queries.with_status(queries.visible_assignments(actor("alice")), status)
    assert sorted(row.name for row in rows) == shown


# Submissions


def test_students_see_their_own_submissions_and_staff_those_of_their_courses(two_courses):
    submit(two_courses["assignment"], "dave")
    assert {who: students(who) for who in ("bob", "dave", "gina", "alice", "carol", "zoe", "erin", "root")} == {
        "bob": ["bob"],
        "dave": ["dave"],
        "gina": ["bob", "dave"],
        "alice": ["bob", "dave"],
        "carol": ["zoe"],
        "zoe": ["zoe"],
        "erin": [],
        "root": ["bob", "zoe", "dave"],
    }


def test_submissions_of_a_course_in_the_trash_are_for_nobody(submission):
    course_services.trash_course(submission.assignment.course, by=SERVER)
    for username in ("bob", "alice", "root"):
        assert students(username) == students(username, mine=True) == []


def test_staff_ask_for_withdrawn_submissions_and_trials(submission):
    services.withdraw_submissions([submission], by=SERVER)
    submit(submission.assignment, "gina")
    assert students("alice") == []
    assert students("alice", withdrawn=True) == ["bob"]
    assert students("alice", trials=True) == ["gina"]
    assert students("alice", withdrawn=True, trials=True) == ["bob", "gina"]


def test_own_submissions_are_shown_whatever_staff_did_to_them(submission):
    services.withdraw_submissions([submission], by=SERVER)
    assert students("bob") == students("bob", mine=True) == ["bob"]


def test_mine_are_the_actors_own_alone(submission):
    submit(submission.assignment, "gina")
    assert students("gina", mine=True) == ["gina"]
    assert students("alice", mine=True) == students("root", mine=True) == []


def test_latest_attempt_is_of_each_student_and_assignment(assignment):
    ps2 = release(assignment.course, "ps2")
    submit(assignment, "bob")
    last = {submit(assignment, "bob"), submit(assignment, "dave"), submit(ps2, "bob")}
    assert set(queries.latest_attempts(Submission.objects.all())) == last


def test_latest_attempt_before_the_due_date_falls_back_to_a_late_one(assignment):
    submit(assignment, "bob")
    in_time, late = submit(assignment, "bob"), submit(assignment, "bob")
    submit(assignment, "dave")
    always_late = submit(assignment, "dave")
    services.set_due_date(assignment, in_time.created, by=SERVER)
    rows = Submission.objects.all()
    assert set(queries.latest_attempts(rows)) == {late, always_late}
    assert set(queries.latest_attempts(rows, before_due=True)) == {in_time, always_late}
    services.set_due_date(assignment, late.created + timedelta(days=1), by=SERVER)
    assert set(queries.latest_attempts(rows, before_due=True)) == {late, always_late}


def test_row_brings_the_newest_feedback(submission):
    feedbacks = [cast.return_feedback(submission, "gina", page) for page in (b"good", b"better")]
    (row,) = queries.load_details([submission.pk], files=False)
    assert queries.current_feedback(row) == feedbacks[-1]


@pytest.mark.parametrize("files", [True, False])
def test_details_are_read_in_as_many_queries_for_many_as_for_few(assignment, files, django_assert_num_queries):
    submissions = [submit(assignment, who, **{f"t{n}": b"%d" % n}) for n in range(4) for who in ("bob", "dave")]
    for submission in submissions:
        cast.return_feedback(submission, "gina")
    for pks in ([submissions[0].pk], [submission.pk for submission in submissions]):
        with django_assert_num_queries(6):
            rows = queries.load_details(pks, files=files)
            for row in rows:
                SubmissionSerializer(row).data  # noqa: B018
        assert [row.pk for row in rows] == pks
