"""What nbgrader learns of courses, and what it may change on the roster."""

import pytest
from traitlets.config import Config

from nbgrader_plugin import NgshareAuthenticator
from nbgrader_plugin.client.errors import ErrorResponse
from tests.nbgrader_plugin import hostile
from tests.nbgrader_plugin.hostile import Answer

COURSES = [{"name": "algebra", "role": "instructor"}, {"name": "biology", "role": "student"}]
NOBODY = Answer({"code": "not_found", "message": "There is no such member.", "details": {}}, 404)


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("JUPYTERHUB_API_TOKEN", "alice")
    with hostile.hostile() as script:
        script.answers["/me/"] = {"username": "alice", "is_administrator": False, "courses": COURSES}
        yield script


@pytest.fixture
def authenticator(server):
    return NgshareAuthenticator(config=Config({"NgshareClient": {"url": server.url, "attempts": 1}}))


def sent(server, method):
    return [path for requested, path, _ in server.received if requested == method]


@pytest.mark.parametrize("oneself", ["", "*", "alice"])
def test_own_courses_are_those_of_any_role(authenticator, oneself):
    assert authenticator.get_student_courses(oneself) == ["algebra", "biology"]


def test_administrator_belongs_to_all_courses(authenticator, server):
    server.answers["/me/"] = {"username": "alice", "is_administrator": True, "courses": []}
    server.answers["/courses/"] = hostile.page({"name": "chemistry"})
    assert authenticator.get_student_courses("*") == ["chemistry"]


def test_courses_of_others_are_looked_for_among_the_taught_ones(authenticator, server):
    server.answers["/algebra/members/bob/"] = {"username": "bob", "role": "student"}
    assert authenticator.get_student_courses("bob") == ["algebra"]
    assert not any("biology" in path for path in sent(server, "GET"))


def test_user_who_is_no_member_has_no_courses(authenticator, server):
    server.answers.update({"/members/bob/": NOBODY, "/courses/algebra/": hostile.COURSE})
    assert authenticator.get_student_courses("bob") == []


def test_member_who_is_on_the_roster_already_is_no_error(authenticator, server):
    server.answers["/members/"] = Answer({"code": "already_exists", "message": "Is there.", "details": {}}, 409)
    authenticator.add_student_to_course("bob", "algebra")
    assert len(sent(server, "POST")) == 1


def test_other_refusals_to_add_are_errors(authenticator, server):
    server.answers["/members/"] = Answer({"code": "conflict", "message": "No.", "details": {}}, 409)
    with pytest.raises(ErrorResponse, match="^No.$"):
        authenticator.add_student_to_course("bob", "algebra")


@pytest.mark.parametrize("role", ["instructor", "grader"])
def test_staff_stay_on_the_roster(authenticator, server, role):
    server.answers["/members/gina/"] = {"username": "gina", "role": role}
    authenticator.remove_student_from_course("gina", "algebra")
    assert sent(server, "DELETE") == []


def test_student_is_removed_from_the_roster(authenticator, server):
    server.answers["/members/bob/"] = {"username": "bob", "role": "student"}
    authenticator.remove_student_from_course("bob", "algebra")
    assert sent(server, "DELETE") == ["/api/v2/courses/algebra/members/bob/"]


def test_user_who_is_no_member_is_not_removed(authenticator, server):
    server.answers.update({"/members/bob/": NOBODY, "/courses/algebra/": hostile.COURSE})
    authenticator.remove_student_from_course("bob", "algebra")
    assert sent(server, "DELETE") == []


def test_unknown_course_is_an_error(authenticator):
    with pytest.raises(ErrorResponse):
        authenticator.remove_student_from_course("bob", "algebra")


def test_without_a_course_nothing_is_sent(authenticator, server):
    authenticator.add_student_to_course("bob", "")
    authenticator.remove_student_from_course("bob", "")
    assert server.received == []
