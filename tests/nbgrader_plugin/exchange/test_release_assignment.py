"""nbgrader release_assignment."""

from datetime import datetime

import pytest

from tests.nbgrader_plugin.desk import open_gradebook
from tests.nbgrader_plugin.people import notebook, write

pytestmark = pytest.mark.live

KIND = "ExchangeReleaseAssignment"


def released_paths(person, assignment="ps1"):
    answer = person.api("GET", f"courses/{person.course}/assignments/{assignment}/releases/latest/")
    return [file["path"] for file in answer["files"]]


def number_of_releases(person):
    return len(person.api("GET", f"courses/{person.course}/assignments/ps1/releases/")["results"])


def test_release_says_from_where_to_where_and_what(alice):
    outcome = alice.releases()
    source, destination, released = outcome.lines()
    assert source == f"Source: {alice.root}/release/./ps1"
    assert destination == f"Destination: {alice.course} ps1 in the exchange"
    assert released == f"Released as: {alice.course} ps1"
    assert released_paths(alice) == ["data/points.csv", "p1.ipynb"]


def test_assignment_that_is_only_in_source_asks_for_generate(alice):
    write(alice.root / "source/ps1", {"p1.ipynb": notebook()})
    outcome = alice.fails(KIND, "ps1")
    assert "Assignment found in '" in outcome.error
    assert "run `nbgrader generate_assignment` first." in outcome.error


def test_unknown_assignment_names_the_likely_one(alice):
    write(alice.root / "release/problem set 1", {"p1.ipynb": notebook()})
    outcome = alice.fails(KIND, "problem set 2")
    assert outcome.error.startswith("Assignment not found at: ")
    assert outcome.error.endswith(f". Did you mean {alice.root / 'release' / 'problem set 1'}?")


def test_release_without_a_course_fails(alice):
    write(alice.root / "release/ps1", {"p1.ipynb": notebook()})
    assert alice.fails(KIND, "ps1", coursedir={"course_id": ""}).error == (
        "No course id specified. Re-run with --course flag."
    )


def test_second_release_is_refused_without_force(alice):
    alice.releases()
    outcome = alice.fails(KIND, "ps1")
    assert outcome.error == f"Destination already exists, add --force to overwrite: {alice.course} ps1"
    assert number_of_releases(alice) == 1


def test_force_releases_again_and_keeps_submissions(alice, bob):
    alice.releases()
    bob.submits()
    outcome = alice.releases(files={"p2.ipynb": notebook()}, force=True)
    assert f"Overwriting files: {alice.course} ps1" in outcome.info
    assert number_of_releases(alice) == 2
    assert len(alice.submissions()) == 1


def test_release_after_unrelease_needs_no_force_and_keeps_submissions(alice, bob):
    alice.releases()
    bob.submits()
    alice.does("ExchangeList", "ps1", remove=True)
    assert bob.does("ExchangeList").result == []
    alice.releases()
    assert [row["assignment_id"] for row in bob.does("ExchangeList").result] == ["ps1"]
    assert len(alice.submissions()) == 1


def test_ignored_files_and_folders_are_not_released(alice):
    alice.releases(
        files={
            "p1.ipynb": notebook(),
            ".ipynb_checkpoints/p1.ipynb": "x",
            "sub/module.pyc": "x",
            "sub/feedback/p1.html": "x",
            "sub/kept.py": "x",
        }
    )
    assert released_paths(alice) == ["p1.ipynb", "sub/kept.py"]


def test_only_included_files_are_released(alice):
    alice.settings.CourseDirectory.include = ["*.ipynb"]
    alice.releases(files={"p1.ipynb": notebook(), "data.csv": "1", "sub/more.csv": "1", "sub/p2.ipynb": notebook()})
    assert released_paths(alice) == ["p1.ipynb", "sub/p2.ipynb"]


def test_file_over_max_file_size_is_left_out_with_a_warning(alice):
    alice.settings.CourseDirectory.max_file_size = 2  # kB
    outcome = alice.releases(files={"p1.ipynb": notebook(), "large.bin": bytes(2001), "fits.bin": bytes(2000)})
    assert released_paths(alice) == ["fits.bin", "p1.ipynb"]
    (warning,) = outcome.warnings
    assert "large.bin" in warning


def test_folder_over_max_dir_size_is_refused(alice):
    alice.settings.CourseDirectory.max_dir_size = 3  # kB
    write(alice.root / "release/ps1", {"p1.ipynb": notebook(), "large.bin": bytes(3001)})
    outcome = alice.fails(KIND, "ps1")
    assert outcome.error.startswith("Directory size is too big. Size is ")
    assert alice.does("ExchangeList").result == []


def test_subfolder_named_like_the_assignment_is_kept(alice):
    alice.releases(files={"ps1.ipynb": notebook(), "ps1/ps1.ipynb": notebook("inner")})
    assert released_paths(alice) == ["ps1.ipynb", "ps1/ps1.ipynb"]


def test_student_may_not_release(alice, bob):
    write(bob.root / "release/ps1", {"p1.ipynb": notebook()})
    assert bob.fails(KIND, "ps1").error
    assert alice.does("ExchangeList").result == []


def test_section_with_the_old_name_is_honoured_with_a_warning(alice):
    alice.releases()
    alice.settings.ExchangeRelease.force = True
    alice.releases()
    assert number_of_releases(alice) == 2


def test_release_says_that_it_changes_the_due_date(alice):
    place = f"courses/{alice.course}/assignments/ps1/"
    alice.releases()
    alice.api("PATCH", place, json={"due": "2027-01-30T12:00Z"})
    with open_gradebook(alice.root, alice.course) as gradebook:
        gradebook.update_or_create_assignment("ps1", duedate=datetime(2027, 1, 31, 12))
    outcome = alice.releases(force=True)
    (warning,) = outcome.warnings
    assert warning.startswith("The due date in the exchange was 2027-01-30 ")
    assert "now it is the gradebook's, 2027-01-31 " in warning
    assert alice.releases(force=True).warnings == []


def test_due_date_of_the_gradebook_is_released(alice, bob):
    alice.root.mkdir()
    with open_gradebook(alice.root, alice.course) as gradebook:
        gradebook.update_or_create_assignment("ps1", duedate=datetime(2027, 1, 31, 12))
    alice.releases()
    (row,) = bob.api("GET", "assignments/", params={"course": bob.course})["results"]
    assert row["due"] == "2027-01-31T12:00:00.000000Z"


def test_release_makes_no_gradebook(alice):
    alice.releases()
    assert not (alice.root / "gradebook.db").exists()
