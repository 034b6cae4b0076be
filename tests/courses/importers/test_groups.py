"""From the Hub's groups to rosters: what a group means, and whom it joins to what. (Over the wire: tests/site.)"""

import pytest
from django.core.checks import run_checks

from courses import roster, services
from courses.importers import groups
from courses.importers.groups import Meaning
from courses.models import AuditEntry, Course, Membership
from courses.permissions import SERVER
from courses.services import RosterEntry
from tests import cast
from tests.cast import COURSE, actor, everything, person

TAKES, TEACHES = f"nbgrader-{COURSE}", f"formgrade-{COURSE}"


@pytest.fixture
def switched_on(settings):
    settings.NGSHARE_GROUPS = True


@pytest.fixture
def patterns(settings):
    def set_to(**given):
        settings.NGSHARE_GROUP_PATTERNS = {"student": "", "grader": "", "instructor": "", **given}

    return set_to


def role_of(username, course=COURSE):
    found = Membership.objects.filter(course__name=course, course__removed_at=None, user__username=username)
    return found.values_list("role", flat=True).first()


def join(username, *names):
    """A request of theirs, as their row stands."""
    groups.join(person(username), names)


def leave_course(username):
    services.remove_member(Membership.objects.get(user__username=username, course__name=COURSE), by=actor("alice"))


# What a group means


@pytest.mark.parametrize(
    ("group", "meant"),
    [
        ("nbgrader-NBG 101", [Meaning("NBG 101", "student")]),
        ("formgrade-NBG 101", [Meaning("NBG 101", "instructor")]),
        ("nbgrader-nbgrader-x", [Meaning("nbgrader-x", "student")]),
        ("nbgrader-", []),
        ("nbgrader", []),
        ("Nbgrader-x", []),
        (" nbgrader-x", []),
        ("", []),
        ("nbgrader-a/b", []),
        ("nbgrader-..", []),
        ("nbgrader-a\0b", []),
        ("nbgrader-a\nb", []),
        ("nbgrader-\ud800", []),
        ("nbgrader- x", []),
        ("nbgrader-" + "x" * 255, [Meaning("x" * 255, "student")]),
        ("nbgrader-" + "x" * 256, []),
        ("nbgrader-{course}", [Meaning("{course}", "student")]),
        ("nbgrader-Größe 漢字", [Meaning("Größe 漢字", "student")]),
    ],
)
def test_default_patterns_are_nbgraders_own_names(group, meant):
    assert groups.meanings(group) == meant


@pytest.mark.parametrize(
    ("pattern", "group", "course"),
    [
        ("{course}-takes", "x-takes", "x"),
        ("a-{course}-b", "a-x-b", "x"),
        ("a-{course}-b", "a--b", None),
        ("aba{course}aba", "ababa", None),
        ("{course}", "x", "x"),
        ("a.{course}", "abx", None),
        ("", "x", None),
    ],
)
def test_pattern_may_have_the_course_anywhere(patterns, pattern, group, course):
    patterns(grader=pattern)
    assert groups.meanings(group) == ([Meaning(course, "grader")] if course else [])


@pytest.mark.parametrize("pattern", ["students", "{courses}", "{course}-{course}", "{COURSE}"])
def test_pattern_that_does_not_name_the_course_once_stops_the_start(patterns, pattern):
    patterns(grader=pattern)
    (found,) = [error for error in run_checks() if error.id == "courses.E001"]
    assert f"NGSHARE_GROUP_GRADERS={pattern!r}" in found.msg


def test_default_patterns_and_none_at_all_pass_the_check(patterns):
    assert not [error for error in run_checks() if error.id == "courses.E001"]
    patterns()
    assert not [error for error in run_checks() if error.id == "courses.E001"]


# Whom it joins


def test_nothing_is_joined_unless_it_is_switched_on(course, django_assert_num_queries):
    erin, before = person("erin"), everything()
    with django_assert_num_queries(0):
        groups.join(erin, [TAKES])
    assert everything() == before and person("erin").hub_groups == []


def test_members_of_a_group_join_and_the_log_says_so(course, switched_on):
    join("erin", TAKES, "physics")
    assert role_of("erin") == "student" and person("erin").hub_groups == [TAKES]
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor, entry.role, entry.target) == ("add member", "", "server", "erin")


@pytest.mark.parametrize("named", [(TAKES, TEACHES), (TEACHES, TAKES)])
def test_highest_role_of_several_groups_wins(course, switched_on, named):
    join("erin", *named)
    assert role_of("erin") == "instructor"
    assert person("erin").hub_groups == sorted(named)


def test_group_raises_a_role(course, switched_on):
    join("bob", TEACHES)
    assert role_of("bob") == "instructor"


@pytest.mark.parametrize(("username", "role"), [("alice", "instructor"), ("gina", "grader"), ("bob", "student")])
def test_group_never_demotes_nor_touches_who_has_the_role(course, switched_on, username, role):
    before = everything()
    join(username, TAKES)
    assert role_of(username) == role and everything() == before


def test_group_that_was_applied_costs_no_query(course, switched_on, django_assert_num_queries):
    join("erin", TAKES)
    erin = person("erin")
    with django_assert_num_queries(0):
        groups.join(erin, [TAKES, "physics"])


def test_whom_an_instructor_takes_off_is_not_back(course, switched_on):
    join("erin", TAKES)
    leave_course("erin")
    before = everything()
    join("erin", TAKES)
    assert role_of("erin") is None and everything() == before


def test_whom_an_instructor_makes_less_stays_so(course, switched_on):
    join("erin", TEACHES)
    member = Membership.objects.get(user__username="erin")
    services.change_member(member, RosterEntry("erin", "student"), by=actor("root"))
    join("erin", TEACHES)
    assert role_of("erin") == "student"


def test_another_group_of_the_same_course_counts_anew(course, switched_on):
    join("erin", TAKES)
    leave_course("erin")
    join("erin", TAKES, TEACHES)
    assert role_of("erin") == "instructor"


def test_groups_that_were_applied_earlier_are_still_known(course, switched_on):
    join("erin", TAKES)
    leave_course("erin")
    join("erin", TAKES, f"nbgrader-{cast.ELSEWHERE}")
    assert person("erin").hub_groups == sorted([TAKES, f"nbgrader-{cast.ELSEWHERE}"])
    assert (role_of("erin"), role_of("erin", cast.ELSEWHERE)) == (None, "student")


def test_two_requests_of_one_instant_join_once(course, switched_on, monkeypatch):
    lock_roster = services.lock_roster

    def lock_after_another_request(course):
        cast.enrol(course, "erin", "student")
        return lock_roster(course)

    monkeypatch.setattr(services, "lock_roster", lock_after_another_request)
    join("erin", TAKES)
    assert role_of("erin") == "student" and person("erin").hub_groups == [TAKES]


def test_group_makes_no_course_and_counts_once_there_is_one(course, switched_on):
    before = everything()
    join("erin", "nbgrader-New")
    assert everything() == before and person("erin").hub_groups == []
    services.create_course("New", by=SERVER)
    join("erin", "nbgrader-New")
    assert role_of("erin", "New") == "student"


def test_course_in_the_bin_is_joined_by_nobody_until_it_is_out(course, switched_on):
    services.trash_course(course, by=SERVER)
    before = everything()
    join("erin", TAKES)
    assert everything() == before and person("erin").hub_groups == []
    services.restore_course(course, by=SERVER)
    join("erin", TAKES)
    assert role_of("erin") == "student"


@pytest.mark.parametrize("name", ["nbgrader-a\0b", "nbgrader-\ud800", "nbgrader-" + "x" * 5000, "nbgrader-a/b", "\0"])
def test_weird_names_of_groups_change_nothing(course, switched_on, name):
    before = everything()
    join("erin", name)
    assert everything() == before and person("erin").hub_groups == []
    join("erin", name, TAKES)
    assert role_of("erin") == "student"


def test_several_courses_are_joined_at_once(course, switched_on):
    join("erin", TAKES, f"nbgrader-{cast.ELSEWHERE}")
    assert role_of("erin") == role_of("erin", cast.ELSEWHERE) == "student"


# Everybody at once


@pytest.mark.wide
def test_everybody_is_joined_in_a_few_statements(course, django_assert_max_num_queries):
    names = [f"s{number}" for number in range(3000)]
    with django_assert_max_num_queries(70):
        report = groups.apply(course, {name: {"student"} for name in names})
    assert len(report.rows) == 3000 and course.memberships.count() == 3004
    assert AuditEntry.objects.first().details["source"] == "the Hub's groups"


def test_everybody_keeps_a_higher_role(course):
    report = groups.apply(course, {name: {"student"} for name in ("alice", "gina", "bob", "erin")})
    assert [(row.username, str(row.result)) for row in report.rows] == [("bob", "unchanged"), ("erin", "created")]
    assert (role_of("alice"), role_of("gina")) == ("instructor", "grader")


def test_roles_by_course_gathers_the_roles_of_all_groups():
    members = {TAKES: ["bob", "gina"], TEACHES: ["gina"], "physics": ["dave"], "nbgrader-": ["erin"]}
    assert groups.roles_by_course(members) == {COURSE: {"bob": {"student"}, "gina": {"student", "instructor"}}}


def test_names_that_fit_nowhere_are_refused_one_by_one(course):
    report = groups.apply(course, {name: {"student"} for name in ("a/b", "\0", "\ud800", "erin")})
    assert report.names(roster.Result.CREATED) == ["erin"] and report.count(roster.Result.REFUSED) == 3
    assert Course.objects.get(name=COURSE).memberships.count() == 5


def test_whom_a_sync_joined_is_not_joined_again_by_the_next_request(course, switched_on):
    members = {TAKES: ["erin", "bob"], "nbgrader-New": ["erin"], "physics": ["dave"]}
    groups.apply(course, groups.roles_by_course(members)[COURSE])
    groups.remember(members, {COURSE: course})
    assert person("erin").hub_groups == person("bob").hub_groups == [TAKES] and person("dave").hub_groups == []
    leave_course("erin")
    join("erin", TAKES)
    assert role_of("erin") is None


def test_sync_of_one_group_keeps_in_mind_the_others(course, switched_on):
    join("erin", TEACHES)
    groups.apply(course, {"erin": {"student"}})
    groups.remember({TAKES: ["erin"]}, {COURSE: course})
    assert person("erin").hub_groups == sorted([TAKES, TEACHES])
