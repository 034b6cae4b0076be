"""What each role gets at every address of API v1. ngshare had no graders: they get what the roster gives them."""

import pytest

from exchange import services
from exchange.api.v1.urls import urlpatterns
from tests import cast
from tests.cast import COURSE
from tests.exchange.api.v1.wire import HTML, WORK, ask, said

PEOPLE = ["outsider", "student", "other student", "grader", "instructor", "instructor elsewhere", "administrator"]
NAMES = dict(zip(PEOPLE, ["erin", "bob", "dave", "gina", "alice", "carol", "root"], strict=True))
PERSON = {"first_name": "A", "last_name": "B", "email": "c@d"}
STUDENTS = {"students": '[{"username": "frank", "first_name": "", "last_name": "", "email": ""}]'}
A = (COURSE, "ps1")
# address, method, form, and what each of PEOPLE gets
TABLE = [
    (("courses",), "GET", None, 200, 200, 200, 200, 200, 200, 200),
    (("course", "new"), "POST", {}, 403, 403, 403, 403, 403, 403, 200),
    (("course", COURSE), "DELETE", None, 403, 403, 403, 403, 403, 403, 200),
    (("instructors", COURSE), "GET", None, 403, 200, 200, 200, 200, 403, 200),
    (("instructor", COURSE, "alice"), "GET", None, 403, 200, 200, 200, 200, 403, 200),
    (("instructor", COURSE, "alice"), "POST", PERSON, 403, 403, 403, 403, 200, 403, 200),
    (("instructor", COURSE, "frank"), "POST", PERSON, 403, 403, 403, 403, 400, 403, 200),
    (("instructor", COURSE, "bob"), "POST", PERSON, 403, 403, 403, 403, 400, 403, 200),
    (("instructor", COURSE, "gina"), "POST", PERSON, 403, 403, 403, 403, 400, 403, 200),
    (("instructor", COURSE, "alice"), "DELETE", None, 403, 403, 403, 403, 403, 403, 200),
    (("students", COURSE), "GET", None, 403, 403, 403, 200, 200, 403, 200),
    (("students", COURSE), "POST", STUDENTS, 403, 403, 403, 403, 200, 403, 200),
    (("student", COURSE, "bob"), "GET", None, 403, 200, 403, 200, 200, 403, 200),
    (("student", COURSE, "bob"), "POST", PERSON, 403, 403, 403, 403, 200, 403, 200),
    (("student", COURSE, "frank"), "POST", PERSON, 403, 403, 403, 403, 200, 403, 200),
    (("student", COURSE, "gina"), "POST", PERSON, 403, 403, 403, 403, 409, 403, 409),
    (("student", COURSE, "bob"), "DELETE", None, 403, 403, 403, 403, 200, 403, 200),
    (("assignments", COURSE), "GET", None, 403, 200, 200, 200, 200, 403, 200),
    (("assignment", *A), "GET", None, 403, 200, 200, 200, 200, 403, 200),
    (("assignment", COURSE, "ps2"), "POST", WORK, 403, 403, 403, 403, 200, 403, 200),
    (("assignment", *A), "DELETE", None, 403, 403, 403, 403, 200, 403, 200),
    (("submissions", *A), "GET", None, 403, 403, 403, 200, 200, 403, 200),
    (("submissions", *A, "bob"), "GET", None, 403, 200, 403, 200, 200, 403, 200),
    (("submission", *A), "POST", WORK, 403, 200, 200, 200, 200, 403, 200),
    (("submission", *A, "bob"), "GET", None, 403, 403, 403, 200, 200, 403, 200),
    (("feedback", *A, "bob"), "POST", HTML, 403, 403, 403, 200, 200, 403, 200),
    (("feedback", *A, "bob"), "GET", None, 403, 200, 403, 200, 200, 403, 200),
]
# Quick: every address as a student and as an instructor, one address as everybody.
CASES = [
    pytest.param(
        *(address, method, form, who, status),
        id=f"{method} {'/'.join(address)} by {who}",
        marks=() if who in ("student", "instructor") or address == ("submission", *A) else pytest.mark.wide,
    )
    for address, method, form, *statuses in TABLE
    for who, status in zip(PEOPLE, statuses, strict=True)
]


@pytest.mark.parametrize(("address", "method", "form", "who", "status"), CASES)
def test_each_role_gets_what_the_table_says(assignment, address, method, form, who, status):
    submission, _ = services.submit(assignment, cast.upload({"a.txt": b"a"}), by=cast.actor("bob"))
    time = submission.created.strftime("%Y-%m-%d %H:%M:%S.%f")
    before = cast.everything()
    if address[0] == "feedback" and method == "POST":
        form = {**form, "timestamp": time}
    query = {"timestamp": time} if address[0] == "feedback" else None
    reply = ask(NAMES[who], method, *address, form=form, query=query)
    assert reply.status_code == status, reply.content
    assert reply.headers["Content-Type"] == "text/html; charset=UTF-8"
    if status == 403:
        assert said(reply)[1] == {"success": False, "message": "Permission denied"}
    if status >= 400:
        assert cast.everything() == before
    else:
        assert (cast.everything() == before) == (method == "GET")


FOR_MEMBERS = [
    ("GET", ("assignments", COURSE)),
    ("GET", ("assignment", COURSE, "nowhere")),
    ("POST", ("submission", COURSE, "nowhere")),
]
FOR_STAFF = [
    ("POST", ("assignment", *A)),
    ("DELETE", ("assignment", COURSE, "nowhere")),
    ("GET", ("submissions", COURSE, "nowhere")),
    ("GET", ("submissions", COURSE, "nowhere", "nobody")),
    ("GET", ("submission", COURSE, "nowhere", "nobody")),
    ("POST", ("feedback", COURSE, "nowhere", "nobody")),
    ("GET", ("feedback", COURSE, "nowhere", "nobody")),
    ("POST", ("course", COURSE)),
    ("DELETE", ("course", "nowhere")),
    ("POST", ("instructor", COURSE, "nobody")),
    ("DELETE", ("instructor", COURSE, "nobody")),
    ("POST", ("student", COURSE, "gina")),
    ("DELETE", ("student", COURSE, "nobody")),
    ("POST", ("students", COURSE)),
]


@pytest.mark.parametrize(
    ("who", "method", "address"),
    [("carol", *request) for request in FOR_MEMBERS + FOR_STAFF] + [("bob", *request) for request in FOR_STAFF],
)
def test_permission_is_checked_before_anything_else(assignment, who, method, address):
    """Whoever may not do it does not learn what exists."""
    before = cast.everything()
    reply = ask(who, method, *address, form={} if method == "POST" else None)
    assert said(reply) == (403, {"success": False, "message": "Permission denied"})
    assert cast.everything() == before


def test_every_address_is_in_the_table():
    routes = {
        (str(pattern.pattern), method.upper())
        for pattern in urlpatterns
        for method in ("get", "post", "delete")
        if hasattr(pattern.callback.view_class, method)
    }
    covered = {
        (str(pattern.pattern), method)
        for address, method, *_ in TABLE
        for pattern in urlpatterns
        if pattern.pattern.match("/".join(address))
    }
    assert len(routes) == 22
    assert routes - covered == set()
