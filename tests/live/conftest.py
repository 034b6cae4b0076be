"""Real server processes, on SQLite and on PostgreSQL, and users who speak to them over real HTTP."""

import sqlite3
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass

import psycopg2
import pytest
import requests

from tests import cast, servers
from tests.live.files import RELEASED

TIMEOUT = servers.PATIENCE


@dataclass
class Running:
    """Servers on one database and one store."""

    urls: list[str]
    pids: list[int]  # of the leaders of their process groups
    rows: Callable[[str], list[tuple]]  # asks the database itself

    def ask(self, who, method, address, server=0, **request):
        """One request of a user, on a connection of its own; a bundle is sent as what it is."""
        headers = {"Authorization": f"token {who}", **request.pop("headers", {})}
        if "data" in request:
            headers.setdefault("Content-Type", "application/x-tar")
        url = self.urls[server % len(self.urls)] + address
        return requests.request(method, url, headers=headers, timeout=TIMEOUT, **request)

    def start_course(self, students):
        """alice teaches NBG 101 to these students and has released ps1."""
        made = self.ask("root", "POST", cast.v2("courses"), json={"name": cast.COURSE, "instructors": ["alice"]})
        assert made.status_code == 201, made.text
        members = {"members": [{"username": name, "role": "student"} for name in students]}
        added = self.ask("alice", "POST", cast.v2("courses", cast.COURSE, "members", "bulk"), json=members)
        assert added.json()["created"] == len(students), added.text
        released = self.ask("alice", "POST", cast.of_assignment("releases"), data=cast.bundle(RELEASED))
        assert released.status_code == 201, released.text


@pytest.fixture
def start(tmp_path):
    """Starts servers on one SQLite file and one folder, or on the database that is named."""
    with ExitStack() as stack:

        def begin(*, count=1, workers=2, database="", **variables):
            data = tmp_path / "data"
            variables["DATABASE_URL"] = database
            found = [stack.enter_context(servers.service(data, workers=workers, **variables)) for _ in range(count)]

            def rows(question):
                connection = psycopg2.connect(database) if database else sqlite3.connect(data / "ngshare.sqlite3")
                with closing(connection), closing(connection.cursor()) as cursor:
                    cursor.execute(question)
                    return cursor.fetchall()

            return Running([one.url for one in found], [one.process.pid for one in found], rows)

        yield begin


@pytest.fixture(params=["sqlite", "postgres"])
def crowded(request, start):
    """Two servers of two processes each, on one database and one store."""
    with ExitStack() as stack:
        database = stack.enter_context(servers.postgres()) if request.param == "postgres" else ""
        yield start(count=2, workers=2, database=database)
