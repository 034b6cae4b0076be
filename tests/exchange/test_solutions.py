"""Solutions: who may fetch them when, and that their bytes are uses like any other."""

from datetime import timedelta

import pytest
from django.utils import timezone

from courses.errors import NotFound, PermissionDenied
from courses.models import AuditEntry, Course
from exchange import services
from exchange.models import Assignment, Blob, Extension, Solution
from exchange.storage import blobs, garbage, possession, verification
from tests import cast
from tests.cast import actor, everything, person, sha256

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SOLVED = {"ps1.ipynb": b"the answer is 42", "data/numbers.csv": cast.PS1["data/numbers.csv"]}
HASH = sha256(SOLVED["ps1.ipynb"])


@pytest.fixture
def solved(assignment):
    services.set_solution(assignment, cast.upload(SOLVED), by=actor("alice"))
    return assignment


def change(**values):
    Assignment.objects.update(**values)
    return Assignment.objects.select_related("course").get()


def may_fetch(who):
    """Whether somebody gets the solution, which must be the same for its description and its bytes."""
    assignment = Assignment.objects.select_related("course").get()
    by = actor(who)
    described = True
    try:
        services.find_solution(assignment, by=by)
    except (PermissionDenied, NotFound):
        described = False
    readable = possession.readable_blobs(by, [HASH]) | possession.readable_solutions(by, [HASH])
    assert bool(readable) is described
    return described


def test_student_may_fetch_it_after_the_cut_off_or_else_the_due_date(solved):
    now = timezone.now()
    assert not may_fetch("bob")
    for due, cut_off, expected in [
        (now - HOUR, None, True),
        (now + HOUR, None, False),
        (now - HOUR, now + HOUR, False),
        (now - 2 * HOUR, now - HOUR, True),
        (None, now - HOUR, True),
    ]:
        change(due=due, cut_off=cut_off)
        assert may_fetch("bob") is expected
        assert may_fetch("alice") and may_fetch("gina") and not may_fetch("erin") and not may_fetch("carol")


def test_extension_keeps_it_from_the_one_who_may_still_submit(solved):
    change(due=timezone.now() - DAY, cut_off=timezone.now() - HOUR)
    Extension.objects.create(
        assignment=solved, user=person("bob"), cut_off=timezone.now() + HOUR, created=timezone.now()
    )
    assert not may_fetch("bob") and may_fetch("dave")


def test_sentence_says_when(solved):
    Course.objects.update(timezone="Europe/Berlin")
    with pytest.raises(PermissionDenied, match="You can fetch the solution of ps1 after 2126-07-01 14:00 CEST"):
        services.find_solution(change(due="2126-07-01T12:00:00Z"), by=actor("bob"))
    with pytest.raises(PermissionDenied, match="You can fetch the solution of ps1 once there is a due date"):
        services.find_solution(change(due=None), by=actor("bob"))


def test_unreleased_or_withdrawn_one_is_not_readable(solved):
    change(due=timezone.now() - HOUR, withdrawn_at=timezone.now())
    assert not may_fetch("bob")
    change(withdrawn_at=None, due=None, cut_off=timezone.now() - HOUR, release_at=None)
    assert may_fetch("bob")
    services.withdraw_solution(solved, by=actor("alice"))
    assert not may_fetch("bob")
    with pytest.raises(NotFound, match="ps1 has no solution."):
        services.withdraw_solution(solved, by=actor("alice"))


def test_new_solution_takes_the_place_of_the_earlier_one_which_is_kept(solved):
    change(due=timezone.now() - HOUR)
    services.set_solution(solved, cast.upload({"ps1.ipynb": b"43"}), by=actor("alice"))
    assert Solution.objects.count() == 2 and Solution.objects.get(withdrawn_at=None).file_set.file_count == 1
    assert not possession.readable_solutions(actor("bob"), [HASH])
    actions = AuditEntry.objects.filter(action__contains="solution").values_list("action", "actor", "target")
    assert list(actions) == [("set solution", "alice", "ps1")] * 2


def test_its_bytes_count_for_the_course_and_are_discounted_with_it(solved):
    stored = Course.objects.get(pk=solved.course_id).stored_bytes
    solution = Solution.objects.get()
    assert solution.new_bytes == len(SOLVED["ps1.ipynb"])
    change(withdrawn_at=timezone.now())
    services.delete_assignment_permanently(solved, by=actor("root"))
    assert stored - Course.objects.get(pk=solved.course_id).stored_bytes == solution.new_bytes + sum(
        len(content) for content in cast.PS1.values()
    )


def test_garbage_collection_leaves_its_bytes(solved):
    Blob.objects.update(touched="2020-01-01T00:00:00Z")
    assert garbage.collect_garbage(timezone.now()) == (0, 0)
    assert blobs.is_intact(HASH, on_read=lambda size: None)
    services.withdraw_solution(solved, by=actor("alice"))
    assert garbage.collect_garbage(timezone.now()) == (0, 0)


def test_damage_names_the_solution(solved):
    assert list(verification.affected(Blob.objects.get(sha256=HASH))) == [(Solution.objects.get(), "ps1.ipynb")]


@pytest.mark.parametrize("username", ["gina", "bob", "carol", "erin"])
def test_role_decides_who_sets_and_withdraws_it(solved, username):
    before = everything()
    with pytest.raises(PermissionDenied):
        services.set_solution(solved, cast.upload({"x": b"x"}), by=actor(username))
    with pytest.raises(PermissionDenied):
        services.withdraw_solution(solved, by=actor(username))
    assert everything() == before
