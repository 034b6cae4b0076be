"""Rosters going out of the admin: for spreadsheets, and for the real nbgrader."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from nbgrader.api import Gradebook

from courses.models import Course, Membership, Role
from tests import cast

FILES = {
    "roster.csv": b"\xef\xbb\xbfusername,",  # a spreadsheet needs the mark
    "students-for-nbgrader.csv": b"id,",  # nbgrader would take it for a part of the first column's name
}


@pytest.fixture
def export(course, browser):
    return lambda file, who="alice": browser(who).get(f"/admin/courses/course/{course.pk}/{file}")


@pytest.mark.parametrize("who", ["alice", "gina", "root"])
@pytest.mark.parametrize("file", FILES)
def test_staff_export(course, export, file, who):
    answer = export(file, who)
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="NBG 101 ')
    assert answer.getvalue().startswith(FILES[file])


@pytest.mark.parametrize(("who", "status"), [("bob", 302), ("erin", 302), ("carol", 404)])
@pytest.mark.parametrize("file", FILES)
def test_nobody_else_exports(course, export, file, who, status):
    assert export(file, who).status_code == status


@pytest.mark.parametrize("name", ['a"b', "Übung", "a;b\\c", "..a"])
def test_any_name_of_a_course_makes_the_name_of_a_file(course, export, name):
    Course.objects.filter(pk=course.pk).update(name=name)
    disposition = export("roster.csv").headers["Content-Disposition"]
    assert disposition.startswith("attachment; filename") and "\n" not in disposition


def test_chosen_members_are_downloaded(course, browser):
    chosen = course.memberships.filter(user__username__in=["bob", "gina"]).values_list("pk", flat=True)
    answer = browser("alice").post(
        "/admin/courses/membership/", {"action": "download", "_selected_action": list(chosen)}
    )
    lines = answer.getvalue().decode("utf-8-sig").splitlines()
    assert lines == ["username,first_name,last_name,email,section,role", "bob,,,,,student", "gina,,,,,grader"]


@pytest.mark.parametrize("name", ["=1+1", "@sum", "-1", "＝1", "'=1"])
def test_no_user_name_is_a_formula_in_any_export(course, export, name):
    cast.enrol(course, name, Role.STUDENT, first_name="\t＋1", last_name=" =1")
    assert export("students-for-nbgrader.csv").getvalue().decode().splitlines()[1:] == ["bob,,,", "dave,,,"]
    lines = export("roster.csv").getvalue().decode("utf-8-sig").splitlines()
    assert f"'{name},'＋1,'=1,,,student" in lines


@pytest.mark.nbgrader
def test_nbgrader_reads_its_export_and_keeps_what_it_knew_besides(course, export, tmp_path, monkeypatch):
    cast.enrol(course, "@mal", Role.STUDENT)
    cast.enrol(course, "eve", Role.STUDENT, first_name="Éve", last_name='O"Neill, Jr.', email="eve@x.org")
    Membership.objects.filter(user__username="bob").update(first_name="Bob")
    (tmp_path / "students.csv").write_bytes(export("students-for-nbgrader.csv").getvalue())
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")  # nbgrader runs alembic by name
    database = f"sqlite:///{tmp_path}/gradebook.db"
    with Gradebook(database) as gradebook:
        gradebook.add_student("bob", lms_user_id="17")
    command = [sys.executable, "-m", "nbgrader", "db", "student", "import", "students.csv"]
    env = {**os.environ, "HOME": str(tmp_path), "PYTHONUTF8": "1"}
    done = subprocess.run(
        [*command, f"--db={database}"], cwd=tmp_path, env=env, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    with Gradebook(database) as gradebook:
        found = {one.id: (one.first_name, one.last_name, one.email, one.lms_user_id) for one in gradebook.students}
    assert found == {
        "eve": ("Éve", 'O"Neill, Jr.', "eve@x.org", None),
        "bob": ("Bob", None, None, "17"),
        "dave": (None, None, None, None),
    }
