"""What a CSV file does to a roster: line by line, never more than it says, and nothing the second time."""

import pytest

from courses.errors import Conflict
from courses.importers import csv_file
from courses.models import AuditEntry, Course, Membership, Role, User
from courses.permissions import SERVER
from courses.roster import Result
from tests import cast


def sheet(*lines, header="username,role,first_name,section"):
    return csv_file.read("\n".join([header, *lines]).encode())


@pytest.fixture
def bring(course):
    """Applies lines to the roster as alice, or whoever is named: {line: (user name, result, message)}."""

    def apply(*lines, by="alice", **options):
        read = sheet(*lines)
        report, outcomes = csv_file.import_roster(course, read, by=cast.actor(by) if by else SERVER, **options)
        assert report.rows == [outcome.row for outcome in outcomes]
        return [(one.line, one.row.username, str(one.row.result), one.row.message) for one in outcomes]

    return apply


def members(course):
    return dict(course.memberships.values_list("user__username", "role"))


def test_each_line_is_reported_in_the_order_of_the_file(course, bring):
    outcomes = bring("bob,,Bob", "frank,grader", ",x", "dave", "a/b", "gina,student")
    assert [(line, name, result) for line, name, result, _ in outcomes] == [
        (2, "bob", "changed"),
        (3, "frank", "created"),
        (4, "", "refused"),
        (5, "dave", "unchanged"),
        (6, "a/b", "refused"),
        (7, "gina", "refused"),
    ]
    assert members(course) == {**cast.ROLES, "frank": "grader"}


def test_differences_are_told_before_and_after(course):
    _, (changed, new) = csv_file.import_roster(course, sheet("bob,grader,Bob", "frank"), by=cast.actor("alice"))
    empty = {"first_name": None, "last_name": None, "email": None, "section": ""}
    assert changed.row.before == {**empty, "role": "student"}
    assert changed.row.after == {**empty, "role": "grader", "first_name": "Bob"}
    assert (new.row.before, new.row.after) == (None, {"role": "student"})


def test_repeat_changes_nothing_and_is_not_logged(course, bring):
    lines = ("bob,grader,Bob,A", "frank", "alice,instructor", "gina,student", "x/y")
    bring(*lines)
    before = cast.everything()
    assert [result for _, _, result, _ in bring(*lines)] == ["unchanged"] * 3 + ["refused"] * 2
    assert cast.everything() == before


def test_dry_run_says_the_same_and_writes_nothing(course, bring):
    lines = ("bob,grader,Bob", "frank", "gina,student")
    before, people = cast.everything(), User.objects.count()
    foreseen = bring(*lines, remove_others=True, dry_run=True)
    assert (cast.everything(), User.objects.count()) == (before, people)
    assert bring(*lines, remove_others=True) == foreseen


def test_empty_cells_leave_what_is_there(course, bring):
    Membership.objects.filter(user__username="gina").update(first_name="Gina", section="A")
    assert bring("gina,,,")[0][2] == "unchanged"
    assert bring("gina,,,B")[0][2] == "changed"
    gina = course.memberships.get(user__username="gina")
    assert (gina.role, gina.first_name, gina.section) == ("grader", "Gina", "B")


@pytest.mark.parametrize("by", ["alice", "root", None])
@pytest.mark.parametrize("line", ["gina,student", "alice,student", "alice,grader"])
def test_staff_are_never_demoted(course, bring, by, line):
    before = cast.everything()
    ((number, _, result, message),) = bring(line, by=by)
    assert (number, result) == (2, "refused") and "never demotes" in message
    assert cast.everything() == before


@pytest.mark.parametrize("line", ["bob,instructor", "gina,Instructor", "frank,INSTRUCTOR", "alice,instructor,Alicia"])
def test_instructor_makes_and_changes_no_instructor(course, bring, line):
    before, people = cast.everything(), User.objects.count()
    assert bring(line)[0][2:] == ("refused", "only an administrator adds or changes instructors")
    assert (cast.everything(), User.objects.count()) == (before, people)


@pytest.mark.parametrize("by", ["root", None])
def test_administrators_and_the_server_make_instructors(course, bring, by):
    bring("bob,instructor", "frank,instructor", by=by)
    assert members(course) == {**cast.ROLES, "bob": "instructor", "frank": "instructor"}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("bob,owner", "is not a role"),
        ("bob,ＳＴＵＤＥＮＴ", "is not a role"),
        (f"bob,,{'x' * 256}", "first_name is longer than 255 characters"),
        (f"bob,,,{'x' * 256}", "section is longer than 255 characters"),
    ],
)
def test_bad_line_is_refused_by_itself(course, bring, line, message):
    (refused, applied) = bring(line, "frank")
    assert refused[:3] == (2, "bob", "refused") and message in refused[3]
    assert applied[2] == "created"
    assert members(course) == {**cast.ROLES, "frank": "student"}


def test_names_of_255_characters_are_kept(course, bring):
    bring(f"{'f' * 255},,{'é' * 255},{'数' * 255}")
    assert course.memberships.filter(user__username="f" * 255, first_name="é" * 255, section="数" * 255).exists()


def test_second_line_of_the_same_person_is_refused(course, bring):
    assert bring("frank,,Frank", "frank,,Francis", "frank,,Frank")[1:] == [
        (3, "frank", "refused", "comes twice"),
        (4, "frank", "refused", "comes twice"),
    ]
    assert course.memberships.get(user__username="frank").first_name == "Frank"


def test_case_of_a_user_name_is_part_of_it(course, bring):
    assert [result for _, _, result, _ in bring("Bob", "BOB", "bob")] == ["created", "created", "unchanged"]
    assert {"Bob", "BOB", "bob"} < set(members(course))


# Members whom the file does not name


def test_others_stay_unless_asked_for(course, bring):
    bring("frank")
    assert members(course) == {**cast.ROLES, "frank": "student"}


def test_removing_others_takes_students_off_and_nobody_else(course, bring):
    cast.enrol(Course.objects.get(name=cast.ELSEWHERE), "dave", Role.STUDENT)
    assert bring("bob", remove_others=True)[1:] == [(None, "dave", "removed", "")]
    assert members(course) == {"alice": "instructor", "gina": "grader", "bob": "student"}
    assert Membership.objects.filter(user__username="dave").exists()


@pytest.mark.parametrize("line", ["dave,owner", f"dave,,{'x' * 256}", "dave,instructor", "bob\ndave\ndave,,Dave"])
def test_whom_a_refused_line_names_is_not_removed(course, bring, line):
    bring("bob", line, remove_others=True)
    assert members(course) == cast.ROLES


@pytest.mark.parametrize("line", [",student,Dave", "dave,,,,B", "\u200bdave", "da/ve", '"dave\nbob"', "x" * 256])
def test_nobody_is_removed_while_a_line_does_not_say_whom_it_names(course, bring, line):
    before = cast.everything()
    with pytest.raises(Conflict, match="Line 3 .*Correct or remove"):
        bring("bob", line, remove_others=True)
    assert cast.everything() == before


def test_file_of_nobody_does_not_empty_the_course(course, bring):
    before = cast.everything()
    with pytest.raises(Conflict, match="names nobody"):
        bring(remove_others=True)
    assert bring() == []
    assert cast.everything() == before


# The log


@pytest.mark.parametrize(
    ("by", "actor", "role"), [("alice", "alice", "instructor"), ("root", "root", "administrator"), (None, "", "server")]
)
def test_import_is_one_line_of_the_log(course, bring, by, actor, role):
    bring("bob,grader", "frank", "gina,student", remove_others=True, by=by)
    (entry,) = AuditEntry.objects.all()
    assert (entry.actor, entry.role, entry.action, entry.course) == (actor, role, "change roster", cast.COURSE)
    assert entry.details == {"created": ["frank"], "changed": ["bob"], "removed": ["dave"], "source": "CSV"}


@pytest.mark.wide
def test_long_file_takes_few_statements(course, django_assert_max_num_queries):
    read = sheet(*(f"student{number},,First {number},A" for number in range(900)), "bob,,Bob", "dave,,Dave")
    with django_assert_max_num_queries(40):
        csv_file.import_roster(course, read, by=cast.actor("alice"))
    assert course.memberships.count() == 904


def test_new_name_that_differs_in_capitals_alone_is_told(course):
    report, _ = csv_file.import_roster(
        course, csv_file.read(b"username\nBob\nEve\neve\n"), by=cast.actor("alice"), dry_run=True
    )
    assert [(row.username, row.result, row.message) for row in report.rows] == [
        ("Bob", Result.CREATED, "bob is somebody else: the names differ in capitals"),
        ("Eve", Result.CREATED, ""),
        ("eve", Result.CREATED, "Eve is somebody else: the names differ in capitals"),
    ]
