"""ngshare-course-directory: what it lays out, what it leaves alone, and that formgrader takes it."""

import json
import subprocess
import sys

import pytest
import requests

from nbgrader_plugin.cli.course_directory import allow_local_config, lab_settings_folder, make_folder
from tests.nbgrader_plugin.desk import Desk, call, jupyter_server, put_student, roster, students_in

SETTING = ".jupyter/lab/user-settings/@jupyter/nbgrader/formgrader.jupyterlab-settings"


def make(desk, *arguments):
    command = [sys.executable, "-m", "nbgrader_plugin.cli.course_directory", *arguments]
    return subprocess.run(command, env=desk.env, cwd=desk.home, capture_output=True, text=True, timeout=300)


def test_files_that_are_there_are_never_changed(tmp_path, capsys):
    (tmp_path / "nbgrader_config.py").write_text("# mine")
    make_folder("algebra", tmp_path)
    assert (tmp_path / "nbgrader_config.py").read_text() == "# mine"
    assert (tmp_path / "source").is_dir()
    assert "was not changed" in capsys.readouterr().err


def test_making_it_twice_changes_nothing(tmp_path, capsys):
    make_folder("algebra", tmp_path / "a", url="http://127.0.0.1:1")
    before = (tmp_path / "a/nbgrader_config.py").read_text()
    make_folder("algebra", tmp_path / "a", url="http://127.0.0.1:1")
    assert (tmp_path / "a/nbgrader_config.py").read_text() == before
    assert "already" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (None, {"local_config": True}),
        ("", {"local_config": True}),
        ('{"other": 1}', {"other": 1, "local_config": True}),
        ('{"local_config": false}', {"local_config": False}),
    ],
)
def test_lab_setting_is_switched_on_unless_the_user_said_no(tmp_path, before, after):
    file = tmp_path / "a/formgrader.jupyterlab-settings"
    if before is not None:
        file.parent.mkdir()
        file.write_text(before)
    allow_local_config(file)
    assert json.loads(file.read_text()) == after
    assert list(file.parent.iterdir()) == [file]


def test_lab_settings_with_comments_are_left_alone(tmp_path, capsys):
    file = tmp_path / "formgrader.jupyterlab-settings"
    file.write_text('{\n  // mine\n  "local_config": false\n}')
    allow_local_config(file)
    assert "// mine" in file.read_text()
    assert "Formgrader (local)" in capsys.readouterr().err


def test_lab_settings_folder_follows_labs_own_variable(tmp_path):
    assert lab_settings_folder("/home/alice/.jupyter", {"JUPYTERLAB_SETTINGS_DIR": str(tmp_path)}) == tmp_path
    assert lab_settings_folder(str(tmp_path), {}) == tmp_path / "lab/user-settings"


@pytest.mark.live
def test_one_for_each_course_taught_and_formgrader_opens_them(desk, courses):
    result = make(desk)
    assert result.returncode == 0, result.stderr
    taught = {row["name"] for row in call(desk.service, "GET", "courses/", user="alice")["results"]}  # also by others
    assert {folder.name for folder in desk.home.iterdir() if (folder / "source").is_dir()} == taught >= set(courses)
    assert json.loads((desk.home / SETTING).read_text()) == {"local_config": True}
    assert make(desk).returncode == 0
    with jupyter_server(desk) as (url, _log):
        for course in courses:
            page = requests.get(f"{url}/formgrader", params={"path": desk.home / course}, timeout=300)
            assert page.status_code == 200
            assert course in page.text
            assert "The exchange directory at" not in page.text
            assert put_student(url, "bob").status_code == 200
    for course in courses:
        assert students_in(desk.home / course) == {"bob"}
        assert "bob" in roster(desk.service, course)


@pytest.mark.live
def test_who_does_not_teach_the_course_gets_no_folder(desk, courses):
    call(desk.service, "PUT", f"courses/{courses[0]}/members/bob/", json={"role": "student"})
    bob = Desk(desk.home, "bob", desk.service)
    for arguments, sentence in (
        ([courses[0]], "your role there is student"),
        ([courses[1]], ""),
        ([], "teaches no course"),
    ):
        result = make(bob, *arguments)
        assert result.returncode == 1
        assert sentence in result.stderr
        assert "Traceback" not in result.stderr
    assert not (desk.home / courses[0]).exists()


@pytest.mark.live
def test_folder_may_be_named(desk, courses):
    result = make(desk, courses[0], "teaching/algebra")
    assert result.returncode == 0, result.stderr
    assert (desk.home / "teaching/algebra/nbgrader_config.py").exists()
