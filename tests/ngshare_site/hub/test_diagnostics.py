"""`check_hub` names each piece that is missing, and prints the lines."""

import io
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.core.management import CommandError, call_command

from ngshare_site.hub import running_service
from tests.fake_hub import ACCESS, SERVER_SCOPES


@pytest.fixture
def check(hub, settings, monkeypatch, tmp_path):
    monkeypatch.setattr(running_service, "PROC", tmp_path)  # no service runs here, whatever else does
    settings.PREFIX = "/services/ngshare/"
    settings.JUPYTERHUB_OAUTH_CALLBACK_URL = "/services/ngshare/oauth_callback"

    def run(*tokens):
        out = io.StringIO()
        try:
            call_command("check_hub", *(f"--token={token}" for token in tokens), stdout=out)
        except CommandError as error:
            return False, out.getvalue() + str(error)
        return True, out.getvalue()

    return run


def test_everything_in_place_is_good(check, hub):
    is_good, said = check(hub.user("t", "bob", *SERVER_SCOPES, ACCESS))
    assert is_good, said
    assert "version 6.1.1" in said and "bob is let in" in said and "missing" not in said


def test_without_a_user_token_it_says_how_to_go_on(check):
    is_good, said = check()
    assert is_good and "echo $JUPYTERHUB_API_TOKEN" in said


def test_server_token_without_the_scope_gets_both_roles(check, hub):
    is_good, said = check(hub.user("t", "bob", *SERVER_SCOPES))
    assert not is_good
    assert '{"name": "user", "scopes": ["self", "access:services!service=ngshare"]}' in said
    assert '"scopes": ["users:activity!user", "access:servers!server", "access:services!service=ngshare"]' in said


def test_user_token_without_the_scope_gets_the_user_role(check, hub):
    is_good, said = check(hub.user("t", "bob", "read:users:name!user=bob"))
    assert not is_good and '"name": "user"' in said and '"name": "server"' not in said


@pytest.mark.parametrize(
    ("setting", "value", "sentence"),
    [
        ("JUPYTERHUB_API_URL", "", "JUPYTERHUB_API_URL is not set"),
        ("JUPYTERHUB_API_URL", "http://127.0.0.1:9/hub/api", "cannot be reached"),
        ("JUPYTERHUB_API_TOKEN", "", "JUPYTERHUB_API_TOKEN, the service's own token, is not set"),
        ("JUPYTERHUB_API_TOKEN", "unknown", "does not know the service's own token"),
        ("JUPYTERHUB_SERVICE_NAME", "exchange", "belongs to the service ngshare, not to the service exchange"),
        ("JUPYTERHUB_BASE_URL", "/lab/", "JUPYTERHUB_SERVICE_PREFIX=/lab/services/ngshare/"),
        ("JUPYTERHUB_OAUTH_CALLBACK_URL", "/elsewhere", "exactly what the Hub has registered"),
        ("NGSHARE_ADMINS", [], "Nobody is an administrator here"),
        ("NGSHARE_STANDALONE", True, "there is no Hub"),
    ],
)
def test_missing_piece_is_named(check, settings, setting, value, sentence):
    setattr(settings, setting, value)
    is_good, said = check()
    assert not is_good and sentence in said


def test_before_the_hub_knows_the_service_it_prints_all_lines_that_the_hub_needs(check, settings):
    settings.JUPYTERHUB_API_URL = ""
    c = SimpleNamespace(JupyterHub=SimpleNamespace())
    exec(check()[1].partition("\n\n")[2].rpartition("]")[0] + "]", {"c": c})
    [service], roles = c.JupyterHub.services, c.JupyterHub.load_roles
    assert [role["name"] for role in roles] == ["user", "server"]
    assert service["command"] == [str(Path(sys.executable).with_name("ngshare")), "serve"]  # whatever the Hub's PATH is


def test_too_old_a_hub_is_named(check, hub):
    hub.version = "1.5.0"
    is_good, said = check()
    assert not is_good and "known to work are 2 to 6" in said


def test_what_is_no_hub_is_named(check, hub):
    hub.status = 404
    is_good, said = check()
    assert not is_good and "is not the Hub's API" in said


def test_tokens_are_never_printed(check, hub):
    _, said = check(hub.user("very-secret", "bob"), "other-secret")
    assert "very-secret" not in said and "other-secret" not in said and "service-token" not in said
