"""The log-in of browsers, against a Hub that speaks HTTP. (The real one is in tests/e2e and tests/browser.)"""

import time
from urllib.parse import parse_qs, urlsplit

import pytest

from courses.models import AuditEntry, User
from ngshare_site.hub import sessions
from tests.cast import COURSE
from tests.fake_hub import ACCESS
from tests.ngshare_site.names import TEACHES, roles_of

pytestmark = pytest.mark.django_db


def begin(client, address="/login/"):
    answer = client.get(address)
    assert answer.status_code == 302
    return answer.headers["Location"], {
        key: value[0] for key, value in parse_qs(urlsplit(answer.headers["Location"]).query).items()
    }


def log_in(client, hub, name="bob", *scopes, next_page="/"):
    hub.user(f"oauth-{name}", name, *(scopes or (ACCESS,)))
    hub.codes["code"] = f"oauth-{name}"
    client.cookies[sessions.HUB_SESSION_COOKIE] = "mark-1"
    _, asked = begin(client, f"/login/?next={next_page}")
    return client.get("/oauth_callback", {"code": "code", "state": asked["state"]})


def test_browser_is_sent_to_the_hub_with_state_and_pkce(hub, client, settings):
    settings.JUPYTERHUB_BASE_URL = "/lab/"
    address, asked = begin(client)
    assert address.startswith("/lab/hub/api/oauth2/authorize?")
    assert asked["client_id"] == "service-ngshare" and asked["redirect_uri"] == "/oauth_callback"
    assert asked["code_challenge_method"] == "S256" and len(asked["code_challenge"]) == 43
    assert len(asked["state"]) >= 32


@pytest.mark.parametrize(
    ("public", "host", "expected"),
    [
        ("https://hub.example/x/hub/", "", "https://hub.example/x/hub/api"),
        ("", "https://h.example", "https://h.example/hub/api"),
    ],
)
def test_public_address_of_the_hub_is_used(hub, client, settings, public, host, expected):
    settings.JUPYTERHUB_PUBLIC_HUB_URL, settings.JUPYTERHUB_HOST = public, host
    assert begin(client)[0].startswith(expected)


def test_log_in_opens_a_session_under_a_new_key(hub, client):
    begin(client)
    before = client.session.session_key
    answer = log_in(client, hub)
    assert (answer.status_code, answer.headers["Location"]) == (302, "/")
    assert client.session.session_key != before
    assert b"bob" in client.get("/").content


def test_log_in_and_log_out_are_recorded(hub, client):
    log_in(client, hub)
    client.post("/logout/")
    entries = AuditEntry.objects.order_by("pk").values_list("action", "actor", "object_type", "object_id")
    bob = User.objects.get(username="bob").pk
    assert list(entries) == [(action, "bob", "user", bob) for action in ("first contact", "log in", "log out")]


@pytest.mark.parametrize("address", ["/logout/", "/admin/logout/"])
def test_log_out_of_every_page_is_recorded(client, course, address):
    client.force_login(User.objects.get(username="alice"))
    assert client.post(address).status_code == 200
    assert AuditEntry.objects.get().action == "log out" and "_auth_user_id" not in client.session


def test_pages_ask_for_a_log_in_and_come_back(hub, client):
    answer = client.get("/view/submission/1/")
    assert answer.headers["Location"] == "/login/?next=/view/submission/1/"
    assert log_in(client, hub, next_page="/view/submission/1/").headers["Location"] == "/view/submission/1/"


@pytest.mark.parametrize(
    "page", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "\\\\x", ""]
)
def test_log_in_never_leads_elsewhere(hub, client, page):
    assert log_in(client, hub, next_page=page).headers["Location"] == "/"


@pytest.mark.parametrize("state", ["", "forged"])
def test_foreign_state_is_refused(hub, client, state):
    hub.codes["code"] = hub.user("t", "bob", ACCESS)
    begin(client)
    assert client.get("/oauth_callback", {"code": "code", "state": state}).status_code == 400
    assert "_auth_user_id" not in client.session


def test_state_counts_once(hub, client):
    hub.codes["code"] = hub.user("t", "bob", ACCESS)
    _, asked = begin(client)
    question = {"code": "code", "state": asked["state"]}
    assert client.get("/oauth_callback", question).status_code == 302
    assert client.get("/oauth_callback", question).status_code == 400


def test_several_tabs_may_log_in_at_once(hub, client):
    states = [begin(client)[1]["state"] for _ in range(3)]
    for state in states:
        hub.codes["code"] = hub.user("t", "bob", ACCESS)
        assert client.get("/oauth_callback", {"code": "code", "state": state}).status_code == 302
        assert "_auth_user_id" in client.session


def test_refusal_of_the_hub_is_said(hub, client):
    _, asked = begin(client)
    answer = client.get("/oauth_callback", {"error": "access_denied", "state": asked["state"]})
    assert answer.status_code == 400 and b"access_denied" in answer.content


def test_user_without_the_scope_is_told_which(hub, client):
    answer = log_in(client, hub, "bob", "read:users:name!user=bob")
    assert answer.status_code == 403 and ACCESS in answer.content.decode()
    assert "_auth_user_id" not in client.session


def test_wrong_code_is_refused(hub, client):
    _, asked = begin(client)
    assert client.get("/oauth_callback", {"code": "wrong", "state": asked["state"]}).status_code == 400


def test_hub_away_during_log_in_is_a_503(hub, client):
    _, asked = begin(client)
    hub.status = 502
    assert client.get("/oauth_callback", {"code": "code", "state": asked["state"]}).status_code == 503


def due_for_a_check(client):
    session = client.session
    session["hub"] = {**session["hub"], "checked": time.time() - 301}
    session.save()


def test_hub_is_not_asked_at_each_page(hub, client):
    log_in(client, hub)
    asked = hub.asked
    for _ in range(5):
        assert client.get("/").status_code == 200
    assert hub.asked == asked


def test_log_out_at_the_hub_ends_the_session_within_five_minutes(hub, client):
    log_in(client, hub)
    hub.models.pop("oauth-bob")
    due_for_a_check(client)
    assert client.get("/").status_code == 302
    assert sessions.CHECK_SECONDS < 300


@pytest.mark.parametrize("mark", ["mark-2", None])
def test_other_log_in_at_the_hub_ends_the_session_at_once(hub, client, mark):
    log_in(client, hub)
    if mark:
        client.cookies[sessions.HUB_SESSION_COOKIE] = mark
    else:
        del client.cookies[sessions.HUB_SESSION_COOKIE]
    assert client.get("/").status_code == 302


def test_hub_away_at_a_due_check_is_a_503_and_logs_nobody_out(hub, client):
    log_in(client, hub)
    due_for_a_check(client)
    hub.status = 503
    assert client.get("/").status_code == 503
    hub.status = 200
    assert client.get("/").status_code == 200


def test_log_out_is_a_post_and_ends_the_session(hub, client):
    log_in(client, hub)
    assert client.get("/logout/").status_code == 405
    assert b"/hub/logout" in client.post("/logout/").content
    assert client.get("/").status_code == 302


def test_session_is_bound_to_the_services_prefix_and_hidden_from_scripts(hub, client, settings):
    log_in(client, hub)
    cookie = client.cookies[settings.SESSION_COOKIE_NAME]
    assert cookie["path"] == settings.PREFIX and cookie["httponly"] and cookie["samesite"] == "Lax"


def test_admin_asks_for_the_same_log_in(hub, client):
    answer = client.get("/admin/", follow=True)
    assert answer.redirect_chain[0][0].startswith(("/login/", "/admin/login/"))
    assert any("/hub/api/oauth2/authorize" in step for step, _ in answer.redirect_chain)


def test_standalone_log_in_warns_and_believes(client, settings):
    settings.NGSHARE_STANDALONE = True
    assert b"Unsafe" in client.get("/login/").content
    assert client.post("/login/", {"username": "bob", "next": "/"}).headers["Location"] == "/"
    assert b"bob" in client.get("/").content
    assert client.post("/login/", {"username": "a/b"}).status_code == 200


def test_log_in_of_a_browser_joins(hub, course, client, switched_on):
    hub.codes["code"] = hub.user("t", "frank", ACCESS, groups=[TEACHES])
    _, asked = begin(client)
    assert client.get("/oauth_callback", {"code": "code", "state": asked["state"]}).status_code == 302
    assert roles_of("frank") == {COURSE: "instructor"}
    assert client.get("/admin/").status_code == 200
