"""Formgrader's Manage Students and several course directories, in a real Jupyter server."""

import pytest
import requests

from tests.nbgrader_plugin.desk import call, jupyter_server, put_student, roster, students_in

pytestmark = pytest.mark.live


def course_directory(desk, name, course):
    folder = desk.home / name
    (folder / "source").mkdir(parents=True)
    (folder / "nbgrader_config.py").write_text(
        "from nbgrader_plugin import configure\n"
        "c = get_config()\n"
        "configure(c)\n"
        f"c.CourseDirectory.course_id = {course!r}\n"
        f"c.CourseDirectory.root = {str(folder)!r}\n"
        f"c.CourseDirectory.db_url = 'sqlite:///{folder}/gradebook.db'\n"
    )
    return folder


def test_manage_students_reaches_roster_and_gradebook_of_the_course_shown(desk, courses):
    first, second = (course_directory(desk, name, course) for name, course in zip("ab", courses, strict=True))
    with jupyter_server(desk) as (url, _log):
        for folder, student in ((first, "bob"), (second, "carol"), (first, "dora")):
            assert requests.get(f"{url}/formgrader", params={"path": folder}, timeout=30).status_code == 200
            answer = put_student(url, student, first_name=student.title(), last_name=None, email=None)
            assert answer.status_code == 200, answer.text
            assert answer.json()["first_name"] == student.title()
    assert students_in(first) == {"bob", "dora"}
    assert students_in(second) == {"carol"}
    assert roster(desk.service, courses[0]) == {"alice": "instructor", "bob": "student", "dora": "student"}
    assert roster(desk.service, courses[1]) == {"alice": "instructor", "carol": "student"}


def test_student_whom_the_service_refuses_is_not_in_the_gradebook_either(desk, courses):
    folder = course_directory(desk, "a", courses[0])
    path = f"courses/{courses[0]}/members"
    call(desk.service, "PUT", f"{path}/ivan/", json={"role": "instructor"})
    call(desk.service, "DELETE", f"{path}/alice/")
    with jupyter_server(desk) as (url, log):
        requests.get(f"{url}/formgrader", params={"path": folder}, timeout=30)
        assert put_student(url, "bob").status_code == 500
        assert "ErrorResponse" in log.read_text()
    assert students_in(folder) == set()
    assert set(roster(desk.service, courses[0])) == {"ivan"}


def test_server_without_formgrader_starts_without_a_complaint(desk):
    with jupyter_server(desk, "--ServerApp.jpserver_extensions=nbgrader.server_extensions.formgrader=False") as (
        url,
        log,
    ):
        assert requests.get(f"{url}/api/contents", timeout=30).status_code == 200
        text = log.read_text()
    assert "nbgrader_plugin.formgrader_fix | extension was successfully loaded" in text
    assert "Traceback" not in text


def test_server_without_ngshare_configured_keeps_a_local_gradebook(desk):
    (desk.home / ".jupyter/nbgrader_config.py").write_text("")
    with jupyter_server(desk) as (url, log):
        assert requests.get(f"{url}/formgrader/manage_students", timeout=30).status_code == 200
        assert put_student(url, "bob", first_name="Bob").status_code == 200
    assert students_in(desk.home) == {"bob"}
