"""courses/{course}/members/: list, filter, add, change and remove members, one by one and many at once."""

import pytest

from courses.models import Membership
from exchange.models import Submission
from tests import cast
from tests.cast import v2

MEMBERS = v2("courses", cast.COURSE, "members")
BULK = v2("courses", cast.COURSE, "members", "bulk")
UNNAMED = {"first_name": None, "last_name": None, "email": None, "section": ""}


def member(username):
    return v2("courses", cast.COURSE, "members", username)


def roles(course):
    return dict(course.memberships.values_list("user__username", "role"))


@pytest.fixture
def names(course):
    """Give two members names, to filter by."""
    students = Membership.objects.filter(course=course)
    students.filter(user__username="bob").update(first_name="Bob", last_name="Marley", section="A")
    students.filter(user__username="dave").update(first_name="Dave", email="dave@b.example", section="A")


@pytest.fixture
def refused(course, alice):
    """Sends what is refused with this status and code, shows that it changes nothing, and returns the message."""

    def check(status, code, method, address, body):
        before = cast.everything()
        answer = getattr(alice, method)(address, body, format="json")
        assert (answer.status_code, answer.json()["code"]) == (status, code), answer.json()
        assert cast.everything() == before
        return answer.json()["message"]

    return check


# Reading


def test_list_has_the_whole_roster_with_names(names, alice):
    rows = {row.pop("username"): row for row in alice.get(MEMBERS).json()["results"]}
    assert rows.keys() == cast.ROLES.keys()
    assert rows["bob"] == {**UNNAMED, "role": "student", "first_name": "Bob", "last_name": "Marley", "section": "A"}
    assert rows["alice"] == {**UNNAMED, "role": "instructor"}


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"role": "student"}, {"bob", "dave"}),
        ({"role": "stud"}, set()),
        ({"section": "A"}, {"bob", "dave"}),
        ({"section": ""}, {"alice", "gina"}),
        ({"section": "A", "role": "grader"}, set()),
        ({"search": "MARLEY"}, {"bob"}),
        ({"search": "b.example"}, {"dave"}),
        ({"search": "dave example"}, {"dave"}),
        ({"search": "dave marley"}, set()),
        ({"search": ""}, {"alice", "gina", "bob", "dave"}),
    ],
    ids=str,
)
def test_list_is_narrowed_by_role_section_and_words(names, alice, query, found):
    assert {row["username"] for row in alice.get(MEMBERS, query).json()["results"]} == found


def test_students_read_themselves_alone(course, bob):
    assert bob.get(member("bob")).json() == {**UNNAMED, "username": "bob", "role": "student"}
    assert bob.get(member("dave")).status_code == 403


def test_members_of_another_course_are_not_found(course, alice):
    answer = alice.get(member("carol"))
    assert (answer.status_code, answer.json()["message"]) == (404, "carol is not a member of NBG 101.")


# Adding and changing one


def test_member_is_added_as_a_student_unless_the_body_says_more(course, alice):
    answer = alice.post(MEMBERS, {"username": "frank"}, format="json")
    assert (answer.status_code, answer.json()) == (201, {**UNNAMED, "username": "frank", "role": "student"})
    answer = alice.post(MEMBERS, {"username": "fay", "role": "grader", "section": "B"}, format="json")
    assert (answer.json()["role"], answer.json()["section"]) == ("grader", "B")
    assert roles(course) == {**cast.ROLES, "frank": "student", "fay": "grader"}


def test_member_is_added_once(refused):
    assert "bob" in refused(409, "already_exists", "post", MEMBERS, {"username": "bob"})


def test_put_adds_and_then_changes_what_it_states(course, alice):
    assert alice.put(member("frank"), {"section": "A"}, format="json").status_code == 201
    answer = alice.put(member("frank"), {"first_name": "Frank"}, format="json")
    assert answer.status_code == 200
    assert answer.json() == {**UNNAMED, "username": "frank", "role": "student", "first_name": "Frank", "section": "A"}


def test_patch_changes_what_it_states(names, alice):
    answer = alice.patch(member("bob"), {"role": "grader", "last_name": "Dylan"}, format="json")
    assert answer.status_code == 200
    bob = Membership.objects.get(user__username="bob")
    assert (bob.role, bob.first_name, bob.last_name, bob.section) == ("grader", "Bob", "Dylan", "A")


@pytest.mark.parametrize("method", ["put", "patch"])
def test_body_names_nobody_but_the_member_of_the_address(refused, method):
    message = refused(400, "bad_request", method, member("bob"), {"username": "dave", "section": "B"})
    assert message == "username: The address names somebody else."


def test_patch_adds_nobody(refused):
    assert refused(404, "not_found", "patch", member("frank"), {}) == "frank is not a member of NBG 101."


def test_removed_member_keeps_their_submissions(submission, alice):
    answer = alice.delete(member("bob"))
    assert (answer.status_code, answer.content) == (204, b"")
    assert "bob" not in roles(submission.assignment.course)
    assert Submission.objects.get().student.username == "bob"


# Many at once


def test_bulk_reports_on_each_row_and_counts(course, alice):
    body = {"members": [{"username": "bob"}, {"username": "dave", "section": "B"}, {"username": "frank"}]}
    body["members"].append({"username": "gina", "role": "student"})
    answer = alice.post(BULK, body, format="json").json()
    rows = answer.pop("rows")
    assert [(row["username"], row["result"]) for row in rows] == [
        ("bob", "unchanged"),
        ("dave", "changed"),
        ("frank", "created"),
        ("gina", "refused"),
    ]
    assert rows[3]["message"] == "is grader of this course; a roster never demotes staff"
    assert answer == {"created": 1, "changed": 1, "unchanged": 1, "removed": 0, "refused": 1}
    assert roles(course) == {**cast.ROLES, "frank": "student"}


def test_bulk_removes_others_where_the_body_says_so(course, alice):
    body = {"members": [{"username": "bob"}], "remove_others": True}
    assert alice.post(BULK, body, format="json").json()["removed"] == 1
    assert roles(course).keys() == {"alice", "gina", "bob"}


def test_bulk_dry_run_answers_the_same_and_writes_nothing(course, alice):
    body = {"members": [{"username": "bob", "section": "B"}, {"username": "frank"}], "remove_others": True}
    before = cast.everything()
    planned = alice.post(BULK, {**body, "dry_run": True}, format="json").json()
    assert cast.everything() == before
    assert alice.post(BULK, body, format="json").json() == planned
    assert (planned["created"], planned["changed"], planned["removed"]) == (1, 1, 1)


def test_malformed_row_is_named_and_stops_all(refused):
    rows = [{"username": "frank"}, {"username": "fay", "role": "king"}]
    assert refused(400, "bad_request", "post", BULK, {"members": rows}).startswith("members[1]: ")
