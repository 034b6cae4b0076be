"""Courses through the API. Who gets what at each address: exchange/api/v2/test_permissions.py."""

import pytest

from courses import services
from courses.models import Course
from courses.permissions import SERVER
from tests import cast
from tests.cast import COURSE, ELSEWHERE, v2

COURSES = v2("courses")


@pytest.mark.parametrize(
    ("who", "found"),
    [
        ("bob", {COURSE: "student"}),
        ("carol", {ELSEWHERE: "instructor"}),
        ("erin", {}),
        ("root", {COURSE: None, ELSEWHERE: None}),
    ],
)
def test_list_has_the_actors_own_courses_and_all_for_an_administrator(course, who, found):
    rows = cast.client(who).get(COURSES).json()["results"]
    assert {row["name"]: row["role"] for row in rows} == found


@pytest.mark.parametrize("who", ["alice", "root"])
def test_course_in_the_trash_is_not_found(course, who):
    services.trash_course(course, by=SERVER)
    client = cast.client(who)
    assert client.get(v2("courses", COURSE)).status_code == 404
    assert COURSE not in [row["name"] for row in client.get(COURSES).json()["results"]]


def test_course_is_restored(course):
    services.trash_course(course, by=SERVER)
    assert cast.client("root").post(v2("courses", COURSE, "restore")).json()["name"] == COURSE
    assert Course.objects.get(name=COURSE).removed_at is None


@pytest.mark.parametrize(("who", "status"), [("alice", 403), ("root", 400)])
def test_permission_is_asked_before_the_body_is_looked_at(course, who, status):
    before = cast.everything()
    assert cast.client(who).post(COURSES, {"nonsense": 7}, format="json").status_code == status
    assert cast.everything() == before
