"""Who is let in by which token: one test for each rule. A refusal writes nothing."""

import json
import logging
from pathlib import Path

import pytest
from django.core.cache import cache

from courses import services
from courses.models import Membership, User
from tests.cast import COURSE, ELSEWHERE, actor, everything, person, v2
from tests.fake_hub import ACCESS, SERVER_SCOPES
from tests.ngshare_site.names import TAKES, roles_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def ask(client):
    def me(token, header="token {}"):
        return client.get(v2("me"), headers={"Authorization": header.format(token)})

    return me


@pytest.mark.parametrize("header", ["token {}", "Bearer {}", "bearer {}", "TOKEN  {}"])
def test_both_kinds_of_header_work(hub, ask, header):
    hub.user("t", "bob", ACCESS)
    assert ask("t", header).json()["username"] == "bob"


@pytest.mark.parametrize("header", ["Basic {}", "{}", "token", "Bearer ", "token t\u00e9", ""])
def test_other_header_is_a_401_and_the_hub_is_not_asked(hub, ask, header):
    hub.user("t", "bob", ACCESS)
    assert ask("t", header).status_code == 401
    assert hub.asked == 0


@pytest.mark.parametrize("scopes", [(ACCESS,), ("access:services",), SERVER_SCOPES, (*SERVER_SCOPES, ACCESS)])
def test_token_with_access_or_of_the_own_server_is_let_in(hub, ask, scopes):
    hub.user("t", "bob", *scopes)
    assert ask("t").status_code == 200


@pytest.mark.parametrize(
    "scopes", [(), ("read:users!user=bob",), ("access:services!service=other",), ("users:activity!user=alice",)]
)
def test_token_of_another_purpose_is_a_403(hub, ask, scopes):
    hub.user("t", "bob", *scopes)
    answer = ask("t")
    assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")
    assert ACCESS in answer.json()["message"]
    assert not User.objects.exists()


def test_strict_scopes_refuse_a_servers_token_without_access(hub, ask, settings):
    settings.NGSHARE_STRICT_SCOPES = True
    hub.user("t", "bob", *SERVER_SCOPES)
    hub.user("u", "bob", *SERVER_SCOPES, ACCESS)
    assert (ask("t").status_code, ask("u").status_code) == (403, 200)


def test_services_are_let_in_from_a_list_only(hub, ask, settings):
    hub.user("t", "grader-nbg101", ACCESS, kind="service")
    assert ask("t").status_code == 403
    settings.NGSHARE_SERVICE_TOKENS = ["grader-nbg101"]
    assert ask("t").json()["username"] == "grader-nbg101"


def test_token_of_neither_a_user_nor_a_service_is_a_403(hub, ask):
    hub.user("t", "bob", ACCESS, kind="group")
    assert ask("t").status_code == 403
    assert not User.objects.exists()


def test_unknown_token_is_a_401_and_asked_for_once(hub, ask):
    assert [ask("nobody").status_code for _ in range(3)] == [401, 401, 401]
    assert hub.asked == 1


def test_no_token_is_a_401_that_says_how(hub, client):
    answer = client.get(v2("me"))
    assert answer.status_code == 401 and answer.headers["WWW-Authenticate"] == "token"
    assert hub.asked == 0


def test_token_itself_is_neither_cached_nor_logged(hub, ask, caplog, settings):
    caplog.set_level(logging.DEBUG)
    hub.user("very-secret-token", "bob", ACCESS)
    ask("very-secret-token")
    hub.status = 500
    ask("another-secret-token")
    assert "secret-token" not in caplog.text
    folder = settings.CACHES["default"]["LOCATION"]
    kept = b"".join(path.read_bytes() for path in Path(folder).glob("*.djcache"))
    assert kept and b"secret-token" not in kept


@pytest.mark.parametrize("status", [302, 404, 500, 502, 503])
def test_hub_in_trouble_is_a_503_and_not_a_log_out(hub, ask, status):
    hub.user("t", "bob", ACCESS)
    hub.status = status
    answer = ask("t")
    assert (answer.status_code, answer.json()["code"]) == (503, "hub_unreachable")
    assert int(answer.headers["Retry-After"]) > 0
    hub.status = 200
    assert ask("t").status_code == 200


def test_hub_that_is_gone_is_a_503(hub, ask, settings):
    settings.JUPYTERHUB_API_URL = "http://127.0.0.1:9/hub/api"
    assert ask("t").status_code == 503


def test_who_is_known_goes_on_while_the_hub_is_away(hub, ask):
    hub.user("t", "bob", ACCESS)
    ask("t")
    hub.status = 503
    assert ask("t").status_code == 200


def test_hub_administrator_is_one_here_only_by_setting(hub, ask, settings):
    hub.user("t", "hubadmin", ACCESS, admin=True)
    assert ask("t").json()["is_administrator"] is False
    settings.NGSHARE_HUB_ADMINS = True
    assert ask("t").json()["is_administrator"] is True
    cache.clear()
    hub.user("t", "hubadmin", ACCESS, admin=False)
    assert ask("t").json()["is_administrator"] is False


def test_service_that_administers_the_hub_is_no_administrator(hub, ask, settings):
    settings.NGSHARE_HUB_ADMINS, settings.NGSHARE_SERVICE_TOKENS = True, ["grader-nbg101"]
    hub.user("t", "grader-nbg101", ACCESS, kind="service", admin=True)
    assert ask("t").json()["is_administrator"] is False


def test_deactivated_user_is_a_403(hub, ask):
    hub.user("t", "bob", ACCESS)
    ask("t")
    User.objects.update(is_active=False)
    assert ask("t").status_code == 403


@pytest.mark.parametrize("name", ["a/b", "..", "*", "a\nb", " a", "x" * 256])
def test_name_that_fits_nowhere_is_refused(hub, ask, name):
    hub.user("t", name, ACCESS.replace("{", "{{"))
    before = everything()
    assert ask("t").status_code == 401
    assert everything() == before and not User.objects.exists()


@pytest.mark.parametrize(
    "model",
    [
        [],
        {},
        {"name": None, "scopes": 5},
        "x",
        {"name": "bob", "scopes": [ACCESS], "groups": 7},
        {"name": None, "scopes": [ACCESS]},
        {"name": ["bob"], "scopes": [ACCESS]},
        {"name": 7, "scopes": [ACCESS]},
        {"name": "", "scopes": [ACCESS]},
        {"name": "bob", "kind": ["user"], "scopes": [ACCESS]},
        {"name": "bob", "scopes": ACCESS},
        {"name": "bob", "scopes": {ACCESS: True}},
    ],
)
def test_answer_that_is_no_user_is_a_503(hub, ask, model):
    hub.models["t"] = model or {"kind": "user"}
    assert ask("t").status_code == 503 and not User.objects.exists()


def test_standalone_believes_every_name(client, settings):
    settings.NGSHARE_STANDALONE = True
    assert client.get(v2("me"), headers={"Authorization": "token b%C3%B3b"}).json()["username"] == "bób"


# Groups on the Hub, where the site has switched them on


def test_groups_are_not_looked_at_unless_it_is_switched_on(hub, course, ask):
    hub.user("t", "erin", ACCESS, groups=[TAKES])
    before = everything()
    assert ask("t").status_code == 200
    assert everything() == before


def test_first_request_joins(hub, course, ask, switched_on):
    hub.user("t", "frank", ACCESS, groups=[TAKES, f"formgrade-{ELSEWHERE}", "physics"])
    courses = ask("t").json()["courses"]
    assert {one["name"]: one["role"] for one in courses} == {COURSE: "student", ELSEWHERE: "instructor"}
    assert roles_of("frank") == {COURSE: "student", ELSEWHERE: "instructor"}


def test_api_v1_joins_as_well(hub, course, client, switched_on):
    hub.user("t", "frank", ACCESS, groups=[TAKES])
    answer = client.get("/courses", headers={"Authorization": "token t"})
    assert json.loads(answer.content) == {"success": True, "courses": [COURSE]}


def test_group_that_comes_later_counts_once_the_hub_is_asked_again(hub, course, ask, switched_on):
    hub.user("t", "frank", ACCESS)
    ask("t")
    hub.user("t", "frank", ACCESS, groups=[TAKES])
    cache.clear()  # a minute has passed
    ask("t")
    assert roles_of("frank") == {COURSE: "student"}


def test_leaving_the_group_or_the_roster_changes_nothing_by_itself(hub, course, ask, switched_on):
    hub.user("t", "frank", ACCESS, groups=[TAKES])
    ask("t")
    hub.user("t", "frank", ACCESS)
    cache.clear()
    ask("t")
    assert roles_of("frank") == {COURSE: "student"}
    services.remove_member(Membership.objects.get(user__username="frank"), by=actor("alice"))
    hub.user("t", "frank", ACCESS, groups=[TAKES])
    cache.clear()
    ask("t")
    assert roles_of("frank") == {}


def test_token_that_is_refused_joins_nobody(hub, course, ask, switched_on):
    hub.user("t", "erin", "read:users", groups=[TAKES])
    before = everything()
    assert ask("t").status_code == 403
    person_row = person("erin")
    person_row.is_active = False
    person_row.save()
    hub.user("u", "erin", ACCESS, groups=[TAKES])
    assert ask("u").status_code == 403
    assert everything() == before and person("erin").hub_groups == []


def test_weird_groups_do_not_lock_their_members_out(hub, course, ask, switched_on):
    weird = ["nbgrader-a\0b", "nbgrader-\ud800", "nbgrader-a/b", "", "x" * 10_000, 7, None]
    hub.user("t", "frank", ACCESS, groups=[*weird, TAKES])
    assert ask("t").status_code == 200
    assert roles_of("frank") == {COURSE: "student"}
