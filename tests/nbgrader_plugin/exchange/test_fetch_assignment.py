"""nbgrader fetch_assignment."""

import pytest

from tests.nbgrader_plugin.people import notebook, tree, write

pytestmark = pytest.mark.live

KIND = "ExchangeFetchAssignment"
FILES = {"p1.ipynb": notebook(), "data/points.csv": "1,2\n", "data/deep/more.csv": "3\n"}


def test_fetched_folder_holds_the_release_byte_for_byte(alice, bob):
    alice.releases(files=FILES)
    outcome = bob.does(KIND, "ps1")
    assert tree(bob.home / "ps1") == {path: text.encode() for path, text in FILES.items()}
    assert outcome.lines() == [
        f"Source: {bob.course} ps1 in the exchange",
        f"Destination: {bob.home / 'ps1'}",
        f"Fetched as: {bob.course} ps1",
    ]
    assert sorted(path.name for path in bob.home.iterdir()) == ["cache", "ps1"]


def test_course_is_a_folder_when_paths_include_it(alice, bob):
    alice.releases()
    bob.settings.Exchange.path_includes_course = True
    bob.does(KIND, "ps1")
    assert (bob.home / bob.course / "ps1/p1.ipynb").is_file()


def test_outsider_has_no_access_and_gets_nothing(alice, carol):
    alice.releases()
    outcome = carol.fails(KIND, "ps1")
    assert outcome.error.startswith("You do not have access to this course.")
    assert tree(carol.home) == {}


def test_other_authenticator_is_asked_for_access(alice, bob):
    alice.releases()
    bob.settings.Authenticator.plugin_class = "tests.nbgrader_plugin.authenticators.NoCourses"
    assert bob.fails(KIND, "ps1").error == "You do not have access to this course."
    assert tree(bob.home) == {}


def test_assignment_that_is_not_released_fails_and_names_the_likely_one(alice, bob):
    alice.releases("ps1")
    outcome = bob.fails(KIND, "ps2")
    assert outcome.error == f"Assignment not found: ps2 is not released in {bob.course}. Did you mean ps1?"
    assert tree(bob.home) == {}


def test_unreleased_assignment_cannot_be_fetched(alice, bob):
    alice.releases()
    alice.does("ExchangeList", "ps1", remove=True)
    assert bob.fails(KIND, "ps1").error == f"Assignment not found: ps1 is not released in {bob.course}."
    assert tree(bob.home) == {}


def test_unknown_course_fails_with_a_sentence(bob):
    outcome = bob.fails(KIND, "ps1", coursedir={"course_id": "no such course"})
    assert "no such course" in outcome.error
    assert tree(bob.home) == {}


def test_copy_that_is_there_is_not_touched_even_if_incomplete(alice, bob):
    alice.releases(files=FILES)
    write(bob.home / "ps1", {"p1.ipynb": "mine"})
    outcome = bob.fails(KIND, "ps1")
    assert outcome.error == "You already have a copy of the assignment in this directory: ps1"
    assert tree(bob.home / "ps1") == {"p1.ipynb": b"mine"}


def test_replace_brings_only_what_is_missing_and_names_it(alice, bob):
    alice.releases(files=FILES)
    write(bob.home / "ps1", {"p1.ipynb": "mine", "own.txt": "mine"})
    outcome = bob.does(KIND, "ps1", replace_missing_files=True)
    assert tree(bob.home / "ps1") == {
        "p1.ipynb": b"mine",
        "own.txt": b"mine",
        "data/points.csv": b"1,2\n",
        "data/deep/more.csv": b"3\n",
    }
    assert sorted(outcome.warnings) == [
        "Creating missing directory 'ps1/data'",
        "Creating missing directory 'ps1/data/deep'",
        "Replacing missing file 'ps1/data/deep/more.csv'",
        "Replacing missing file 'ps1/data/points.csv'",
    ]


def test_replace_fetches_where_there_is_no_copy_yet(alice, bob):
    alice.releases(files=FILES)
    bob.does(KIND, "ps1", replace_missing_files=True)
    assert sorted(tree(bob.home / "ps1")) == sorted(FILES)


def test_what_the_student_ignores_is_not_fetched(alice, bob):
    alice.releases(files=FILES)
    bob.settings.CourseDirectory.ignore = ["deep"]
    bob.does(KIND, "ps1")
    assert sorted(tree(bob.home / "ps1")) == ["data/points.csv", "p1.ipynb"]


def test_unwritable_home_fails_with_a_sentence_and_nothing_made(alice, bob):
    alice.releases()
    (bob.home / "folder").write_text("in the way")
    bob.settings.Exchange.assignment_dir = str(bob.home / "folder")
    outcome = bob.fails(KIND, "ps1")
    assert "folder" in outcome.error
    assert tree(bob.home) == {"folder": b"in the way"}


def test_section_with_the_old_name_is_honoured(alice, bob):
    alice.releases(files=FILES)
    write(bob.home / "ps1", {"p1.ipynb": "mine"})
    bob.settings.ExchangeFetch.replace_missing_files = True
    bob.does(KIND, "ps1")
    assert sorted(tree(bob.home / "ps1")) == sorted(FILES)
