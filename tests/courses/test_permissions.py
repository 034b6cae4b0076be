"""Who may do what: the whole table, and each rule that stands beside it."""

import itertools

import pytest
from django.contrib.auth.models import AnonymousUser
from django.test import RequestFactory

from courses.errors import PermissionDenied
from courses.models import Course, Membership, Role, User
from courses.permissions import SERVER, Actor, Permission, actor_of, is_administrator
from tests.cast import COURSE, ELSEWHERE, actor, person

STUDENT = {"SEE_COURSE", "SUBMIT"}
GRADER = STUDENT | {"SEE_ROSTER", "SUBMIT_FOR_OTHERS", "SEE_SUBMISSIONS", "RETURN_FEEDBACK"}
INSTRUCTOR = GRADER | {"CHANGE_ROSTER", "RELEASE", "WITHDRAW_SUBMISSIONS", "EXTEND"}
EVERYTHING = INSTRUCTOR | {"CHANGE_INSTRUCTORS"}
# {user: (what they may do in NBG 101, what they may do elsewhere)}
TABLE = {
    "alice": (INSTRUCTOR, set()),
    "gina": (GRADER, set()),
    "bob": (STUDENT, set()),
    "carol": (set(), INSTRUCTOR),
    "erin": (set(), set()),
    "root": (EVERYTHING, EVERYTHING),
}
CASES = [
    (who, course, permission) for who, course, permission in itertools.product(TABLE, (COURSE, ELSEWHERE), Permission)
]


def named(name):
    return Course.objects.get(name=name)


def may(by, permission, course):
    """What every question about one permission answers, which must be the same."""
    answers = {by.may(permission, course), by.may(permission, course.pk)}
    try:
        by.require(permission, course)
        answers.add(True)
    except PermissionDenied:
        answers.add(False)
    (answer,) = answers
    return answer


@pytest.mark.parametrize(("who", "where", "permission"), CASES)
def test_table(course, who, where, permission):
    expected = permission.name in TABLE[who][where == ELSEWHERE]
    assert may(actor(who), permission, named(where)) is expected
    assert (named(where) in actor(who).courses_where(permission)) is expected
    assert may(SERVER, permission, named(where))


def test_graders_may_extend_where_the_site_says_so(course, settings):
    gina = actor("gina")
    settings.NGSHARE_GRADERS_MAY_EXTEND = True
    assert may(gina, Permission.EXTEND, named(COURSE)) and not may(gina, Permission.EXTEND, named(ELSEWHERE))
    assert not may(gina, Permission.RELEASE, named(COURSE)) and not may(actor("bob"), Permission.EXTEND, named(COURSE))


@pytest.mark.parametrize("who", TABLE)
def test_derived_questions_follow_the_table(course, who):
    by = actor(who)
    allowed = dict(zip((COURSE, ELSEWHERE), TABLE[who], strict=True))
    for name, permissions in allowed.items():
        for role in Role:
            needed = "CHANGE_INSTRUCTORS" if role == Role.INSTRUCTOR else "CHANGE_ROSTER"
            assert by.may_assign(role, named(name)) is (needed in permissions)
    assert {course.name for course in by.visible_courses()} == {name for name in allowed if allowed[name]}
    for permission in Permission:
        assert by.may_anywhere(permission) is any(permission.name in permissions for permissions in allowed.values())
    assert by.is_staff is (who in {"alice", "gina", "carol", "root"})
    assert by.may_everything is by.is_administrator is (who == "root")
    assert by.username == who and by.required_user == person(who)


@pytest.mark.parametrize(("who", "role"), [("alice", "instructor"), ("gina", "grader"), ("bob", "student")])
def test_require_returns_the_role_for_the_log(course, who, role):
    assert actor(who).require(Permission.SUBMIT, course) == role
    assert actor(who).role_in(course) == role and actor(who).role_in(named(ELSEWHERE)) is None


def test_administrator_acts_under_the_role_that_the_roster_gives_where_it_suffices(course):
    Membership.objects.create(course=course, user=person("root"), role=Role.GRADER)
    root = actor("root")
    assert root.require(Permission.RETURN_FEEDBACK, course) == "grader"
    assert root.require(Permission.RELEASE, course) == root.require_administrator() == "administrator"
    assert SERVER.require(Permission.RELEASE, course) == SERVER.require_administrator() == "server"


def test_only_an_administrator_assigns_instructors(course):
    alice = actor("alice")
    assert alice.require_may_assign([None, "student", "grader"], course) == "instructor"
    with pytest.raises(PermissionDenied, match="As an instructor of NBG 101 you may not change instructors"):
        alice.require_may_assign(["student", "instructor"], course)
    assert actor("root").require_may_assign(["instructor"], course) == "administrator"


def test_refusals_say_why(course):
    with pytest.raises(PermissionDenied, match="^You are not a member of the course NBG 101.$"):
        actor("carol").require(Permission.SEE_COURSE, course)
    with pytest.raises(PermissionDenied, match="^As a grader of NBG 101 you may not release assignments.$"):
        actor("gina").require(Permission.RELEASE, course)
    with pytest.raises(PermissionDenied, match="Only an administrator"):
        actor("alice").require_administrator()
    with pytest.raises(PermissionDenied, match="Only a person"):
        SERVER.required_user  # noqa: B018


@pytest.mark.parametrize("who", ["alice", "root"])
def test_deactivated_user_may_nothing(course, who):
    User.objects.filter(username=who).update(is_active=False, is_hub_admin=True)
    by = actor(who)
    assert by.user == person(who) and not by.roles and not by.may_everything and not by.is_staff
    assert not any(may(by, permission, course) for permission in Permission)
    assert not by.visible_courses() and not is_administrator(person(who))


def test_anonymous_visitor_may_nothing(course):
    nobody = Actor.of(AnonymousUser())
    assert nobody.user is None and nobody.username == "" and not nobody.is_server and not nobody.may_everything
    assert not any(may(nobody, permission, course) for permission in Permission)
    assert not nobody.visible_courses() and not is_administrator(AnonymousUser())


def test_course_in_the_trash_gives_nobody_a_role_and_is_visible_to_nobody(course):
    Course.objects.filter(pk=course.pk).update(removed_at=course.created)
    for who in ("alice", "gina", "bob"):
        assert not actor(who).roles and not actor(who).is_staff
        assert not any(may(actor(who), permission, course) for permission in Permission)
    assert [found.name for found in actor("root").visible_courses()] == [ELSEWHERE]
    assert [found.name for found in SERVER.visible_courses()] == [ELSEWHERE]
    # An actor that was made before sees no course of the trash either.
    stale = Actor(user=person("alice"), roles={course.pk: Role.INSTRUCTOR})
    assert not stale.visible_courses()


@pytest.mark.parametrize("is_honoured", [True, False])
def test_administrators_of_the_hub_are_ours_where_the_site_says_so(course, settings, is_honoured):
    settings.NGSHARE_HUB_ADMINS = is_honoured
    User.objects.filter(username="erin").update(is_hub_admin=True)
    assert is_administrator(person("erin")) is actor("erin").may_everything is is_honoured
    assert not actor("bob").may_everything


def test_removal_from_the_roster_holds_for_the_next_actor(course):
    Membership.objects.filter(user__username="alice").delete()
    assert not actor("alice").may(Permission.SEE_COURSE, course)


@pytest.mark.parametrize("who", TABLE)
def test_roster_is_read_once_for_each_actor(course, django_assert_num_queries, who):
    user = person(who)
    with django_assert_num_queries(1):
        by = Actor.of(user)
        for permission in Permission:
            may(by, permission, course)
            by.may_anywhere(permission)
        by.may_assign("grader", course)
    with django_assert_num_queries(0):
        SERVER.may(Permission.RELEASE, course)


def test_request_has_one_actor_until_somebody_else_logs_in(course, django_assert_num_queries):
    request = RequestFactory().get("/")
    request.user = person("alice")
    with django_assert_num_queries(1):
        assert actor_of(request) is actor_of(request)
    request.user = person("bob")
    assert actor_of(request).username == "bob"
    request.user = AnonymousUser()
    assert actor_of(request).user is None and not actor_of(request).roles
