"""A real ngshare with two courses that alice teaches, and what an instructor's computer has."""

import os
import shutil
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from tests.servers import ROOT, Service, free_port, running, service, wait_until

COURSES = ("algebra", "biology")


@dataclass(frozen=True)
class Desk:
    """Someone's home directory and environment."""

    home: Path
    username: str
    service: Service

    @property
    def env(self):
        dropped = ("NGSHARE_", "JUPYTER", "DJANGO_", "DATABASE_URL")
        return {
            **{name: value for name, value in os.environ.items() if not name.startswith(dropped)},
            "HOME": str(self.home),
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",  # nbgrader starts alembic
            "PYTHONPATH": str(ROOT),
            "JUPYTER_CONFIG_PATH": str(self.home / "etc"),
            "JUPYTERHUB_API_TOKEN": self.username,
            "NGSHARE_URL": self.service.url,
        }


def call(desk_or_url, method, path, user="root", **kwargs):
    url = getattr(desk_or_url, "url", desk_or_url)
    answer = requests.request(
        method, f"{url}/api/v2/{path}", headers={"Authorization": f"token {user}"}, timeout=30, **kwargs
    )
    answer.raise_for_status()
    return answer.json() if answer.content else None


def roster(at, course):
    return {row["username"]: row["role"] for row in call(at, "GET", f"courses/{course}/members/")["results"]}


@pytest.fixture(scope="session")
def exchange(tmp_path_factory):
    with service(tmp_path_factory.mktemp("ngshare"), workers=1) as started:
        yield started


@pytest.fixture
def courses(exchange, request):
    """Two new courses, of names that no other test uses."""
    names = [f"{name} {request.node.name[:60]}".replace("[", " ").replace("]", "") for name in COURSES]
    for name in names:
        call(exchange, "POST", "courses/", json={"name": name, "instructors": ["alice"]})
    yield names
    for name in names:
        call(exchange, "DELETE", f"courses/{name}/")


@pytest.fixture
def desk(exchange, tmp_path):
    home = tmp_path / "alice"
    shutil.copytree(ROOT / "nbgrader_plugin/jupyter_server_config.d", home / "etc/jupyter_server_config.d")
    (home / ".jupyter").mkdir()
    (home / ".jupyter/nbgrader_config.py").write_text(
        "from nbgrader_plugin import configure\nc = get_config()\nconfigure(c)\n"
    )
    return Desk(home, "alice", exchange)


@contextmanager
def jupyter_server(desk, *options):
    """Its address, without the slash at its end, and its log."""
    port, log = free_port(), desk.home / "jupyter.log"
    command = [
        sys.executable, "-m", "jupyter_server", "--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={port}",
        "--IdentityProvider.token=", "--ServerApp.disable_check_xsrf=True",
        f"--ServerApp.root_dir={desk.home}", *options,
    ]  # fmt: skip
    url = f"http://127.0.0.1:{port}"
    with running(command, env=desk.env, log=log, cwd=desk.home) as process:
        wait_until(lambda: _answers(url), process, log)
        yield url, log


def _answers(url):
    try:
        return requests.get(f"{url}/api/status", timeout=5).status_code == 200
    except requests.RequestException:
        return False
