"""The roster through the API, member by member. Who gets what at each address: exchange/api/v2/test_permissions.py."""

import pytest

from courses.models import Membership
from tests import cast
from tests.cast import COURSE, v2

MEMBERS = v2("courses", COURSE, "members")


@pytest.fixture
def refused(course):
    """Sends a request and shows that it was refused with this status and that nothing was written."""

    def check(status, who, method, address, body=None):
        before = cast.everything()
        answer = getattr(cast.client(who), method)(address, body, format="json")
        assert answer.status_code == status and cast.everything() == before
        return answer.json()["message"]

    return check


def member(username):
    return v2("courses", COURSE, "members", username)


def names(answer):
    return sorted(row["username"] for row in answer.json()["results"])


def test_list_has_the_members_of_this_course(course, alice):
    assert names(alice.get(MEMBERS)) == ["alice", "bob", "dave", "gina"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"role": "student"}, ["bob", "dave"]),
        ({"role": ""}, []),
        ({"section": "A"}, ["bob"]),
        ({"section": ""}, ["alice", "dave", "gina"]),
        ({"search": "BAKER"}, ["bob"]),
        ({"search": "baker bo"}, ["bob"]),
        ({"search": "baker dave"}, []),
        ({"search": "example.org"}, ["dave"]),
        ({"search": "a", "role": "grader"}, ["gina"]),
    ],
    ids=str,
)
def test_list_is_narrowed(course, alice, query, found):
    Membership.objects.filter(user__username="bob").update(section="A", first_name="Bob", last_name="Baker")
    Membership.objects.filter(user__username="dave").update(email="d@example.org")
    assert names(alice.get(MEMBERS, query)) == found


def test_member_of_another_course_is_not_found(refused):
    assert "not a member" in refused(404, "alice", "get", member("carol"))
    refused(404, "alice", "patch", member("carol"), {"section": "B"})
    refused(404, "alice", "delete", member("carol"))


@pytest.mark.parametrize("method", ["put", "patch"])
def test_body_that_names_somebody_else_is_refused(refused, method):
    assert "somebody else" in refused(400, "alice", method, member("bob"), {"username": "dave", "section": "B"})


@pytest.mark.parametrize("method", ["put", "patch"])
def test_staff_change_their_own_names_and_no_more(course, refused, method):
    answer = getattr(cast.client("gina"), method)(member("gina"), {"first_name": "Gina"}, format="json")
    assert (answer.status_code, answer.json()["first_name"]) == (200, "Gina")
    refused(403, "gina", method, member("gina"), {"role": "student"})
    refused(403, "gina", method, member("bob"), {"first_name": "Rob"})


@pytest.mark.parametrize(("method", "body"), [("patch", {"section": "B"}), ("put", {}), ("delete", None)])
def test_students_read_themselves_alone_and_change_nothing(bob, refused, method, body):
    assert bob.get(member("bob")).status_code == 200
    refused(403, "bob", "get", member("dave"))
    refused(403, "bob", method, member("bob"), body)


@pytest.mark.parametrize("address", [MEMBERS, f"{MEMBERS}bulk/"])
def test_permission_is_asked_before_the_body_is_looked_at(refused, address):
    refused(403, "bob", "post", address, {"nonsense": 7})
    refused(400, "alice", "post", address, {"nonsense": 7})


def test_bulk_reports_on_each_row(course, alice):
    rows = [{"username": "bob", "section": "B"}, {"username": "new"}, {"username": "erin", "role": "instructor"}]
    answer = alice.post(f"{MEMBERS}bulk/", {"members": rows}, format="json").json()
    assert [row["result"] for row in answer["rows"]] == ["changed", "created", "refused"]
    assert set(course.memberships.values_list("user__username", flat=True)) == {"alice", "bob", "dave", "gina", "new"}


def test_bulk_removes_others_and_tries_only_where_asked(course, alice):
    body = {"members": [{"username": "bob"}], "remove_others": True}
    before = cast.everything()
    assert alice.post(f"{MEMBERS}bulk/", {**body, "dry_run": True}, format="json").json()["removed"] == 1
    assert cast.everything() == before
    assert alice.post(f"{MEMBERS}bulk/", body, format="json").json()["removed"] == 1
    assert set(course.memberships.values_list("user__username", flat=True)) == {"alice", "bob", "gina"}


def test_malformed_row_of_a_bulk_is_named(refused):
    rows = [{"username": "new"}, {"role": "student"}]
    assert "members[1]" in refused(400, "alice", "post", f"{MEMBERS}bulk/", {"members": rows})
