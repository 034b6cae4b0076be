"""Bringing a whole roster to what a source of people states."""

import pytest

from courses.errors import PermissionDenied
from courses.models import AuditEntry, Membership, Role
from courses.permissions import SERVER
from courses.roster import apply_roster
from courses.services import RosterEntry
from tests.cast import COURSE, actor, enrol, everything


def apply(course, *entries, by="alice", **options):
    report = apply_roster(course, entries, by=actor(by) if by else SERVER, **options)
    return [(row.username, str(row.result), row.message) for row in report.rows]


def roles():
    return dict(Membership.objects.filter(course__name=COURSE).values_list("user__username", "role"))


@pytest.mark.parametrize("who", ["gina", "bob", "carol", "erin"])
@pytest.mark.parametrize("dry_run", [True, False])
def test_roster_is_for_instructors(course, who, dry_run):
    before = everything()
    with pytest.raises(PermissionDenied):
        apply(course, RosterEntry("zoe"), by=who, dry_run=dry_run)
    assert everything() == before


def test_members_are_created_changed_and_left_unchanged(course):
    entries = [RosterEntry("zoe", first_name="Z"), RosterEntry("bob", "grader"), RosterEntry("dave")]
    expected = [("zoe", "created", ""), ("bob", "changed", ""), ("dave", "unchanged", "")]
    before = everything()
    assert apply(course, *entries, dry_run=True) == expected and everything() == before
    assert apply(course, *entries, source="a test") == expected
    assert roles() == {"alice": "instructor", "gina": "grader", "dave": "student", "zoe": "student", "bob": "grader"}
    entry = AuditEntry.objects.latest("pk")
    assert (entry.action, entry.actor, entry.role, entry.course) == ("change roster", "alice", "instructor", COURSE)
    assert entry.details == {"created": ["zoe"], "changed": ["bob"], "removed": [], "source": "a test"}
    before = everything()
    assert {result for _, result, _ in apply(course, *entries)} == {"unchanged"}
    assert everything() == before


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (RosterEntry("gina", "student"), "never demotes"),
        (RosterEntry("alice", "grader"), "never demotes"),
        (RosterEntry("bob", "instructor"), "only an administrator"),
        (RosterEntry("zoe", "instructor"), "only an administrator"),
        (RosterEntry("alice", first_name="New"), "only an administrator"),
        (RosterEntry("bob", "dean"), "dean"),
        (RosterEntry("a/b"), "cannot be a user name"),
        (RosterEntry("bob", email="\0"), "cannot be stored"),
        (RosterEntry("bob", first_name="Bob\x1b[31m"), "first_name has a control character"),
        (RosterEntry("bob", section="A\u202eB"), "section has a control character"),
        (RosterEntry("bob", email="x" * 256), "longer than 255"),
    ],
)
def test_one_entry_is_refused_by_itself(course, entry, message):
    refused, created = apply(course, entry, RosterEntry("yan"))
    assert refused[:2] == (entry.username, "refused") and message in refused[2]
    assert created == ("yan", "created", "")
    assert roles() == {"alice": "instructor", "gina": "grader", "bob": "student", "dave": "student", "yan": "student"}


def test_administrators_add_instructors(course):
    assert apply(course, RosterEntry("bob", "instructor"), by="root") == [("bob", "changed", "")]


def test_second_entry_of_one_name_is_refused(course):
    rows = apply(course, RosterEntry("zoe"), RosterEntry("zoe", "grader"))
    assert [row[1] for row in rows] == ["created", "refused"] and roles()["zoe"] == "student"


def test_others_are_removed_only_where_asked_and_only_of_one_role(course):
    apply(course, RosterEntry("bob"))
    assert len(roles()) == 4
    enrol(course, "zoe", Role.STUDENT)
    assert apply(course, RosterEntry("bob"), remove_others=True)[1:] == [
        ("dave", "removed", ""),
        ("zoe", "removed", ""),
    ]
    assert roles() == {"alice": "instructor", "gina": "grader", "bob": "student"}


def test_names_that_differ_in_capitals_are_pointed_out(course):
    assert "bob is somebody else" in apply(course, RosterEntry("Bob"))[0][2]
