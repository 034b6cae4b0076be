"""Releasing, withdrawing, releasing again."""

from datetime import UTC, datetime

import pytest

from exchange.api.v2 import serializers
from exchange.models import Assignment, Release
from tests import cast
from tests.cast import COURSE, PS1, WORK, of_assignment, post_bundle, v2

RELEASES = of_assignment("releases")


def names(who, **query):
    return [row["name"] for row in cast.client(who).get(v2("assignments"), query).json()["results"]]


def test_release_makes_the_assignment_and_students_fetch_it(course, alice, bob):
    answer = post_bundle(alice, RELEASES, cast.bundle(PS1, due="2027-01-31T22:00:00Z"))
    assert answer.status_code == 201 and answer.json()["number"] == 1
    (row,) = bob.get(v2("assignments")).json()["results"]
    assert row["due"] == "2027-01-31T22:00:00.000000Z" and row["status"] == "released"
    assert row["notebooks"] == [{"notebook_id": "ps1", "path": "ps1.ipynb"}]
    latest = bob.get(of_assignment("releases", "latest")).json()
    assert latest["files"] == cast.manifest(PS1) and latest["digest"] == row["release"]["digest"]
    assert latest["released_by"] == "alice"


def test_second_release_needs_force_and_goes_on_with_the_first(assignment, alice, bob):
    answer = post_bundle(alice, RELEASES, cast.bundle(WORK))
    assert (answer.status_code, answer.json()["code"]) == (409, "already_released")
    assert Release.objects.count() == 1
    answer = post_bundle(alice, RELEASES + "?force=true", cast.bundle(WORK))
    assert answer.json()["number"] == 2
    assert bob.get(of_assignment("releases", "latest")).json()["files"] == cast.manifest(WORK)


def test_unchanged_files_need_not_be_sent_again(assignment, alice):
    asked = alice.post(v2("blobs", "missing"), {"files": cast.manifest(PS1)}, format="json")
    assert asked.json() == {"missing": []}
    body = cast.bundle(PS1, leave_out=list(PS1))
    assert post_bundle(alice, RELEASES + "?force=1", body).status_code == 201


def test_withdrawn_is_hidden_from_students_and_comes_back(submission, alice, bob):
    alice.post(of_assignment("withdraw"))
    assert names("bob") == names("bob", status="all") == names("alice") == []
    assert names("alice", status="withdrawn") == ["ps1"]
    assert bob.get(of_assignment("releases", "latest")).status_code == 404
    alice.post(of_assignment("restore"))
    assert names("bob") == ["ps1"]
    assert len(alice.get(v2("submissions")).json()["results"]) == 1


def test_release_after_withdrawal_needs_no_force_and_keeps_everything(submission, alice):
    alice.post(of_assignment("withdraw"))
    assert post_bundle(alice, RELEASES, cast.bundle(PS1)).json()["number"] == 2
    assert len(alice.get(v2("submissions")).json()["results"]) == 1
    assert len(alice.get(RELEASES).json()["results"]) == 2


def test_due_date_stays_unless_a_release_says_otherwise(course, alice):
    post_bundle(alice, RELEASES, cast.bundle(PS1, due="2027-01-31T22:00:00+02:00"))
    post_bundle(alice, RELEASES + "?force=true", cast.bundle(PS1))
    assert Assignment.objects.get().due == datetime(2027, 1, 31, 20, tzinfo=UTC)
    post_bundle(alice, RELEASES + "?force=true", cast.bundle(PS1, due=None))
    assert Assignment.objects.get().due is None


def test_malformed_due_date_releases_nothing(course, alice):
    assert post_bundle(alice, RELEASES, cast.bundle(PS1, due="soon")).status_code == 400
    assert not Assignment.objects.exists()


@pytest.mark.parametrize("part", [(), ("releases",), ("releases", "latest"), ("submissions",)])
def test_assignment_of_another_course_is_not_found_under_this_one(submission, part):
    address = of_assignment(*part, course=cast.ELSEWHERE)
    assert cast.client("carol").get(address).status_code == 404
    assert cast.client("root").get(address).status_code == 404


def test_list_of_a_course_has_its_own_assignments_alone(two_courses):
    for course, name in ((cast.COURSE, "ps1"), (cast.ELSEWHERE, "lab 1")):
        rows = cast.client("root").get(v2("courses", course, "assignments")).json()["results"]
        assert [row["name"] for row in rows] == [name]


@pytest.mark.parametrize("name", ["ps 1", "Übung-1", "ps.1", "作业", "a'b\"c", "50%", "a&b=c?d#e", "ps1;x"])
@pytest.mark.parametrize(
    "course_name",
    [
        "C++ & Co.",
        *(pytest.param(name, marks=pytest.mark.wide) for name in ("NBG 101", "Algèbre 1.2", "数学", "100%", "a+b")),
    ],
)
def test_names_of_any_kind_travel(course, name, course_name):
    course.name = course_name
    course.save()
    address = of_assignment("releases", course=course_name, assignment=name)
    assert post_bundle(cast.client("alice"), address, cast.bundle(PS1)).status_code == 201
    (row,) = cast.client("bob").get(v2("assignments"), {"course": course_name, "assignment": name}).json()["results"]
    assert (row["course"], row["name"]) == (course_name, name)
    assert cast.client("bob").get(of_assignment(course=course_name, assignment=name)).status_code == 200


@pytest.mark.parametrize("username", ["b.o.b", "bob smith", "bob+1", "bób", "学生", "bob@example.org", "o'bob"])
def test_user_names_of_any_kind_work(assignment, username, alice):
    who = cast.client(username)
    assert who.get(v2("me")).json()["username"] == username
    assert alice.put(v2("courses", cast.COURSE, "members", username), {}, format="json").status_code == 201
    assert post_bundle(who, of_assignment("submissions"), cast.bundle(WORK)).json()["student"] == username
    (row,) = alice.get(v2("submissions"), {"student": username}).json()["results"]
    assert row["student"] == username


@pytest.mark.parametrize("who", ["bob", "gina", "alice", "root"])
def test_list_is_the_same_with_and_without_the_default_of_its_filter(submission, alice, who, django_assert_num_queries):
    for name in ("ps2", "ps3"):
        post_bundle(alice, of_assignment("releases", assignment=name), cast.bundle(PS1))
    alice.post(v2("courses", COURSE, "assignments", "ps2", "withdraw"))
    client = cast.client(who)
    with django_assert_num_queries(4):
        plain = client.get(v2("assignments")).json()
    assert plain == client.get(v2("assignments"), {"status": "released"}).json()
    assert [row["name"] for row in plain["results"]] == ["ps1", "ps3"]
    assert [row["my_submissions"] for row in plain["results"]] == [int(who == "bob"), 0]


def test_pages_of_the_list_lead_to_each_other(assignment, alice, bob):
    post_bundle(alice, of_assignment("releases", assignment="ps2"), cast.bundle(PS1))
    first = bob.get(v2("assignments"), {"page_size": 1}).json()
    second = bob.get(first["next"]).json()
    assert [row["name"] for row in first["results"] + second["results"]] == ["ps1", "ps2"]
    assert first["previous"] is None and second["next"] is None
    assert bob.get(second["previous"]).json()["results"] == first["results"]


def test_serializer_keeps_nothing_of_a_request(assignment, bob):
    bob.get(v2("assignments"))
    template = serializers._template(serializers.AssignmentSerializer)
    assert template.context == {} and template.instance is None
