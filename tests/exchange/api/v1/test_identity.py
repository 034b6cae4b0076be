"""Who asks, behind a Hub: tokens, the session of a browser, and what everybody else is told."""

import pytest
from django.test import Client

from tests import cast
from tests.cast import COURSE
from tests.exchange.api.v1.wire import HTML, WORK, ask, get, post, said

pytestmark = pytest.mark.usefixtures("behind_hub")


@pytest.fixture
def browser(course):
    """bob's, logged in."""
    client = Client(enforce_csrf_checks=True)
    client.force_login(cast.person("bob"), "courses.backends.RosterBackend")
    return client


def test_token_of_the_hub_is_known(course):
    assert get("bob", "courses")[1]["courses"] == [COURSE]


def test_reader_who_is_not_logged_in_is_sent_to_the_log_in(course, settings):
    reply = ask(None, "GET", "students", COURSE, query={"a": "b"})
    assert reply.status_code == 302
    assert reply.headers["Location"] == f"{settings.LOGIN_URL}?next=%2Fstudents%2FNBG%2520101%3Fa%3Db"


@pytest.mark.parametrize("who", [None, "expired"])
def test_who_is_not_logged_in_changes_nothing(course, assignment, who):
    before = cast.everything()
    for method, *parts in [
        ("POST", "course", "new"),
        ("DELETE", "course", COURSE),
        ("POST", "student", COURSE, "eve"),
        ("DELETE", "student", COURSE, "bob"),
        ("POST", "assignment", COURSE, "ps2"),
        ("DELETE", "assignment", COURSE, "ps1"),
        ("POST", "submission", COURSE, "ps1"),
        ("POST", "feedback", COURSE, "ps1", "bob"),
    ]:
        status, reply = said(ask(who, method, *parts, form={**WORK, "first_name": "", "last_name": "", "email": ""}))
        assert status == (403 if parts[0] in ("course", "student") else 400), parts  # as in ngshare 0.6
        assert reply["success"] is False
        assert len(reply["message"]) > 10
    assert cast.everything() == before


def test_unreachable_hub_is_a_503(course, settings):
    settings.JUPYTERHUB_API_URL = "http://127.0.0.1:9/hub/api"
    reply = ask("bob", "GET", "courses")
    assert said(reply)[1]["success"] is False
    assert (reply.status_code, reply.headers["Retry-After"]) == (503, "2")


def test_token_that_may_not_be_used_here_is_a_403(course, settings):
    settings.NGSHARE_STRICT_SCOPES = True
    status, reply = get("bob", "courses")
    assert (status, reply["success"]) == (403, False)
    assert "access:services!service=ngshare" in reply["message"]


def test_browser_that_is_logged_in_may_read(browser):
    assert said(browser.get("/courses"))[1]["courses"] == [COURSE]


def test_browser_changes_nothing_for_a_page_of_somebody_else(browser, assignment):
    before = cast.everything()
    reply = browser.post("/submission/NBG%20101/ps1", WORK)
    assert said(reply)[0] == 403
    assert cast.everything() == before


def test_nothing_in_a_reply_runs_in_a_browser(assignment):
    name = "<script>alert(1)</script>.ipynb"
    tree = HTML["files"].replace("ps1.html", name.replace("/", ""))
    post("bob", "submission", COURSE, "ps1", files=tree)
    reply = ask("alice", "GET", "submission", COURSE, "ps1", "bob", query={"list_only": "true"})
    text = b"".join(reply.streaming_content)
    assert b"<" not in text
    assert b"\\u003cscript\\u003e" in text
    assert reply.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert reply.headers["X-Content-Type-Options"] == "nosniff"
