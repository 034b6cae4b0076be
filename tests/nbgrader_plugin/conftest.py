"""One running ngshare; each test has a course of its own, that alice teaches and bob and dave take."""

import itertools
import os
import re
import sys
from pathlib import Path

import pytest
import requests

from nbgrader_plugin import translation
from tests import servers
from tests.nbgrader_plugin.desk import call, make_desk
from tests.nbgrader_plugin.people import Person

NUMBERS = itertools.count(1)


@pytest.fixture(scope="session")
def exchange(tmp_path_factory):
    with servers.service(tmp_path_factory.mktemp("ngshare"), workers=2) as running:
        yield running


@pytest.fixture(autouse=True)
def own_environment(monkeypatch, tmp_path):
    """Nothing of the machine's own nbgrader, Hub or language, and no setting made by an earlier test."""
    names = ("NGSHARE_URL", "JUPYTERHUB_API_TOKEN", "JUPYTERHUB_PUBLIC_HUB_URL", "PROXY_PUBLIC_SERVICE_HOST")
    for name in (*names, *translation.VARIABLES):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")  # for alembic
    monkeypatch.setenv("HOME", str(tmp_path / "nobody"))
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "nobody/data"))


@pytest.fixture
def course(exchange, request):
    name = f"NBG {next(NUMBERS)} {re.sub('[^a-z_]', '', request.node.name)[:60]}"
    root = {"Authorization": "token root"}
    url = f"{exchange.url}/api/v2/courses/"
    requests.post(url, json={"name": name, "instructors": ["alice"]}, headers=root, timeout=300).raise_for_status()
    for student in ("bob", "dave"):
        requests.post(f"{url}{name}/members/", json={"username": student}, headers=root, timeout=300).raise_for_status()
    return name


@pytest.fixture
def courses(exchange):
    """Two new courses that alice teaches, of names that no other test uses."""
    names = [f"{name} {next(NUMBERS)}" for name in ("algebra", "biology")]
    for name in names:
        call(exchange, "POST", "courses/", json={"name": name, "instructors": ["alice"]})
    yield names
    for name in names:
        call(exchange, "DELETE", f"courses/{name}/")


@pytest.fixture
def person(exchange, course, tmp_path, monkeypatch):
    def sits(username):
        return Person(username, tmp_path / username, course, exchange.url, monkeypatch)

    return sits


@pytest.fixture
def alice(person):
    return person("alice")


@pytest.fixture
def desk(exchange, tmp_path):
    """alice's computer."""
    return make_desk(tmp_path / "alice", "alice", exchange)
