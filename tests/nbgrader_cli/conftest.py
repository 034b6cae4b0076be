"""The real nbgrader command line, in a home directory for each person, against the real server."""

import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import pytest
import requests

from tests import servers

CONFIG = "from nbgrader_plugin import configure\n\nc = get_config()\nconfigure(c)\n"


@pytest.fixture(scope="session")
def service(tmp_path_factory):
    with servers.service(tmp_path_factory.mktemp("service"), workers=2) as running:
        yield running


class Home:
    """Someone's home directory; nothing in it is shared with anybody."""

    def __init__(self, service, folder, username):
        self.service, self.folder, self.username = service, folder, username
        (folder / ".jupyter").mkdir(parents=True)
        (folder / ".jupyter" / "nbgrader_config.py").write_text(CONFIG)

    def nbgrader(self, *arguments, cwd=None, fails=False):
        """What nbgrader says; it must fail or not, as told."""
        env = {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "HOME": str(self.folder),
            "PYTHONPATH": str(servers.ROOT),
            "NGSHARE_URL": self.service.url,
            "JUPYTERHUB_API_TOKEN": self.username,
        }
        command = [sys.executable, "-m", "nbgrader", *arguments]
        done = subprocess.run(command, cwd=cwd or self.folder, env=env, capture_output=True, text=True, timeout=180)
        assert (done.returncode != 0) is fails, done.stderr
        return done.stderr + done.stdout


@pytest.fixture
def api(service):
    def ask(method, path, username, **request):
        headers = {"Authorization": f"token {quote(username)}"}
        return requests.request(method, f"{service.url}/api/v2/{path}", headers=headers, timeout=60, **request)

    return ask


@pytest.fixture
def homes(service, tmp_path, api, request):
    """A course of the test's own, with alice who teaches and bob who takes it: (course, alice, bob)."""
    course = f"NBG 101 {request.node.name}"[:200].replace("/", "-")
    assert api("POST", "courses/", "root", json={"name": course, "instructors": ["alice"]}).status_code == 201
    for student in ("bob", "carol"):
        answer = api("POST", f"courses/{quote(course)}/members/", "alice", json={"username": student})
        assert answer.status_code == 201
    return course, Home(service, tmp_path / "alice", "alice"), Home(service, tmp_path / "bob", "bob")
