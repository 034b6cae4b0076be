"""A real JupyterHub for the end-to-end and browser tests, one for all of them: the demo's own."""

from contextlib import contextmanager

import pytest
import requests

from deploy.demo.hub import Hub, copy_example, course_config, running
from tests import forked
from tests.environments import CannotInstall, older_python
from tests.servers import free_port

COURSE = "NBG 101"
SCOPE = "access:services!service=ngshare"
STUDENTS = ("bob", "carol", "dave")


def free_ports():
    return tuple(free_port() for _ in range(4))


class Campus:
    """A Hub with a course: what tests ask of it."""

    def __init__(self, hub):
        self.hub = hub

    def api(self, method, path, token, **request):
        headers = {"Authorization": f"token {token}"}
        return requests.request(method, f"{self.hub.ngshare}/api/v2/{path}", headers=headers, timeout=300, **request)

    def create_course(self):
        admin = self.hub.token_for("admin", SCOPE)
        made = self.api("POST", "courses/", admin, json={"name": COURSE, "instructors": ["alice"]})
        assert made.status_code == 201, made.text
        self.enrol()

    def enrol(self):
        """Bring the roster to what it was at first."""
        admin = self.hub.token_for("admin", SCOPE)
        members = [{"username": name} for name in STUDENTS]
        done = self.api("POST", "courses/NBG%20101/members/bulk/", admin, json={"members": members})
        assert done.status_code == 200, done.text

    def prepare_instructor(self):
        home = self.hub.home("alice")
        course = home / "nbg101"
        copy_example(course)
        (home / ".jupyter").mkdir(parents=True, exist_ok=True)
        (home / ".jupyter" / "nbgrader_config.py").write_text(course_config(COURSE, course))
        return course

    def nbgrader(self, username, *arguments, fails=False):
        """Run nbgrader in the user's running server: its environment, its own token, its home."""
        env = self.hub.environment_of_server(username)
        done = forked.nbgrader(*arguments, python=self.hub.python, env=env, cwd=self.hub.home(username))
        assert (done.returncode != 0) is fails, done.stderr
        return done.stderr + done.stdout


def started(folder, **options):
    return running(Hub(folder, free_ports(), **options))


@contextmanager
def opened(folder, **options):
    """A campus with its course, and what its instructor needs."""
    with started(folder, **options) as hub:
        found = Campus(hub)
        found.create_course()
        found.prepare_instructor()
        yield found


@pytest.fixture(scope="session")
def campus(tmp_path_factory):
    with opened(tmp_path_factory.mktemp("hub"), base_url="/jupyter/") as found:
        yield found


@pytest.fixture(scope="session")
def older_campus(tmp_path_factory):
    """One whose Hub, servers and nbgrader are of the older versions."""
    try:
        python = older_python()
    except CannotInstall as error:
        pytest.skip(f"older versions cannot be installed here: {error}")
    with opened(tmp_path_factory.mktemp("older-hub"), python=python) as found:
        yield found


@pytest.fixture(scope="session", params=["campus", "older_campus"])
def each_campus(request):
    return request.getfixturevalue(request.param)
