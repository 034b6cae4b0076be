"""Formgrader's Manage Students and several course directories, in a real Jupyter server."""

import pytest
import requests

from tests import servers
from tests.nbgrader_plugin.asked import asked_meanwhile
from tests.nbgrader_plugin.desk import (
    call,
    goes_on_during,
    jupyter_server,
    make_desk,
    put_student,
    roster,
    stopped,
    students_in,
)
from tests.nbgrader_plugin.people import notebook, write

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
            assert requests.get(f"{url}/formgrader", params={"path": folder}, timeout=300).status_code == 200
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
        requests.get(f"{url}/formgrader", params={"path": folder}, timeout=300)
        assert put_student(url, "bob").status_code == 500
        assert "ErrorResponse" in log.read_text()
    assert students_in(folder) == set()
    assert set(roster(desk.service, courses[0])) == {"ivan"}


def test_server_without_formgrader_starts_without_a_complaint(desk):
    with jupyter_server(desk, "--ServerApp.jpserver_extensions=nbgrader.server_extensions.formgrader=False") as (
        url,
        log,
    ):
        assert requests.get(f"{url}/api/contents", timeout=300).status_code == 200
        text = log.read_text()
    assert "nbgrader_plugin.formgrader_fix | extension was successfully loaded" in text
    assert "Traceback" not in text


def test_server_without_ngshare_configured_keeps_a_local_gradebook(desk):
    (desk.home / ".jupyter/nbgrader_config.py").write_text("")
    with jupyter_server(desk) as (url, log):
        assert requests.get(f"{url}/formgrader/manage_students", timeout=300).status_code == 200
        assert put_student(url, "bob", first_name="Bob").status_code == 200
    assert students_in(desk.home) == {"bob"}


def names(url):
    """Who formgrader's page of students shows, by user name."""
    rows = requests.get(f"{url}/formgrader/api/students", timeout=300).json()
    return {row["id"]: (row["first_name"], row["last_name"]) for row in rows}


def test_students_of_the_roster_are_shown_with_their_names(desk, courses):
    course = courses[0]
    folder = course_directory(desk, "a", course)
    people = [
        {"username": "bob", "first_name": "Bob", "last_name": "Baker"},
        {"username": "carol", "first_name": "Carol", "last_name": "Cook"},
        {"username": "dave"},
    ]
    call(desk.service, "POST", f"courses/{course}/members/bulk/", json={"members": people})
    with jupyter_server(desk) as (url, _log):
        requests.get(f"{url}/formgrader", params={"path": folder}, timeout=300)
        assert put_student(url, "carol", first_name="Caro", last_name=None, email=None).status_code == 200
        assert put_student(url, "dave", first_name="Dave", last_name="Dyer", email=None).status_code == 200
        assert names(url) == {"bob": ("Bob", "Baker"), "carol": ("Caro", "Cook"), "dave": ("Dave", "Dyer")}
        call(desk.service, "PUT", f"courses/{course}/members/erin/", json={"role": "student", "first_name": "Erin"})
        assert names(url)["erin"] == ("Erin", None)
    assert students_in(folder) == {"bob", "carol", "dave", "erin"}


def test_failed_release_is_told_in_one_sentence(desk, courses):
    folder = course_directory(desk, "a", courses[0])
    write(folder / "release/ps1", {"p1.ipynb": notebook()})
    with jupyter_server(desk) as (url, _log):
        requests.get(f"{url}/formgrader", params={"path": folder}, timeout=300)
        release = f"{url}/formgrader/api/assignment/ps1/release"
        assert requests.post(release, timeout=300).json()["success"] is True
        sentence = f"Destination already exists, add --force to overwrite: {courses[0]} ps1"
        assert requests.post(release, timeout=300).json() == {"success": False, "log": sentence}


def test_a_click_asks_the_exchange_once_for_what_it_shows(desk, courses):
    folder = course_directory(desk, "a", courses[0])
    for number in range(5):
        write(folder / f"source/ps{number}", {"p1.ipynb": notebook()})

    def asked(path):
        def act():
            requests.get(f"{url}/formgrader/{path}", timeout=300).raise_for_status()

        return len(asked_meanwhile(desk.service, desk.username, act))

    with jupyter_server(desk) as (url, _log):
        requests.get(f"{url}/formgrader", params={"path": folder}, timeout=300)
        assert asked("manage_assignments") == 1
        assert asked("api/assignments") == 1, "five assignments, of which none is released"
        assert asked("manage_students") == 0
        assert asked("api/students") == 2, "the list, and the roster"
        assert asked("api/status") == 0


def test_formgrader_sees_what_was_released_a_moment_ago(desk, courses):
    folder = course_directory(desk, "a", courses[0])
    write(folder / "source/ps1", {"p1.ipynb": notebook()})
    write(folder / "release/ps1", {"p1.ipynb": notebook()})
    with jupyter_server(desk) as (url, _log):
        requests.get(f"{url}/formgrader", params={"path": folder}, timeout=300)

        def status():
            (row,) = requests.get(f"{url}/formgrader/api/assignments", timeout=300).json()
            return row["status"]

        assert status() == "draft"
        requests.post(f"{url}/formgrader/api/assignment/ps1/release", timeout=300)
        assert status() == "released"
        call(desk.service, "POST", f"courses/{courses[0]}/assignments/ps1/withdraw/")
        assert status() == "draft"


def test_server_goes_on_while_the_exchange_does_not_answer(tmp_path):
    with servers.service(tmp_path / "ngshare", workers=1) as service:
        desk = make_desk(tmp_path / "alice", "alice", service, seconds=10)
        folder = course_directory(desk, "a", "any")
        write(folder / "source/ps1", {"p1.ipynb": notebook()})
        with jupyter_server(desk) as (url, _log):
            requests.get(f"{url}/formgrader", params={"path": folder}, timeout=300)
            requests.get(f"{url}/formgrader/api/assignments", timeout=300)  # makes the gradebook
            with stopped(service):
                answer = goes_on_during(url, lambda: requests.get(f"{url}/formgrader/api/assignments", timeout=300))
                page = requests.get(f"{url}/formgrader/manage_assignments", timeout=300).text
                release = f"{url}/formgrader/api/assignment/ps1/release"
                answer_of_button = goes_on_during(url, lambda: requests.post(release, timeout=300)).json()
            assert answer_of_button == {"success": False, "log": "The exchange did not answer within 10 seconds."}
            assert "The exchange did not answer within 10 seconds. Nothing can be released or collected now." in page
            assert "exchange directory" not in page and service.url not in page.partition("warning-exchange")[2]
            assert (
                "exchange did not answer" not in requests.get(f"{url}/formgrader/manage_assignments", timeout=300).text
            )
            assert [row["status"] for row in answer.json()] == ["draft"]
