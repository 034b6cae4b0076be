"""The published client of the old service, `ngshare_exchange` 0.5.3, unmodified, does its whole work on this service.

And after an import from a running ngshare 0.6 everybody gets the answers that that one gave.
"""

import json
import os
import subprocess
import sys
from urllib.parse import quote

import pytest
import requests

from tests import forked, servers
from tests.environments import CannotInstall, environment
from tests.exchange.importers import make_ngshare_database, published
from tests.exchange.importers.make_ngshare_database import COURSE

pytestmark = pytest.mark.e2e
PS1 = "ps1"


@pytest.fixture(scope="module")
def executables():
    """Of the environment with today's nbgrader and the published client."""
    try:
        return environment(*published.OLD_PLUGIN)
    except CannotInstall as error:
        pytest.skip(f"the published client cannot be installed here: {error}")


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    """Ours, behind a Hub."""
    with published.small_hub() as hub:
        variables = {
            "NGSHARE_STANDALONE": "0",
            "JUPYTERHUB_API_URL": hub,
            "JUPYTERHUB_SERVICE_PREFIX": "/services/ngshare/",
        }
        with servers.service(tmp_path_factory.mktemp("ours"), **variables) as running:
            yield running


class Person:
    """Somebody with a home of their own, and the published client in it."""

    def __init__(self, name, home, executables, url, course=COURSE, token=True):
        self.name, self.home, self.executables = name, home, executables
        (home / ".jupyter").mkdir(parents=True)
        lines = [
            "from ngshare_exchange import configureExchange",
            f"configureExchange(get_config(), {url!r})",
            f"c.CourseDirectory.course_id = {course!r}",
        ]
        (home / ".jupyter" / "nbgrader_config.py").write_text("\n".join(["c = get_config()", *lines]))
        self.env = {"PATH": f"{executables}:{os.environ['PATH']}", "HOME": str(home), "USER": name, "LANG": "C.UTF-8"}
        self.env |= {"JUPYTER_CONFIG_DIR": str(home / ".jupyter"), "JUPYTER_DATA_DIR": str(home / "data")}
        self.env |= {"JUPYTERHUB_USER": name, **({"JUPYTERHUB_API_TOKEN": name} if token else {})}

    def run(self, program, *arguments, fails=False):
        command = [str(self.executables / program), *arguments]
        done = subprocess.run(command, cwd=self.home, env=self.env, capture_output=True, text=True, timeout=180)
        return self.check(done, fails=fails)

    def nbgrader(self, *arguments, fails=False):
        done = forked.nbgrader(*arguments, python=self.executables / "python", env=self.env, cwd=self.home)
        return self.check(done, fails=fails)

    def check(self, done, *, fails):
        output = done.stdout + done.stderr
        assert (done.returncode != 0) is fails, output
        assert "invalid status code" not in output or fails, output
        return output

    def manage(self, *arguments, fails=False):
        return self.run("ngshare-course-management", *arguments, fails=fails)

    def cached(self):
        return sorted(os.listdir(self.home / "data" / "nbgrader_cache" / COURSE))


@pytest.fixture
def person(tmp_path, executables, service):
    def made(name):
        return Person(name, tmp_path / name, executables, service.url)

    return made


def cell(kind, source, **grading):
    nbgrader = {"schema_version": 3, "locked": False, "grade": False, "solution": False, "task": False, **grading}
    code = {"outputs": [], "execution_count": None} if kind == "code" else {}
    return {"cell_type": kind, "id": grading["grade_id"], "metadata": {"nbgrader": nbgrader}, "source": source, **code}


def notebook():
    answer = cell("code", "### BEGIN SOLUTION\nx = 42\n### END SOLUTION", grade_id="answer", solution=True)
    test = cell("code", "assert x == 42", grade_id="test", grade=True, locked=True, points=2)
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return {"cells": [answer, test], "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}


def write_source(teacher):
    folder = teacher.home / "source" / PS1
    (folder / "data").mkdir(parents=True)
    (folder / "problem 1.ipynb").write_text(json.dumps(notebook()))
    (folder / "data" / "numbers.csv").write_bytes(bytes(range(256)))


def solve(student, answer):
    place = student.home / PS1 / "problem 1.ipynb"
    place.write_text(place.read_text().replace("raise NotImplementedError()", answer))


def test_the_whole_cycle(person):
    root, alice, bob = person("root"), person("alice"), person("bob")
    root.manage("create_course", COURSE, "alice")
    alice.manage("add_student", COURSE, "bob", "-f", "Bob", "-l", "O'Neill", "-e", "bob@example.edu")
    write_source(alice)
    alice.nbgrader("generate_assignment", PS1)
    alice.nbgrader("release_assignment", PS1)

    assert f"{COURSE} {PS1}" in bob.nbgrader("list")
    bob.nbgrader("fetch_assignment", PS1)
    assert (bob.home / PS1 / "data" / "numbers.csv").read_bytes() == bytes(range(256))
    first = bob.nbgrader("submit", PS1)
    assert f"Submitted as: {COURSE} {PS1}" in first
    solve(bob, "x = 42")
    bob.nbgrader("submit", PS1)
    assert len(bob.cached()) == 2
    assert bob.nbgrader("list", "--cached").count("no feedback available") == 2
    assert alice.nbgrader("list", "--inbound").count("no feedback available") == 2

    alice.nbgrader("collect", PS1)
    collected = alice.home / "submitted" / "bob" / PS1
    assert "x = 42" in (collected / "problem 1.ipynb").read_text()
    assert (collected / "timestamp.txt").read_text() == bob.cached()[-1].split("+")[2]
    alice.nbgrader("autograde", PS1)
    alice.nbgrader("generate_feedback", PS1)
    alice.nbgrader("release_feedback", PS1)

    bob.nbgrader("fetch_feedback", PS1)
    time = (collected / "timestamp.txt").read_text()
    page = (bob.home / PS1 / "feedback" / time / "problem 1.html").read_text()
    assert "2.0 / 2.0" in page
    assert "(feedback already fetched)" in bob.nbgrader("list", "--cached")

    solve_again_after_a_second_release(alice, bob)


def solve_again_after_a_second_release(alice, bob):
    """What the old service loses at `release --force`, this one keeps."""
    assert "Overwriting" in alice.nbgrader("release_assignment", PS1, "--force")
    assert alice.nbgrader("list", "--inbound").count(f"{COURSE} bob {PS1}") == 2
    bob.nbgrader("submit", PS1)
    assert "Updating submission: bob ps1" in alice.nbgrader("collect", PS1, "--update")
    alice.nbgrader("list", "--remove", PS1)
    assert f"{COURSE} {PS1}" not in bob.nbgrader("list")
    alice.nbgrader("release_assignment", PS1)
    assert alice.nbgrader("list", "--inbound").count(f"{COURSE} bob {PS1}") == 3
    bob.nbgrader("fetch_feedback", PS1)


def test_course_management(tmp_path, executables):
    """In stand-alone mode, below /api, with the user in the form alone: as tests of the old client run it."""
    with servers.service(tmp_path / "ours") as service:

        def person(name):
            return Person(name, tmp_path / name, executables, f"{service.url}/api", course="c1", token=False)

        def listed(kind):
            reply = requests.get(f"{service.url}/api/{kind}/c1", params={"user": "root"}, timeout=20).json()
            return {row["username"]: row["first_name"] for row in reply[kind]}

        root, alice, eve = person("root"), person("alice"), person("eve")
        assert "Permission denied" in eve.manage("create_course", "c1", fails=True)
        root.manage("create_course", "c1", "alice")
        assert "Course already exists" in root.manage("create_course", "c1", fails=True)
        root.manage("add_instructor", "c1", "ada", "-f", "Ada", "-l", "L", "-e", "a@x")
        assert "Please supply first name" in root.manage("add_instructor", "c1", "ann", fails=True)
        assert listed("instructors") == {"alice": None, "ada": "Ada"}
        root.manage("remove_instructor", "c1", "ada")
        assert listed("instructors") == {"alice": None}
        alice.manage("add_student", "c1", "bob", "-f", "Bob", "-l", "B", "-e", "b@x")
        rows = ["student_id,last_name,first_name,email", "carol,C,Carol,c@x", "alice,A,Alice,a@x", "dave,D,Dave,d@x"]
        (alice.home / "students.csv").write_text("\n".join(rows))
        output = alice.manage("add_students", "c1", "students.csv")
        assert "carol was successfully added to c1" in output
        assert "error adding alice to c1: Cannot add instructor as student" in output
        assert listed("students") == {"bob": "Bob", "carol": "Carol", "dave": "Dave"}
        assert "dave" in alice.nbgrader("db", "student", "list")
        alice.manage("remove_students", "c1", "carol", "dave", "--force")
        assert listed("students") == {"bob": "Bob"}
        assert "dave" not in alice.nbgrader("db", "student", "list")
        assert "Student not found" in alice.manage("remove_students", "c1", "carol", "--no-gb", fails=True)
        assert "Permission denied" in eve.manage("add_student", "c1", "eve", fails=True)


# An import from a running ngshare 0.6

READERS = ("root", "alice", "carol", "bob", "l\u00f6we & s\u00f6hne", "left", "idle")


def answers(url):
    """What everybody is told about everything, by address and reader."""
    told = {}

    def get(who, *parts, **query):
        address = "/".join(quote(part, safe="") for part in parts)
        headers = {"Authorization": f"token {quote(who)}"}
        reply = requests.get(f"{url}/{address}", headers=headers, params=query, timeout=60)
        told[who, address, str(query)] = (reply.status_code, without_order(reply.json()))
        return reply.json()

    for who in READERS:
        for course in get(who, "courses")["courses"] + ["nowhere"]:
            get(who, "instructors", course)
            get(who, "students", course)
            for assignment in get(who, "assignments", course).get("assignments", []):
                get(who, "assignment", course, assignment)
                for row in get(who, "submissions", course, assignment).get("submissions", []):
                    at = {"timestamp": row["timestamp"]}
                    get(who, "submission", course, assignment, row["student_id"], **at)
                    get(who, "feedback", course, assignment, row["student_id"], **at)
                for row in get(who, "submissions", course, assignment, who).get("submissions", []):
                    get(who, "feedback", course, assignment, who, timestamp=row["timestamp"])
    return told


def without_order(reply):
    return {
        name: sorted(value, key=lambda row: row["username"]) if name in ("instructors", "students") else value
        for name, value in reply.items()
    }


def test_after_an_import_everybody_gets_the_same_answers(tmp_path):
    try:
        with published.old_service(tmp_path / "old") as old:
            make_ngshare_database.use(old.url)
            theirs = answers(old.url)
    except CannotInstall as error:
        pytest.skip(f"the old service cannot be installed here: {error}")
    assert len(theirs) > 100
    with published.small_hub() as hub:
        behind = {"NGSHARE_STANDALONE": "0", "JUPYTERHUB_API_URL": hub}
        with servers.service(tmp_path / "ours", **behind) as service:
            env = {"PATH": os.environ["PATH"], "NGSHARE_DATA": str(service.data)}
            command = [sys.executable, "manage.py", "import_ngshare"]
            command += ["--database", f"sqlite:///{old.database}", "--storage", str(old.storage)]
            done = subprocess.run(command, cwd=servers.ROOT, env=env, capture_output=True, text=True, timeout=120)
            assert done.returncode == 0, done.stdout + done.stderr
            ours = answers(service.url)
    assert ours.keys() == theirs.keys()
    for question, answer in theirs.items():
        assert ours[question] == answer, question
