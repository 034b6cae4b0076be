"""ngshare-course-management, as alice types it in the folder of her first course."""

import os
from dataclasses import dataclass

import pytest

from nbgrader_plugin.cli.course_management import main
from tests.nbgrader_plugin.desk import Desk, call
from tests.nbgrader_plugin.people import Person


@pytest.fixture
def folder(desk, courses):
    """alice's folder for the first course."""
    found = desk.home / "algebra"
    (found / "source").mkdir(parents=True)
    (found / "nbgrader_config.py").write_text(f"c = get_config()\nc.CourseDirectory.course_id = {courses[0]!r}\n")
    return found


@dataclass
class Output:
    stdout: str
    stderr: str


@pytest.fixture
def manage(desk, folder, monkeypatch, capfd):
    """Run the command in this process, which is faster than starting one; test_program_starts starts it."""

    def run(*arguments, status=0, user="alice", cwd=folder):
        env = Desk(desk.home, user, desk.service).env
        for name in set(os.environ) - set(env):
            monkeypatch.delenv(name)
        for name, value in env.items():
            monkeypatch.setenv(name, value)
        monkeypatch.chdir(cwd)
        capfd.readouterr()
        actual = main([str(argument) for argument in arguments])
        output = Output(*capfd.readouterr())
        assert actual == status, output
        return output

    return run


@pytest.fixture
def people(exchange, courses, tmp_path, monkeypatch):
    """Make somebody who is in the first course, at a computer of their own."""

    def make(username):
        return Person(username, tmp_path / "people" / username, courses[0], exchange.url, monkeypatch)

    return make


@pytest.fixture
def released(desk, folder, courses, people):
    """The first course, in which ps1 is released and bob, of section A, and carol have submitted it."""
    for student, section in (("bob", "A"), ("carol", "B")):
        fields = {"role": "student", "section": section}
        call(desk.service, "PUT", f"courses/{courses[0]}/members/{student}/", json=fields)
    people("alice").releases()
    for student in ("bob", "carol"):
        people(student).submits()
    return courses[0]
