"""Who is let in by a real Hub, and who is not, with the status and the sentence."""

import secrets
from importlib.metadata import version

import pytest
import requests

from tests import servers
from tests.campus import SCOPE, Campus, started
from tests.environments import JUPYTERHUB

pytestmark = pytest.mark.e2e


def me(campus, token):
    return campus.api("GET", "me/", token)


def version_of(campus):
    return requests.get(f"{campus.hub.url}/hub/api/", timeout=30).json()["version"]


def test_the_hubs_are_of_the_newest_and_of_an_older_version(campus, older_campus):
    assert version_of(campus) == version("jupyterhub")
    assert f"{version_of(older_campus)}.".startswith(f"{JUPYTERHUB}.")


def test_token_with_the_scope_is_let_in(each_campus):
    answer = me(each_campus, each_campus.hub.token_for("bob", SCOPE))
    assert answer.json()["username"] == "bob"
    assert answer.json()["courses"] == [{"name": "NBG 101", "role": "student"}]


def test_own_servers_token_is_let_in(each_campus):
    each_campus.hub.start_server("bob")
    token = each_campus.hub.environment_of_server("bob")["JUPYTERHUB_API_TOKEN"]
    assert me(each_campus, token).json()["username"] == "bob"


def test_administrator_is_the_one_who_was_named(each_campus):
    assert me(each_campus, each_campus.hub.token_for("admin", SCOPE)).json()["is_administrator"] is True
    assert me(each_campus, each_campus.hub.token_for("alice", SCOPE)).json()["is_administrator"] is False


@pytest.mark.parametrize("token", ["", secrets.token_hex(32)], ids=["empty", "unknown"])
def test_token_that_the_hub_does_not_know_is_a_401(each_campus, token):
    answer = me(each_campus, token)
    assert (answer.status_code, answer.json()["code"]) == (401, "not_logged_in")


def test_token_without_the_scope_is_a_403_that_says_which(each_campus):
    answer = me(each_campus, each_campus.hub.token_for("bob", "read:users:name!user=bob"))
    assert answer.status_code == 403 and SCOPE in answer.json()["message"]


def test_token_for_another_service_is_refused(each_campus):
    token = each_campus.hub.token_for("admin", "read:users:name!user=admin", "access:services!service=demo")
    answer = me(each_campus, token)
    assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")


def test_services_own_token_is_refused_unless_it_is_listed(each_campus):
    answer = me(each_campus, each_campus.hub.token)
    assert answer.status_code == 403 and "NGSHARE_SERVICE_TOKENS" in answer.json()["message"]


def test_outsider_is_let_in_and_sees_no_course(each_campus):
    token = each_campus.hub.token_for("admin", SCOPE)
    assert each_campus.api("GET", "courses/Nowhere/", token).status_code == 404
    outsider = each_campus.hub.token_for("dave", SCOPE)
    each_campus.api("DELETE", "courses/NBG%20101/members/dave/", token)
    assert me(each_campus, outsider).json()["courses"] == []
    answer = each_campus.api("GET", "courses/NBG%20101/", outsider)
    assert (answer.status_code, answer.json()["message"]) == (403, "You are not a member of the course NBG 101.")
    each_campus.enrol()


def test_hub_without_our_roles_still_lets_in_own_servers(tmp_path):
    """The token of the own server carries the mark of that server, which is enough unless scopes are strict."""
    with started(tmp_path / "hub", variables={"DEMO_ROLES": "0"}) as hub:
        campus = Campus(hub)
        hub.start_server("bob")
        token = hub.environment_of_server("bob")["JUPYTERHUB_API_TOKEN"]
        assert me(campus, token).json()["username"] == "bob"


def test_hub_that_restarts_does_not_stop_those_who_work(tmp_path):
    with started(tmp_path / "hub", variables={"DEMO_CLEANUP": "0"}) as hub:
        campus = Campus(hub)
        campus.create_course()
        hub.start_server("bob")
        token = hub.environment_of_server("bob")["JUPYTERHUB_API_TOKEN"]
        assert me(campus, token).status_code == 200
        hub.stop_hub_alone()
        assert me(campus, token).status_code == 503  # from the proxy: ngshare ended with the Hub
        hub.start()
        assert me(campus, token).json()["courses"] == [{"name": "NBG 101", "role": "student"}]


def test_service_that_the_hub_does_not_start_itself(tmp_path):
    with started(tmp_path / "hub", base_url="/lab/", variables={"DEMO_MANAGED": "0"}) as hub:
        campus = Campus(hub)
        variables = {
            "NGSHARE_STANDALONE": "0",
            "NGSHARE_ADMINS": "admin",
            "JUPYTERHUB_API_URL": f"http://127.0.0.1:{hub.ports[1]}/lab/hub/api",
            "JUPYTERHUB_API_TOKEN": hub.ngshare_token,
            "JUPYTERHUB_SERVICE_PREFIX": "/lab/services/ngshare/",
            "JUPYTERHUB_BASE_URL": "/lab/",
        }
        with servers.service(tmp_path / "ngshare", port=hub.ports[3], **variables) as service:
            campus.create_course()
            assert me(campus, hub.token_for("bob", SCOPE)).json()["courses"] == [{"name": "NBG 101", "role": "student"}]
            hub.stop_hub_alone()
            direct = f"{service.url}/api/v2/me/"
            stranger = requests.get(direct, headers={"Authorization": "token never-seen"}, timeout=30)
            assert (stranger.status_code, stranger.json()["code"]) == (503, "hub_unreachable")
            assert int(stranger.headers["Retry-After"]) > 0
