"""The manifest of a folder on this computer, by nbgrader's rules."""

import hashlib
import os

import pytest
from nbgrader.coursedir import CourseDirectory

from nbgrader_plugin.client.errors import LocalFileError
from nbgrader_plugin.client.paths import BadPath
from nbgrader_plugin.exchange.local_files import read_folder
from tests.nbgrader_plugin.people import write


@pytest.fixture
def coursedir():
    return CourseDirectory()


def test_manifest_lists_what_is_there_sorted(tmp_path, coursedir):
    write(tmp_path, {"b": "2", "a/c": "3", "feedback/x": "x", "B 2": "1"})
    found = read_folder(tmp_path, coursedir)
    assert [(file.path, file.size) for file in found] == [("B 2", 1), ("a/c", 1), ("b", 1)]
    assert found[0].sha256 == hashlib.sha256(b"1").hexdigest()


def test_links_are_followed_as_nbgrader_does(tmp_path, coursedir):
    write(tmp_path, {"elsewhere/data.csv": "1", "ps1/p1.ipynb": "x"})
    (tmp_path / "ps1/data").symlink_to(tmp_path / "elsewhere")
    assert [file.path for file in read_folder(tmp_path / "ps1", coursedir)] == ["data/data.csv", "p1.ipynb"]


def test_link_in_a_circle_is_refused(tmp_path, coursedir):
    (tmp_path / "a").mkdir()
    (tmp_path / "a/again").symlink_to(tmp_path)
    with pytest.raises(LocalFileError, match="link to a folder that contains it"):
        read_folder(tmp_path, coursedir)


def test_link_to_nothing_is_refused(tmp_path, coursedir):
    (tmp_path / "gone").symlink_to(tmp_path / "nowhere")
    with pytest.raises(LocalFileError, match="link to something that no longer exists"):
        read_folder(tmp_path, coursedir)


def test_pipe_is_refused_without_waiting_for_it(tmp_path, coursedir):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(LocalFileError, match="not an ordinary file"):
        read_folder(tmp_path, coursedir)


def test_names_in_the_decomposed_form_are_sent_composed(tmp_path, coursedir):
    write(tmp_path, {"a\u0308.txt": "x"})
    assert [file.path for file in read_folder(tmp_path, coursedir)] == ["\u00e4.txt"]


def test_names_that_differ_only_in_case_are_refused(tmp_path, coursedir):
    write(tmp_path, {"a.txt": "x", "A.txt": "y"})
    with pytest.raises(BadPath, match="looks the same"):
        read_folder(tmp_path, coursedir)


@pytest.mark.parametrize(
    ("name", "shown"),
    [("exam\u202efdp.exe", r"'exam\u202efdp.exe'"), ("a\x1b[2Jb", r"'a\x1b[2Jb'"), (b"\xff", r"'\udcff'")],
)
def test_file_that_the_exchange_refuses_is_named_with_the_reason(tmp_path, coursedir, name, shown):
    with open(os.path.join(os.fsencode(tmp_path), os.fsencode(name)), "w"):
        pass
    with pytest.raises(BadPath) as caught:
        read_folder(tmp_path, coursedir)
    assert str(caught.value).startswith(f"The file name {shown} cannot be used: it has a control character")


@pytest.mark.parametrize("name", ["a:b", "CON", "a.", "what?.txt"])
def test_names_that_only_windows_does_not_take_are_sent(tmp_path, coursedir, name):
    write(tmp_path, {name: "x"})
    assert [file.path for file in read_folder(tmp_path, coursedir)] == [name]


def test_deep_folders_are_refused_unless_they_are_ignored(tmp_path, coursedir):
    write(tmp_path, {"deep/" + "d/" * 30 + "leaf": "x"})
    assert len(read_folder(tmp_path, coursedir)) == 1
    (tmp_path / "deep" / ("d/" * 31)).mkdir()
    with pytest.raises(BadPath, match="is more than 31 folders deep, and cannot be sent"):
        read_folder(tmp_path, coursedir)
    coursedir.ignore = ["deep"]
    assert read_folder(tmp_path, coursedir) == []
