"""The log-in of browsers, against a Hub that speaks HTTP. (The real one is in tests/e2e and tests/browser.)"""

import base64
import time
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.sessions.models import Session
from django.test import Client

from courses.models import AuditEntry, User
from ngshare_site.hub import client as hub_client
from ngshare_site.hub import oauth, sessions
from ngshare_site.hub.strangers import Sender
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


def pending_cookies(client):
    return [cookie for name, cookie in client.cookies.items() if name.startswith(oauth.PENDING_COOKIE) and cookie.value]


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


HERE = "/services/ngshare/"


@pytest.mark.parametrize(
    "page",
    [
        "/services/ngshare/../../user/mallory/",
        "/services/ngshare/%2e%2e/%2E./user/mallory/",
        "/services/ngshare/..%2f..%2fuser/mallory/",
        "/services/ngshare/.\t./.\n./user/mallory/",
        "/services/ngshare/..\\..\\user\\mallory",
        "/services/ngshare/..",
        "/services/ngshared/",
        "/services/ngshare",
        "/hub/admin",
        "/services/ngshare/" + "a" * oauth.MAX_NEXT,
    ],
)
def test_page_beyond_our_prefix_is_refused(settings, page):
    settings.PREFIX = HERE
    assert oauth.safe_next(page) == HERE


@pytest.mark.parametrize("page", [HERE, f"{HERE}admin/?q=a/../b", f"{HERE}view/course/a..b/%C3%BC/", f"{HERE}x/../y/"])
def test_page_below_our_prefix_is_kept(settings, page):
    settings.PREFIX = HERE
    assert oauth.safe_next(page) == page


@pytest.mark.parametrize("state", ["", "forged"])
def test_foreign_state_is_refused(hub, client, state):
    hub.codes["code"] = hub.user("t", "bob", ACCESS)
    begin(client)
    assert client.get("/oauth_callback", {"code": "code", "state": state}).status_code == 400
    assert "_auth_user_id" not in client.session


def test_state_counts_once(hub, client):
    _, asked = begin(client)
    for status in (302, 400):
        hub.codes["code"] = hub.user("t", "bob", ACCESS)
        assert client.get("/oauth_callback", {"code": "code", "state": asked["state"]}).status_code == status


def test_log_in_that_is_begun_writes_no_row(hub, client, django_assert_num_queries):
    with django_assert_num_queries(0):
        for _ in range(3):
            begin(client)
    assert not Session.objects.exists()


def test_cookie_of_a_log_in_shows_nothing_and_is_hidden_from_scripts(hub, client, settings):
    settings.PREFIX = "/"
    _, asked = begin(client, "/login/?next=/view/submission/1/")
    (cookie,) = pending_cookies(client)
    assert cookie["httponly"] and cookie["samesite"] == "Lax" and cookie["path"] == "/"
    assert 0 < cookie["max-age"] <= 15 * 60
    readable = base64.urlsafe_b64decode(cookie.value)
    assert b"view" not in readable and asked["state"].encode() not in readable


def test_callback_in_another_browser_is_refused(hub, client):
    """An attacker cannot have somebody else log in as the attacker."""
    hub.codes["code"] = hub.user("t", "mallory", ACCESS)
    _, asked = begin(Client())
    assert client.get("/oauth_callback", {"code": "code", "state": asked["state"]}).status_code == 400
    assert "_auth_user_id" not in client.session and "code" in hub.codes


@pytest.mark.parametrize("value", ["", "forged", "gAAAAAB" + "A" * 120])
def test_cookie_that_we_did_not_seal_is_refused(hub, client, value):
    hub.codes["code"] = hub.user("t", "mallory", ACCESS)
    client.cookies[f"{oauth.PENDING_COOKIE}12345678"] = value
    assert client.get("/oauth_callback", {"code": "code", "state": "1234567890"}).status_code == 400


def test_browser_remembers_the_latest_log_ins_alone(hub, client):
    states = [begin(client)[1]["state"] for _ in range(oauth.MAX_PENDING + 3)]
    assert len(pending_cookies(client)) == oauth.MAX_PENDING
    for state, status in [(states[2], 400), (states[3], 302), (states[-1], 302)]:
        hub.codes["code"] = hub.user("t", "bob", ACCESS)
        assert client.get("/oauth_callback", {"code": "code", "state": state}).status_code == status


def test_cookies_of_all_log_ins_fit_into_a_header(hub, client):
    for _ in range(oauth.MAX_PENDING):
        begin(client, "/login/?next=/" + "ü" * (oauth.MAX_NEXT // 2 - 1))
    assert sum(len(cookie.key) + len(cookie.value) + 3 for cookie in pending_cookies(client)) < 7000


def test_several_tabs_may_log_in_at_once(hub, client):
    states = [begin(client)[1]["state"] for _ in range(3)]
    for state in states:
        hub.codes["code"] = hub.user("t", "bob", ACCESS)
        assert client.get("/oauth_callback", {"code": "code", "state": state}).status_code == 302
        assert "_auth_user_id" in client.session


@pytest.mark.parametrize(("minutes", "status"), [(14, 302), (16, 400)])
def test_log_in_may_take_a_quarter_of_an_hour(hub, client, monkeypatch, minutes, status):
    hub.codes["code"] = hub.user("t", "bob", ACCESS)
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now - minutes * 60)
    _, asked = begin(client)
    monkeypatch.undo()
    assert client.get("/oauth_callback", {"code": "code", "state": asked["state"]}).status_code == status
    assert ("_auth_user_id" in client.session) == (status == 302)


def test_refusal_of_the_hub_is_said(hub, client):
    _, asked = begin(client)
    answer = client.get("/oauth_callback", {"error": "access_denied", "state": asked["state"]})
    assert answer.status_code == 400 and b"access_denied" in answer.content


def test_reason_of_a_refusal_is_text_and_cut(hub, client):
    _, asked = begin(client)
    reason = {"error": "access_denied", "error_description": "<b>no</b>" + "x" * 10_000}
    text = client.get("/oauth_callback", {**reason, "state": asked["state"]}).content.decode()
    assert "&lt;b&gt;no" in text and "<b>no" not in text and "x" * 300 not in text


def test_user_without_the_scope_is_told_which(hub, client):
    answer = log_in(client, hub, "bob", "read:users:name!user=bob")
    assert answer.status_code == 403 and ACCESS in answer.content.decode()
    assert "_auth_user_id" not in client.session


def test_wrong_code_is_refused(hub, client):
    _, asked = begin(client)
    assert client.get("/oauth_callback", {"code": "wrong", "state": asked["state"]}).status_code == 400


@pytest.mark.parametrize("token", ["", None, 7])
def test_answer_without_a_token_is_refused(hub, client, token):
    hub.codes["code"] = token
    _, asked = begin(client)
    assert client.get("/oauth_callback", {"code": "code", "state": asked["state"]}).status_code == 400
    assert hub.asked == 0


def test_hub_is_asked_anew_at_a_log_in(hub, client):
    hub.codes["code"] = hub.user("t", "bob", ACCESS)
    hub_client.identify("t", Sender("", ""))
    hub.models.pop("t")
    _, asked = begin(client)
    assert client.get("/oauth_callback", {"code": "code", "state": asked["state"]}).status_code == 403
    assert "_auth_user_id" not in client.session


def test_log_in_without_a_hub_is_a_503_that_says_so(client, settings):
    settings.JUPYTERHUB_API_URL = ""
    answer = client.get("/login/")
    assert answer.status_code == 503 and b"not connected to a JupyterHub" in answer.content


@pytest.mark.parametrize("address", ["/login/", "/oauth_callback", "/logout/"])
def test_nobody_keeps_the_answers_of_a_log_in(hub, client, address):
    answer = client.post(address) if address == "/logout/" else client.get(address)
    assert "no-store" in answer.headers["Cache-Control"]


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


def test_hub_is_asked_once_where_a_check_is_due(hub, client):
    log_in(client, hub)
    due_for_a_check(client)
    asked = hub.asked
    for _ in range(5):
        assert client.get("/").status_code == 200
    assert hub.asked == asked + 1


def test_session_of_standalone_mode_ends_where_there_is_a_hub(hub, client, settings):
    settings.NGSHARE_STANDALONE = True
    client.post("/login/", {"username": "bob"})
    assert client.get("/").status_code == 200
    settings.NGSHARE_STANDALONE = False
    assert client.get("/").status_code == 302
    assert "_auth_user_id" not in client.session


def test_log_out_at_the_hub_ends_the_session_within_five_minutes(hub, client):
    log_in(client, hub)
    hub.models.pop("oauth-bob")
    due_for_a_check(client)
    assert client.get("/").status_code == 302
    assert sessions.CHECK_SECONDS < 300


def test_demoted_hub_administrator_loses_the_admin_at_the_due_check(hub, client, settings):
    settings.NGSHARE_HUB_ADMINS = True
    hub.user("oauth-bob", "bob", ACCESS, admin=True)
    hub.codes["code"] = "oauth-bob"
    client.cookies[sessions.HUB_SESSION_COOKIE] = "mark-1"
    _, asked = begin(client)
    client.get("/oauth_callback", {"code": "code", "state": asked["state"]})
    assert client.get("/admin/").status_code == 200
    hub.user("oauth-bob", "bob", ACCESS, admin=False)
    due_for_a_check(client)
    assert client.get("/admin/", follow=True).status_code == 403
    assert not User.objects.get(username="bob").is_hub_admin


def test_user_who_lost_the_scope_loses_the_session_at_the_due_check(hub, client):
    log_in(client, hub)
    hub.user("oauth-bob", "bob", "read:users:name!user=bob")
    due_for_a_check(client)
    assert client.get("/").status_code == 302


def test_token_that_is_somebody_elses_now_ends_the_session(hub, client):
    log_in(client, hub)
    hub.user("oauth-bob", "alice", ACCESS)
    due_for_a_check(client)
    assert client.get("/").status_code == 302 and not User.objects.filter(username="alice").exists()


@pytest.mark.parametrize(
    "state", [None, {}, {"token": "", "hub_session": "", "checked": 9e9}, {"token": "in the clear", "hub_session": ""}]
)
def test_session_without_a_token_of_the_hub_is_refused(course, hub, client, state):
    client.force_login(User.objects.get(username="bob"))
    assert client.get("/").status_code == 200
    session = client.session
    session["hub"] = state
    session.save()
    assert client.get("/").status_code == 302
    assert "_auth_user_id" not in client.session


def test_session_row_holds_neither_the_token_nor_the_hubs_cookie(hub, client):
    log_in(client, hub)
    (row,) = Session.objects.all()
    kept = repr(row.get_decoded())
    assert "oauth-bob" not in kept and "mark-1" not in kept


def test_session_lasts_when_the_secret_key_becomes_a_fallback(hub, client, settings):
    log_in(client, hub)
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "the next key of these tests, as long"
    due_for_a_check(client)
    assert client.get("/").status_code == 200


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


def test_log_out_deletes_the_token_at_the_hub_where_it_may(hub, client):
    log_in(client, hub, "bob", ACCESS, "tokens!user=bob")
    client.post("/logout/")
    assert "oauth-bob" not in hub.models


@pytest.mark.parametrize("status", [200, 500])
def test_log_out_needs_no_help_of_the_hub(hub, client, status):
    log_in(client, hub)
    hub.status = status
    assert client.post("/logout/").status_code == 200
    assert "oauth-bob" in hub.models and client.get("/").status_code == 302


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
    assert "Enter your user name." in client.post("/login/", {"username": " "}).text


def test_log_in_of_a_browser_joins(hub, course, client, switched_on):
    hub.codes["code"] = hub.user("t", "frank", ACCESS, groups=[TEACHES])
    _, asked = begin(client)
    assert client.get("/oauth_callback", {"code": "code", "state": asked["state"]}).status_code == 302
    assert roles_of("frank") == {COURSE: "instructor"}
    assert client.get("/admin/").status_code == 200
