"""The trash, and deleting permanently what is in it: all or nothing."""

import pytest

from courses import services
from courses.errors import AlreadyExists, Conflict, NotFound, PermissionDenied
from courses.models import AuditEntry, Course
from courses.permissions import SERVER
from exchange import services as exchange_services
from exchange.models import Submission
from tests.cast import COURSE, actor, everything, return_feedback, submit


def remove(*courses):
    for one in courses:
        services.trash_course(one, by=actor("root"))
        one.refresh_from_db()


@pytest.fixture
def full(assignment):
    """NBG 101 with a submission of bob, one of dave, and feedback on the first."""
    return_feedback(submit(assignment, "bob"), "gina")
    submit(assignment, "dave")
    return assignment.course


def test_restoring_by_name_takes_the_one_removed_last(course):
    remove(course)
    again = Course.objects.create(name=COURSE)
    remove(again)
    assert services.restore_course(COURSE, by=SERVER) == again
    before = everything()
    with pytest.raises(AlreadyExists):
        services.restore_course(COURSE, by=SERVER)
    with pytest.raises(NotFound):
        services.restore_course("Nowhere", by=SERVER)
    assert everything() == before


@pytest.mark.parametrize("who", ["alice", "gina", "bob", "erin"])
def test_permanent_deletion_is_for_administrators(full, who):
    remove(full)
    before = everything()
    with pytest.raises(PermissionDenied):
        services.delete_course_permanently(full, by=actor(who))
    assert everything() == before


def test_what_was_restored_meanwhile_stays(full):
    remove(full)
    looked_at = Course.objects.get(pk=full.pk)
    services.restore_course(full, by=SERVER)
    before = everything()
    with pytest.raises(Conflict, match="is not in the trash"):
        services.delete_course_permanently(looked_at, by=actor("root"))
    assert everything() == before


def test_what_is_deleted_already_is_not_deleted_twice(full):
    remove(full)
    again = Course.objects.get(pk=full.pk)
    services.delete_course_permanently(full, by=actor("root"))
    before = everything()
    with pytest.raises(Conflict):
        services.delete_course_permanently(again, by=actor("root"))
    assert everything() == before


def test_deletion_returns_and_logs_the_counts(full):
    remove(full)
    counts = {"courses": 1, "members": 4, "assignments": 1, "releases": 1, "submissions": 2, "feedback": 1}
    assert services.delete_course_permanently(full, by=SERVER) == counts
    entry = AuditEntry.objects.latest("pk")
    assert (entry.action, entry.role, entry.course, entry.target) == (
        "delete course permanently",
        "server",
        COURSE,
        COURSE,
    )
    assert entry.details == {"pk": full.pk, "deleted": counts}


@pytest.fixture
def mine(full):
    return Submission.objects.get(student__username="bob")


def delete(row, by):
    if isinstance(row, Submission):
        return exchange_services.delete_submission_permanently(row, by=by)
    return exchange_services.delete_assignment_permanently(row, by=by)


@pytest.mark.parametrize("kind", ["assignment", "mine"])
def test_only_hidden_rows_of_the_exchange_are_deleted(kind, mine, assignment):
    row = mine if kind == "mine" else assignment
    before = everything()
    with pytest.raises(Conflict, match="is not in the trash"):
        delete(row, SERVER)
    assert everything() == before
    type(row).objects.filter(pk=row.pk).update(withdrawn_at=row.created)
    before = everything()
    for who in ("alice", "gina", "bob", "erin"):
        with pytest.raises(PermissionDenied):
            delete(row, actor(who))
    assert everything() == before
    deleted = delete(row, actor("root"))
    entry = AuditEntry.objects.latest("pk")
    assert (entry.actor, entry.role, entry.course) == ("root", "administrator", COURSE)
    assert entry.action == f"delete {row._meta.verbose_name} permanently" and entry.details["deleted"] == deleted
    again = {"mine": mine, "assignment": assignment}[kind]
    again.pk = entry.details["pk"]
    before = everything()
    with pytest.raises(Conflict):
        delete(again, SERVER)
    assert everything() == before


def test_the_log_names_the_student_of_a_deleted_submission_apart(mine):
    Submission.objects.filter(pk=mine.pk).update(withdrawn_at=mine.created)
    assert delete(mine, SERVER) == {"submissions": 1, "feedback": 1}
    entry = AuditEntry.objects.latest("pk")
    assert entry.details["student"] == "bob" and "bob" not in entry.target
    assert entry.target == f"{mine.assignment}, {mine.created:%Y-%m-%d %H:%M:%S.%f} UTC"
