"""`check_hub` against a real Hub: one with everything, and one without the roles."""

import os
import subprocess
import sys

import pytest

from ngshare_site.hub.running_service import running_services
from tests.campus import SCOPE, started
from tests.servers import ROOT

pytestmark = pytest.mark.e2e


def check(hub, data, token):
    env = {
        "PATH": os.environ["PATH"],
        "NGSHARE_DATA": str(data),
        "NGSHARE_ADMINS": "admin",
        "JUPYTERHUB_API_URL": f"http://127.0.0.1:{hub.ports[1]}{hub.base_url}hub/api",
        "JUPYTERHUB_API_TOKEN": hub.ngshare_token,
        "JUPYTERHUB_BASE_URL": hub.base_url,
        "JUPYTERHUB_SERVICE_PREFIX": f"{hub.base_url}services/ngshare/",
    }
    command = [sys.executable, str(ROOT / "manage.py"), "check_hub", "--token", "-"]
    done = subprocess.run(command, env=env, input=f"{token}\n", capture_output=True, text=True, cwd=data)
    return done.returncode, done.stdout + done.stderr


def test_hub_with_everything_is_good(campus, tmp_path):
    campus.hub.start_server("bob")
    token = campus.hub.environment_of_server("bob")["JUPYTERHUB_API_TOKEN"]
    status, output = check(campus.hub, tmp_path, token)
    assert status == 0, output
    assert "bob is let in" in output and token not in output


def test_hub_without_the_roles_is_told_the_lines(tmp_path):
    with started(tmp_path / "hub", variables={"DEMO_ROLES": "0"}) as hub:
        hub.start_server("bob")
        token = hub.environment_of_server("bob")["JUPYTERHUB_API_TOKEN"]
        (tmp_path / "data").mkdir()
        status, output = check(hub, tmp_path / "data", token)
    assert status == 1
    assert f'{{"name": "user", "scopes": ["self", "{SCOPE}"]}}' in output and '"name": "server"' in output


def test_administrator_without_the_token_checks_with_that_of_the_service_that_the_hub_started(campus, tmp_path):
    data = str(campus.hub.folder / "ngshare")
    [service] = [one for one in running_services() if one.environment and one.environment["NGSHARE_DATA"] == data]
    command = [sys.executable, str(ROOT / "manage.py"), "check_hub", "--pid", str(service.pid)]
    done = subprocess.run(command, env={"PATH": os.environ["PATH"]}, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "The Hub knows this service as ngshare." in done.stdout
    assert campus.hub.ngshare_token not in done.stdout + done.stderr and os.listdir(tmp_path) == []
