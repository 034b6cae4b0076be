"""ngshare-course-management, as it is typed, at a real service."""

import subprocess
import sys

import pytest

from tests.nbgrader_plugin.desk import Desk, call, open_gradebook, roster

pytestmark = pytest.mark.live


def test_program_starts_and_ends_with_the_status_and_a_sentence(desk, folder, courses):
    def run(*arguments):
        command = [sys.executable, "-m", "nbgrader_plugin.cli.course_management", *arguments]
        return subprocess.run(command, env=desk.env, cwd=folder, capture_output=True, text=True, timeout=300)

    assert run("export", courses[0]).returncode == 0
    failed = run("export", "no such course")
    assert failed.returncode == 1
    assert "no such course" in failed.stderr and "Traceback" not in failed.stderr


def gradebook(folder, course):
    return open_gradebook(folder, course)


def students(folder, course):
    with gradebook(folder, course) as opened:
        return {student.id: (student.first_name, student.last_name, student.email) for student in opened.students}


def members(desk, course):
    return {row["username"]: row for row in call(desk.service, "GET", f"courses/{course}/members/")["results"]}


def test_administrator_makes_a_course_and_its_instructors(desk, manage, courses):
    name = f"new {courses[0]}"
    assert "already" in manage("create_course", courses[0], status=1, user="root").stderr
    manage("create_course", name, "alice", "dora", user="root")
    assert roster(desk.service, name) == {"alice": "instructor", "dora": "instructor"}
    manage("add_instructor", name, "ivan", "-f", "Ivan", "--last_name", "I", "-e", "i@x.org", user="root")
    manage("remove_instructor", name, "dora", user="root")
    assert roster(desk.service, name) == {"alice": "instructor", "ivan": "instructor"}
    assert members(desk, name)["ivan"]["email"] == "i@x.org"
    assert "not a member" in manage("remove_instructor", name, "dora", status=1, user="root").stderr


def test_instructor_makes_no_courses_and_no_instructors(desk, manage, courses):
    manage("create_course", f"new {courses[0]}", status=1)
    result = manage("add_instructor", courses[0], "ivan", status=1)
    assert "only an administrator" in result.stdout
    assert roster(desk.service, courses[0]) == {"alice": "instructor"}


def test_student_goes_to_roster_and_gradebook(desk, manage, folder, courses):
    manage("add_student", courses[0], "bob", "-f", "Bob", "-l", "B", "-e", "b@x.org")
    manage("add_student", courses[0], "bob", "--first_name", "Robert")
    assert students(folder, courses[0]) == {"bob": ("Robert", "B", "b@x.org")}
    assert members(desk, courses[0])["bob"]["first_name"] == "Robert"
    manage("remove_students", courses[0], "bob")
    assert students(folder, courses[0]) == {}
    assert roster(desk.service, courses[0]) == {"alice": "instructor"}


def test_no_gb_leaves_the_gradebook_alone(desk, manage, folder, courses):
    manage("add_student", courses[0], "bob", "--no-gb")
    assert not (folder / "gradebook.db").exists()
    assert "bob" in roster(desk.service, courses[0])


def test_gradebook_of_another_course_is_left_alone(desk, manage, folder, courses):
    result = manage("add_student", courses[1], "bob")
    assert courses[0] in result.stderr
    assert "bob" in roster(desk.service, courses[1])
    assert not (folder / "gradebook.db").exists()


def test_gradebook_is_made_elsewhere_only_if_asked(desk, manage, courses):
    assert "no gradebook here" in manage("add_student", courses[0], "bob", cwd=desk.home).stderr
    assert not (desk.home / "gradebook.db").exists()
    manage("add_student", courses[0], "carol", "--gb", cwd=desk.home)
    assert set(students(desk.home, courses[0])) == {"carol"}


def test_csv_with_good_and_bad_lines(desk, manage, folder, courses):
    (folder / "class.csv").write_bytes(
        "student_id;first_name;last_name;email\nbob;Bjørn;B;\nalice;;;\n;Nobody;;\ncarol;;;c@x.org\nbob;Twice;;\n".encode(
            "latin-1"
        )
    )
    result = manage("add_students", courses[0], "class.csv", status=1)
    assert "never demotes" in result.stdout
    assert "Line 4 has no user name" in result.stderr
    assert "2 of 4 were refused" in result.stderr
    assert roster(desk.service, courses[0]) == {"alice": "instructor", "bob": "student", "carol": "student"}
    assert students(folder, courses[0]) == {"bob": ("Bjørn", "B", None), "carol": (None, None, "c@x.org")}


def test_missing_file_and_wrong_address_are_sentences(manage, courses):
    assert "No such file" in manage("add_students", courses[0], "nowhere.csv", status=1).stderr
    assert "no such course" in manage("export", "no such course", status=1).stderr


def test_grades_are_deleted_by_force_alone(desk, manage, folder, courses):
    manage("add_student", courses[0], "bob")
    with gradebook(folder, courses[0]) as opened:
        opened.add_assignment("ps1")
        opened.add_submission("ps1", "bob")
    assert "--force" in manage("remove_students", courses[0], "bob", status=1).stderr
    assert "bob" in students(folder, courses[0])
    assert "bob" not in roster(desk.service, courses[0])
    manage("add_student", courses[0], "bob")
    manage("remove_students", courses[0], "bob", "--force")
    assert students(folder, courses[0]) == {}


def test_staff_are_not_removed_as_students(desk, manage, courses):
    assert "is instructor" in manage("remove_students", courses[0], "alice", status=1).stderr
    assert roster(desk.service, courses[0]) == {"alice": "instructor"}


def test_export_is_read_back(desk, manage, folder, courses):
    manage("add_student", courses[0], "bob", "-f", "=Bjørn", "--no-gb")
    manage("export", courses[0], "out.csv")
    assert "bob,'=Bjørn,,,,student" in (folder / "out.csv").read_text(encoding="utf-8-sig")
    assert "bob,'=Bjørn,,,,student" in manage("export", courses[0]).stdout
    manage("add_students", courses[1], "out.csv", "--no-gb")
    assert members(desk, courses[1])["bob"]["first_name"] == "=Bjørn"
    assert roster(desk.service, courses[1]) == {"alice": "instructor", "bob": "student"}


def test_status_shows_who_submitted_to_staff_alone(desk, manage, folder, courses):
    (folder / "nbgrader_config.py").write_text(
        "from nbgrader_plugin import configure\n"
        f"c = get_config()\nconfigure(c)\nc.CourseDirectory.course_id = {courses[0]!r}\n"
    )
    (folder / "release/ps1").mkdir(parents=True)
    (folder / "release/ps1/a.txt").write_text("a")
    (folder / "source/ps1").mkdir()
    manage("add_student", courses[0], "bob", "-f", "Bob", "--no-gb")
    manage("add_student", courses[0], "carol", "--no-gb")
    for user, verb in (
        ("alice", "release_assignment"),
        ("bob", "fetch_assignment"),
        ("bob", "submit"),
        ("bob", "submit"),
    ):
        cwd = folder if user == "alice" else desk.home
        command = [sys.executable, "-m", "nbgrader", verb, "ps1", "--course", courses[0]]
        env = Desk(desk.home, user, desk.service).env
        result = subprocess.run(command, env=env, cwd=cwd, capture_output=True, text=True, timeout=300)
        assert result.returncode == 0, result.stderr
    lines = manage("status", courses[0]).stdout.splitlines()
    assert lines[0].split() == ["username", "name", "section", "ps1"]
    assert lines[2].split()[:2] == ["bob", "Bob"] and lines[2].endswith(", submitted, 2 attempts")
    assert lines[3].split() == ["carol", "-"]
    assert lines[4].startswith("submitted ") and "1 of 2 students" in lines[4]
    manage("status", courses[0], status=1, user="bob")


@pytest.fixture
def apart(desk, folder, courses, monkeypatch):
    """bob on the roster alone, carol in the gradebook alone, dora in both with other names; alice tried something."""
    monkeypatch.setenv("PATH", desk.env["PATH"])
    path = f"courses/{courses[0]}/members"
    call(desk.service, "PUT", f"{path}/bob/", json={"role": "student", "first_name": "Bob"})
    call(desk.service, "PUT", f"{path}/dora/", json={"role": "student", "first_name": "Dora", "last_name": "D"})
    with gradebook(folder, courses[0]) as opened:
        opened.add_student("alice")
        opened.add_student("carol", first_name="Carol")
        opened.add_student("dora", first_name="Dorothea", email="d@x.org")
    return courses[0]


def test_sync_shows_and_does_nothing_without_yes(desk, manage, folder, apart):
    before = students(folder, apart), members(desk, apart)
    result = manage("sync-gradebook", apart)
    assert all(name in result.stdout for name in ("bob", "carol", "dora"))
    assert "alice" not in result.stdout
    assert "--yes" in result.stderr
    assert (students(folder, apart), members(desk, apart)) == before


def test_sync_in_both_directions_fills_what_is_missing(desk, manage, folder, apart):
    manage("sync-gradebook", apart, "--yes")
    local, there = students(folder, apart), members(desk, apart)
    assert local.keys() - {"alice"} == there.keys() - {"alice"} == {"bob", "carol", "dora"}
    assert local["dora"] == ("Dorothea", "D", "d@x.org")
    assert (there["dora"]["first_name"], there["dora"]["email"]) == ("Dora", "d@x.org")
    assert there["carol"]["first_name"] == "Carol"
    assert there["alice"]["role"] == "instructor"
    assert "nothing to do" in manage("sync-gradebook", apart).stdout


def test_sync_to_the_gradebook_leaves_the_roster_alone(desk, manage, folder, apart):
    before = members(desk, apart)
    manage("sync-gradebook", apart, "--direction", "to-gradebook", "--remove", "--yes")
    assert members(desk, apart) == before
    assert students(folder, apart).keys() == {"alice", "bob", "dora"}
    assert students(folder, apart)["dora"] == ("Dora", "D", "d@x.org")


def test_sync_to_the_roster_leaves_the_gradebook_alone(desk, manage, folder, apart):
    before = students(folder, apart)
    manage("sync-gradebook", apart, "--direction", "to-roster", "--remove", "--yes")
    assert students(folder, apart) == before
    assert roster(desk.service, apart) == {"alice": "instructor", "carol": "student", "dora": "student"}
    assert members(desk, apart)["dora"]["first_name"] == "Dorothea"


def test_sync_outside_a_course_directory_is_refused(manage, desk, courses):
    assert "no gradebook here" in manage("sync-gradebook", courses[0], "--yes", status=1, cwd=desk.home).stderr
