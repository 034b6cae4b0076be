"""The trash, and deleting permanently what is in it: all or nothing."""

import pytest

from courses import deletion
from courses import services as course_services
from courses.errors import AlreadyExists, Conflict, NotFound, PermissionDenied
from courses.models import Course
from courses.permissions import SERVER
from tests.cast import COURSE, actor, everything, give_back, hand_in


def remove(*courses):
    for one in courses:
        course_services.trash_course(one, by=actor("root"))
        one.refresh_from_db()


@pytest.fixture
def full(assignment):
    """NBG 101 with a hand-in of bob, one of dave, and feedback on the first."""
    give_back(hand_in(assignment, "bob"), "gina")
    hand_in(assignment, "dave")
    return assignment.course


def test_restoring_by_name_takes_the_one_removed_last(course):
    remove(course)
    again = Course.objects.create(name=COURSE)
    remove(again)
    assert course_services.restore_course(COURSE, by=SERVER) == again
    before = everything()
    with pytest.raises(AlreadyExists):
        course_services.restore_course(COURSE, by=SERVER)
    with pytest.raises(NotFound):
        course_services.restore_course("Nowhere", by=SERVER)
    assert everything() == before


@pytest.mark.parametrize("who", ["alice", "gina", "bob", "erin"])
def test_verb_is_for_administrators(full, who):
    remove(full)
    before = everything()
    with pytest.raises(PermissionDenied):
        deletion.delete_permanently(full, by=actor(who))
    assert everything() == before


def test_what_came_out_of_the_bin_meanwhile_stays(full):
    remove(full)
    looked_at = Course.objects.get(pk=full.pk)
    course_services.restore_course(full, by=SERVER)
    before = everything()
    with pytest.raises(Conflict, match="is not in the bin"):
        deletion.delete_permanently(looked_at, by=actor("root"))
    assert everything() == before


def test_what_is_deleted_already_is_not_deleted_twice(full):
    remove(full)
    again = Course.objects.get(pk=full.pk)
    deletion.delete_permanently(full, by=actor("root"))
    before = everything()
    with pytest.raises(Conflict):
        deletion.delete_permanently(again, by=actor("root"))
    assert everything() == before


def test_counts_foretell_what_goes(full):
    remove(full)
    foretold = deletion.what_goes([full])
    assert deletion.delete_permanently(full, by=SERVER) == foretold
    assert foretold == {
        "courses": 1,
        "members": 4,
        "assignments": 1,
        "releases": 1,
        "submissions": 2,
        "feedback": 1,
    }
    assert deletion.what_goes([]) == {}
