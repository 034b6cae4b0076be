"""In stand-alone mode the argument `user` says who asks, and the wire is below /api/ as well."""

import importlib

import pytest
from django.urls import clear_url_caches

import ngshare_site.urls
from courses.models import User
from tests import cast
from tests.exchange.api.v1.wire import WORK, ask, get, post, said

NAMED = {"courses": [cast.COURSE], "success": True}


@pytest.fixture
def reload_addresses(settings):
    """Read the map of addresses anew, for the settings of the test; and once more after it."""

    def reload():
        importlib.reload(ngshare_site.urls)
        clear_url_caches()

    yield reload
    settings.NGSHARE_STANDALONE = False
    reload()


def test_user_in_the_query_says_who_asks(course):
    assert get(None, "courses", user="bob") == (200, NAMED)


def test_user_in_the_form_says_who_asks(assignment):
    assert post(None, "submission", cast.COURSE, "ps1", user="bob", **WORK)[0] == 200
    assert assignment.submissions.get().student.username == "bob"


def test_user_in_the_form_of_a_delete_says_who_asks(assignment):
    reply = ask(None, "DELETE", "assignment", cast.COURSE, "ps1", form={"user": "alice"})
    assert reply.status_code == 200


def test_token_wins_over_user(assignment):
    assert post("bob", "submission", cast.COURSE, "ps1", user="dave", **WORK)[0] == 200
    assert assignment.submissions.get().student.username == "bob"


def test_user_never_counts_behind_a_hub(course, behind_hub):
    assert ask(None, "GET", "courses", query={"user": "root"}).status_code == 302
    status, reply = post(None, "course", "new", user="root")
    assert (status, reply["success"]) == (403, False)
    status, reply = post(None, "submission", cast.COURSE, "ps1", user="bob", **WORK)
    assert (status, reply["success"]) == (400, False)
    assert said(ask("bob", "GET", "courses", query={"user": "carol"})) == (200, NAMED)


def test_user_that_cannot_be_one_is_not_logged_in(db):
    assert ask(None, "GET", "courses", query={"user": "a/b"}).status_code == 302
    assert post(None, "course", "new", user="")[0] == 403


def test_deactivated_user_is_refused(course):
    User.objects.filter(username="bob").update(is_active=False)
    status, reply = get(None, "courses", user="bob")
    assert (status, reply["success"]) == (403, False)


@pytest.mark.usefixtures("course")
def test_wire_is_below_api_as_well(reload_addresses, settings):
    settings.NGSHARE_STANDALONE = True
    reload_addresses()
    assert get(None, "api", "courses", user="bob") == (200, NAMED)
    assert get(None, "api", "healthz") == (200, {"success": True})
    assert said(ask("bob", "GET", "api", "v2", "me", ""))[1]["username"] == "bob"


@pytest.mark.usefixtures("course")
def test_wire_is_not_below_api_behind_a_hub(reload_addresses, settings):
    settings.NGSHARE_STANDALONE = False
    reload_addresses()
    assert ask("bob", "GET", "api", "courses").status_code == 404
