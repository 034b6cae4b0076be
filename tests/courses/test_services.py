"""The service functions of courses and of single members: who may, what is refused, what the log says."""

import pytest
from django.utils import timezone

from courses import services
from courses.errors import AlreadyExists, Conflict, Invalid, NotFound, PermissionDenied
from courses.models import AuditEntry, Course, Membership, Role, User
from courses.permissions import SERVER
from courses.services import RosterEntry
from tests.cast import COURSE, actor, everything, person

BAD_NAMES = ["", "x" * 256, "a/b", ".", "..", "*", "a\nb", " a", "a "]
BAD_ENTRIES = [
    RosterEntry("erin", "dean"),
    RosterEntry("erin", first_name="x" * 256),
    RosterEntry("erin", section="x" * 256),
    RosterEntry("erin", email="\0"),
    RosterEntry("erin", last_name="\ud800"),
]


@pytest.fixture
def refused(course):
    """Assert that a call is refused and that nothing was written."""

    def check(error, function, *args, **kwargs):
        before = everything()
        with pytest.raises(error):
            function(*args, **kwargs)
        assert everything() == before

    return check


def member(username):
    return Membership.objects.select_related("user", "course").get(user__username=username)


def last_entry():
    entry = AuditEntry.objects.latest("pk")
    return entry.action, entry.actor, entry.role, entry.course, entry.target, entry.details


# Courses


@pytest.mark.parametrize("name", BAD_NAMES)
def test_names_that_fit_no_address_are_refused(refused, name):
    refused(Invalid, services.create_course, name, by=SERVER)
    refused(Invalid, services.create_course, "New", [name], by=SERVER)
    refused(Invalid, services.known_users, [name])


@pytest.mark.parametrize("name", ["NBG*", "\x1b[2JNBG", "NBG\r", "NBG\u202e101"])
def test_course_name_that_nbgrader_or_a_terminal_takes_for_something_else_is_refused(refused, name):
    refused(Invalid, services.create_course, name, by=SERVER)


def test_course_is_created_with_its_instructors(course):
    services.create_course("New", ["alice", "zoe"], by=actor("root"))
    members = Membership.objects.filter(course__name="New")
    assert {(one.user.username, one.role) for one in members} == {("alice", "instructor"), ("zoe", "instructor")}
    assert last_entry() == ("create course", "root", "administrator", "New", "New", {"instructors": ["alice", "zoe"]})


def test_name_of_a_course_is_taken_once(refused):
    refused(AlreadyExists, services.create_course, COURSE, ["zoe"], by=SERVER)


@pytest.mark.parametrize("who", ["alice", "gina", "bob", "erin"])
def test_courses_are_for_administrators(refused, course, who):
    refused(PermissionDenied, services.create_course, "New", by=actor(who))
    refused(PermissionDenied, services.trash_course, course, by=actor(who))
    Course.objects.filter(pk=course.pk).update(removed_at=timezone.now())
    refused(PermissionDenied, services.restore_course, COURSE, by=actor(who))
    refused(PermissionDenied, services.restore_course, course, by=actor(who))


def test_repeated_trashing_and_restoring_change_nothing(course):
    before = everything()
    services.restore_course(course, by=SERVER)
    assert everything() == before
    services.trash_course(course, by=SERVER)
    before = everything()
    services.trash_course(course, by=SERVER)
    assert everything() == before


# Members


@pytest.mark.parametrize("entry", BAD_ENTRIES)
def test_malformed_entries_are_refused(refused, course, entry):
    refused(Invalid, services.add_member, course, entry, by=SERVER)
    refused(Invalid, services.change_member, member("bob"), entry, by=SERVER)
    assert not course.memberships.filter(user__username="erin").exists()


def test_member_is_added_once(refused, course):
    added = services.add_member(course, RosterEntry("zoe", "grader", "Zoë"), by=actor("alice"))
    assert (added.role, added.first_name, added.last_name) == ("grader", "Zoë", None)
    assert last_entry() == ("add member", "alice", "instructor", COURSE, "zoe", {"given": "grader"})
    refused(AlreadyExists, services.add_member, course, RosterEntry("zoe"), by=actor("alice"))


@pytest.mark.parametrize("who", ["gina", "bob", "carol", "erin"])
def test_roster_is_for_instructors(refused, course, who):
    by = actor(who)
    refused(PermissionDenied, services.add_member, course, RosterEntry("zoe"), by=by)
    refused(PermissionDenied, services.change_member, member("dave"), RosterEntry("dave", "grader"), by=by)
    refused(PermissionDenied, services.set_member, course, RosterEntry("dave", "grader"), by=by)
    refused(PermissionDenied, services.remove_member, member("dave"), by=by)
    assert not User.objects.filter(username="zoe").exists()


def test_instructors_are_for_administrators(refused, course):
    alice = actor("alice")
    services.add_member(course, RosterEntry("zoe", "instructor"), by=actor("root"))
    refused(PermissionDenied, services.add_member, course, RosterEntry("erin", "instructor"), by=alice)
    refused(PermissionDenied, services.change_member, member("bob"), RosterEntry("bob", "instructor"), by=alice)
    refused(PermissionDenied, services.change_member, member("zoe"), RosterEntry("zoe", "student"), by=alice)
    refused(PermissionDenied, services.remove_member, member("zoe"), by=alice)
    services.remove_member(member("zoe"), by=actor("root"))
    assert last_entry()[:3] == ("remove member", "root", "administrator")


@pytest.mark.parametrize("who", ["alice", "gina"])
def test_staff_change_their_own_names_and_no_more(refused, who):
    services.change_member(member(who), RosterEntry(who, first_name="New"), by=actor(who))
    assert member(who).first_name == "New"
    other_role = Role.GRADER if who == "alice" else Role.INSTRUCTOR
    refused(PermissionDenied, services.change_member, member(who), RosterEntry(who, other_role), by=actor(who))


def test_students_do_not_change_their_own_names(refused):
    refused(
        PermissionDenied, services.change_member, member("bob"), RosterEntry("bob", first_name="X"), by=actor("bob")
    )


def test_role_that_counts_is_the_one_at_the_moment_of_writing(refused):
    stale = member("bob")
    Membership.objects.filter(pk=stale.pk).update(role=Role.INSTRUCTOR)
    refused(PermissionDenied, services.change_member, stale, RosterEntry("bob", "student"), by=actor("alice"))
    stale.role = Role.STUDENT
    refused(PermissionDenied, services.remove_member, stale, by=actor("alice"))


def test_member_who_was_removed_meanwhile_is_not_found(refused):
    stale = member("bob")
    services.remove_member(member("bob"), by=actor("alice"))
    assert last_entry() == ("remove member", "alice", "instructor", COURSE, "bob", {"was": "student"})
    refused(NotFound, services.change_member, stale, RosterEntry("bob", "grader"), by=actor("alice"))
    refused(NotFound, services.remove_member, stale, by=actor("alice"))


def test_set_member_adds_or_changes_and_leaves_what_is_not_stated(course):
    membership, is_new = services.set_member(course, RosterEntry("zoe", first_name="Z"), by=actor("alice"))
    assert (is_new, membership.role) == (True, "student")
    membership, is_new = services.set_member(course, RosterEntry("zoe", "grader"), by=actor("alice"))
    assert (is_new, membership.role, membership.first_name) == (False, "grader", "Z")
    assert last_entry()[-1] == {"was": "student", "given": "grader"}


def test_course_restored_meanwhile_is_not_deleted(refused, course):
    services.trash_course(course, by=SERVER)
    stale = Course.objects.get(pk=course.pk)
    services.restore_course(course, by=SERVER)
    refused(Conflict, services.delete_course_permanently, stale, by=SERVER)
    assert person("bob")
