"""Many memberships at once: service functions, and actions of the admin's list. All or nothing, across courses too."""

import pytest

from courses import bulk, roster, services
from courses.errors import Invalid, PermissionDenied
from courses.models import AuditEntry, Course, Membership
from courses.permissions import SERVER
from courses.services import RosterEntry
from tests.cast import COURSE, ELSEWHERE, actor, enrol, everything, person

LIST = "/admin/courses/membership/"


@pytest.fixture
def other(course):
    """Another course in which alice teaches, gina grades, and bob and erin are students."""
    made = Course.objects.create(name="Other")
    for username, role in (("alice", "instructor"), ("gina", "grader"), ("bob", "student"), ("erin", "student")):
        enrol(made, username, role)
    return made


def members(*usernames, course=None):
    found = Membership.objects.select_related("user", "course").filter(user__username__in=usernames)
    return list(found.filter(course__name=course) if course else found)


def roles(course=COURSE):
    return dict(Membership.objects.filter(course__name=course).values_list("user__username", "role"))


# The service functions


def test_roles_are_changed_in_all_courses_and_logged_in_each(other):
    assert bulk.change_roles(members("bob", "dave", "gina"), "grader", by=actor("alice")) == 3
    assert roles() == {"alice": "instructor", "gina": "grader", "bob": "grader", "dave": "grader"}
    assert roles("Other") == {"alice": "instructor", "gina": "grader", "bob": "grader", "erin": "student"}
    entries = {entry.course: entry for entry in AuditEntry.objects.all()}
    assert {name: entry.details for name, entry in entries.items()} == {
        COURSE: {"given": "grader", "was": {"bob": "student", "dave": "student"}},
        "Other": {"given": "grader", "was": {"bob": "student"}},
    }
    assert {(entry.action, entry.actor, entry.role) for entry in entries.values()} == {
        ("change roles", "alice", "instructor")
    }


def test_roles_may_be_taken_away_again(other):
    assert bulk.change_roles(members("gina"), "student", by=actor("alice")) == 2
    assert roles()["gina"] == roles("Other")["gina"] == "student"


def test_roles_that_they_have_change_nothing(other):
    before = everything()
    assert bulk.change_roles(members("bob", "dave"), "student", by=actor("alice")) == 0
    assert bulk.change_roles([], "student", by=actor("alice")) == bulk.remove_members([], by=actor("alice")) == 0
    assert everything() == before


def test_members_are_removed_in_all_courses_and_their_work_stays(submission, other):
    assert bulk.remove_members(members("bob", "erin"), by=actor("alice")) == 3
    assert set(roles()) == {"alice", "gina", "dave"} and set(roles("Other")) == {"alice", "gina"}
    submission.refresh_from_db()
    assert submission.student.username == "bob"
    assert [entry.details for entry in AuditEntry.objects.filter(action="remove members").order_by("course")] == [
        {"was": {"bob": "student"}},
        {"was": {"bob": "student", "erin": "student"}},
    ]


@pytest.mark.parametrize(
    ("who", "whom"),
    [
        ("alice", ("bob", "carol")),
        ("alice", ("bob", "alice")),
        ("gina", ("bob",)),
        ("bob", ("bob",)),
        ("carol", ("bob", "carol")),
        ("erin", ("bob",)),
    ],
)
def test_one_right_that_is_lacking_stops_all_of_it(other, who, whom):
    before = everything()
    for change in (bulk.remove_members, lambda chosen, by: bulk.change_roles(chosen, "grader", by=by)):
        with pytest.raises(PermissionDenied):
            change(members(*whom), by=actor(who))
    assert everything() == before


def test_instructors_are_given_by_administrators_alone(other):
    before = everything()
    with pytest.raises(PermissionDenied):
        bulk.change_roles(members("bob"), "instructor", by=actor("alice"))
    assert everything() == before
    assert bulk.change_roles(members("bob", "alice"), "instructor", by=actor("root")) == 2
    assert bulk.remove_members(members("alice", "carol"), by=actor("root")) == 3


@pytest.mark.parametrize("role", ["", "teacher", "x" * 1000])
def test_what_is_no_role_is_refused(course, role):
    before = everything()
    with pytest.raises(Invalid, match="is not a role"):
        bulk.change_roles(members("bob"), role, by=actor("root"))
    assert everything() == before


def test_roles_are_those_of_the_moment_of_writing(course):
    looked_at = members("bob", "dave")
    services.change_member(members("bob")[0], RosterEntry("bob", "instructor"), by=actor("root"))
    before = everything()
    with pytest.raises(PermissionDenied):
        bulk.change_roles(looked_at, "student", by=actor("alice"))
    with pytest.raises(PermissionDenied):
        bulk.remove_members(looked_at, by=actor("alice"))
    assert everything() == before


def test_who_has_left_meanwhile_is_not_counted(course):
    looked_at = members("bob", "dave")
    services.remove_member(members("bob")[0], by=actor("alice"))
    assert bulk.change_roles(looked_at, "grader", by=actor("alice")) == 1
    assert bulk.remove_members(looked_at, by=actor("alice")) == 1
    assert AuditEntry.objects.first().details == {"was": {"dave": "grader"}}


@pytest.mark.wide
def test_statements_do_not_grow_with_the_roster(course, django_assert_max_num_queries):
    roster.apply_roster(course, [RosterEntry(f"s{number}") for number in range(1500)], by=SERVER)
    chosen = list(course.memberships.filter(role="student").select_related("user", "course"))
    person("alice")
    with django_assert_max_num_queries(15):
        assert bulk.change_roles(chosen, "grader", by=actor("alice")) == 1502
    with django_assert_max_num_queries(15):
        assert bulk.remove_members(chosen, by=actor("alice")) == 1502
    assert set(roles()) == {"alice", "gina"}


# The list's actions


def choose(browser, action, chosen, **more):
    return browser.post(LIST, {"action": action, "_selected_action": [one.pk for one in chosen], **more}, follow=True)


def test_actions_change_roles(other, browser):
    answer = choose(browser("alice"), "make_graders", members("bob", "dave"))
    assert "3 members are now graders." in answer.content.decode()
    assert roles()["bob"] == roles()["dave"] == roles("Other")["bob"] == "grader"
    answer = choose(browser("alice"), "make_students", members("gina"))
    assert "2 members are now students." in answer.content.decode()


def test_taking_off_is_asked_first(course, browser):
    before = everything()
    answer = choose(browser("alice"), "remove", members("bob", "dave"))
    text = answer.content.decode()
    assert "Their submissions are kept." in text and "bob" in text and 'name="confirmed"' in text
    assert everything() == before
    answer = choose(browser("alice"), "remove", members("bob", "dave"), confirmed="yes")
    assert "2 members were removed from the roster." in answer.content.decode()
    assert set(roles()) == {"alice", "gina"}


@pytest.mark.parametrize("action", ["make_graders", "make_students", "remove"])
@pytest.mark.parametrize(
    ("who", "whom"), [("alice", ("bob", "alice")), ("gina", ("bob",)), ("bob", ("bob",)), ("erin", ("bob",))]
)
def test_actions_of_those_who_may_not_change_nothing(course, browser, action, who, whom):
    before = everything()
    choose(browser(who), action, members(*whom), confirmed="yes")
    assert everything() == before


@pytest.mark.parametrize("action", ["make_graders", "make_students", "remove"])
def test_rows_of_a_course_that_one_does_not_see_are_not_touched(course, browser, action):
    before = everything()
    choose(browser("alice"), action, members("carol"), confirmed="yes")
    assert everything() == before
    choose(browser("alice"), action, members("carol", "bob", "gina"), confirmed="yes")
    assert roles(ELSEWHERE) == {"carol": "instructor"} and everything() != before


def test_one_row_that_one_may_not_change_stops_the_whole_action(other, browser):
    services.change_member(members("alice", course="Other")[0], RosterEntry("alice", "grader"), by=SERVER)
    before = everything()
    answer = choose(browser("alice"), "make_graders", members("bob"))
    assert "you may not change the roster" in answer.content.decode() and everything() == before
    answer = choose(browser("alice"), "remove", members("bob"), confirmed="yes")
    assert "you may not change the roster" in answer.content.decode() and everything() == before


def test_looking_at_an_action_does_nothing(course, browser):
    before = everything()
    query = {"action": "remove", "_selected_action": [one.pk for one in members("bob")], "confirmed": "yes"}
    browser("alice").get(LIST, query)
    assert everything() == before
