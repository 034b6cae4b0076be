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
def refused(course):
    """Sends what is refused with this status and code, shows that it changes nothing, and returns the message."""

    def check(status, code, method, address, body=None, *, who="alice"):
        before = cast.everything()
        answer = getattr(cast.client(who), method)(address, body, format="json")
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
        ({"role": "student"}, ["bob", "dave"]),
        ({"role": "stud"}, []),
        ({"section": "A"}, ["bob", "dave"]),
        ({"section": ""}, ["alice", "gina"]),
        ({"section": "A", "role": "grader"}, []),
        ({"search": "MARLEY"}, ["bob"]),
        ({"search": "b.example"}, ["dave"]),
        ({"search": "dave example"}, ["dave"]),
        ({"search": "dave marley"}, []),
        ({"search": ""}, ["alice", "bob", "dave", "gina"]),
    ],
    ids=str,
)
def test_list_is_narrowed_by_role_section_and_words(names, alice, query, found):
    assert sorted(row["username"] for row in alice.get(MEMBERS, query).json()["results"]) == found


def test_search_for_more_words_than_a_statement_takes_is_refused(names, refused):
    assert refused(400, "bad_request", "get", MEMBERS + "?search=" + "a+" * 1900) == "Search for 10 words at most."


def test_students_read_themselves_alone(bob, refused):
    assert bob.get(member("bob")).json() == {**UNNAMED, "username": "bob", "role": "student"}
    refused(403, "permission_denied", "get", member("dave"), who="bob")


def test_members_of_another_course_are_not_found(refused):
    assert refused(404, "not_found", "get", member("carol")) == "carol is not a member of NBG 101."
    refused(404, "not_found", "patch", member("carol"), {"section": "B"})
    refused(404, "not_found", "delete", member("carol"))


# Who may write


@pytest.mark.parametrize(("method", "body"), [("patch", {"section": "B"}), ("put", {}), ("delete", None)])
def test_students_change_nothing(refused, method, body):
    refused(403, "permission_denied", method, member("bob"), body, who="bob")


@pytest.mark.parametrize("method", ["put", "patch"])
def test_staff_change_their_own_names_and_no_more(refused, method):
    answer = getattr(cast.client("gina"), method)(member("gina"), {"first_name": "Gina"}, format="json")
    assert (answer.status_code, answer.json()["first_name"]) == (200, "Gina")
    refused(403, "permission_denied", method, member("gina"), {"role": "student"}, who="gina")
    refused(403, "permission_denied", method, member("bob"), {"first_name": "Rob"}, who="gina")


@pytest.mark.parametrize("address", [MEMBERS, BULK])
def test_permission_is_asked_before_the_body_is_looked_at(refused, address):
    refused(403, "permission_denied", "post", address, {"nonsense": 7}, who="bob")
    refused(400, "bad_request", "post", address, {"nonsense": 7})


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
