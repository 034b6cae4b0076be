"""nbgrader release_feedback and fetch_feedback."""

import pytest

from tests.nbgrader_plugin.people import notebook, tree, write

pytestmark = pytest.mark.live

RELEASE, FETCH = "ExchangeReleaseFeedback", "ExchangeFetchFeedback"


def timestamps(person):
    rows = person.does("ExchangeList", cached=True).result
    return [one["timestamp"] for row in rows for one in row["submissions"]]


@pytest.fixture
def graded(alice, bob, dave):
    """Feedback of bob and dave lies in the course directory."""
    alice.releases()
    for student in (bob, dave):
        student.submits()
        alice.gives_feedback(student.username, timestamps(student)[0], pages={"p1.html": f"for {student.username}"})


def pages(person):
    """Pages that were fetched: {path below feedback/: text}."""
    folder = person.home / "ps1/feedback"
    return {path: content.decode() for path, content in tree(folder).items()} if folder.exists() else {}


def test_feedback_of_all_students_is_released_and_reaches_each_alone(graded, alice, bob, dave):
    outcome = alice.does(RELEASE, "ps1")
    assert outcome.lines() == [
        f"Releasing feedback for student '{student.username}' on assignment '{alice.course}/ps1/p1' "
        f"({timestamps(student)[0]})"
        for student in (bob, dave)
    ]
    for student in (bob, dave):
        student.does(FETCH, "ps1")
        assert pages(student) == {f"{timestamps(student)[0]}/p1.html": f"for {student.username}"}


def test_fetched_feedback_is_told_page_by_page(graded, alice, bob):
    alice.does(RELEASE, "ps1")
    (timestamp,) = timestamps(bob)
    outcome = bob.does(FETCH, "ps1")
    folder = bob.home / "ps1/feedback"
    assert outcome.lines()[1:] == [
        f"Destination: {folder}",
        f"Found feedback for '{bob.course}/ps1/p1' submitted at {timestamp}",
        f"Fetched feedback: {folder / timestamp / 'p1.html'}",
    ]


def test_feedback_of_one_student_is_released(graded, alice, bob, dave):
    alice.does(RELEASE, "ps1", coursedir={"student_id": "dave"})
    bob.does(FETCH, "ps1")
    dave.does(FETCH, "ps1")
    assert pages(bob) == {} and len(pages(dave)) == 1


def test_excluded_student_is_left_out(graded, alice, bob, dave):
    alice.does(RELEASE, "ps1", coursedir={"student_id_exclude": "bob, erin"})
    bob.does(FETCH, "ps1")
    dave.does(FETCH, "ps1")
    assert pages(bob) == {} and len(pages(dave)) == 1


def test_formgrader_gives_no_authenticator(graded, alice, bob):
    alice.does(RELEASE, "ps1", authenticator=False)
    bob.does(FETCH, "ps1")
    assert len(pages(bob)) == 1


def test_student_who_left_keeps_nobody_from_feedback(graded, alice, bob, dave):
    alice.api("DELETE", f"courses/{alice.course}/members/bob/")
    alice.run(RELEASE, "ps1")
    dave.does(FETCH, "ps1")
    assert len(pages(dave)) == 1


def test_feedback_on_something_never_submitted_is_named_and_the_rest_released(graded, alice, bob):
    alice.gives_feedback("carol", "2026-01-01 00:00:00.000001 UTC")
    outcome = alice.fails(RELEASE, "ps1")
    assert outcome.error.startswith("Feedback was not released for 1: carol: ")
    bob.does(FETCH, "ps1")
    assert len(pages(bob)) == 1


@pytest.mark.parametrize("timestamp", ["", "nonsense", b"\xff"])
def test_feedback_without_a_usable_time_is_named_and_the_rest_released(graded, alice, dave, timestamp):
    alice.gives_feedback("bob", timestamp)
    outcome = alice.fails(RELEASE, "ps1")
    assert outcome.error.startswith("Feedback was not released for 1: bob: there is no usable ")
    dave.does(FETCH, "ps1")
    assert len(pages(dave)) == 1


def test_only_html_pages_of_the_top_level_are_released(graded, alice, bob):
    write(alice.root / "feedback/bob/ps1", {"figure.png": "x", "p1.ipynb": "x", "sub/other.html": "x"})
    alice.does(RELEASE, "ps1")
    bob.does(FETCH, "ps1")
    assert [path.split("/")[1] for path in pages(bob)] == ["p1.html"]


def test_nothing_graded_releases_nothing(alice):
    alice.releases()
    assert alice.does(RELEASE, "ps1").lines() == []


def test_release_of_feedback_without_a_course_fails(alice):
    assert alice.fails(RELEASE, "ps1", coursedir={"course_id": ""}).error == (
        "No course id specified. Re-run with --course flag."
    )


def test_student_may_not_release_feedback(graded, bob, dave):
    bob.gives_feedback("bob", timestamps(bob)[0], pages={"p1.html": "100 points"})
    bob.fails(RELEASE, "ps1")
    bob.does(FETCH, "ps1")
    assert pages(bob) == {}


def test_feedback_belongs_to_the_attempt_it_was_given_on(graded, alice, bob):
    bob.submits(files={"p1.ipynb": notebook("second")})
    first, second = timestamps(bob)
    alice.does(RELEASE, "ps1")
    outcome = bob.does(FETCH, "ps1")
    assert list(pages(bob)) == [f"{first}/p1.html"]
    assert outcome.warnings == [f"Could not find feedback for '{bob.course}/ps1/p1' submitted at {second}"]


def test_emptied_home_gets_feedback(graded, alice, bob):
    alice.does(RELEASE, "ps1")
    bob.cache.rename(bob.home / "gone")
    (bob.home / "ps1").rename(bob.home / "also gone")
    bob.does(FETCH, "ps1")
    assert list(pages(bob).values()) == ["for bob"]


def test_unreleased_assignment_still_has_feedback(graded, alice, bob):
    alice.does(RELEASE, "ps1")
    alice.does("ExchangeList", "ps1", remove=True)
    bob.does(FETCH, "ps1")
    assert list(pages(bob).values()) == ["for bob"]


def test_no_feedback_is_a_warning_and_no_folder(graded, bob):
    (timestamp,) = timestamps(bob)
    outcome = bob.does(FETCH, "ps1")
    assert outcome.warnings == [f"Could not find feedback for '{bob.course}/ps1/p1' submitted at {timestamp}"]
    assert not (bob.home / "ps1/feedback").exists()


def test_nothing_submitted_makes_no_folder(alice, bob):
    alice.releases()
    bob.does(FETCH, "ps1")
    assert tree(bob.home) == {}


def test_released_again_overwrites_what_was_fetched(graded, alice, bob):
    alice.does(RELEASE, "ps1")
    bob.does(FETCH, "ps1")
    alice.gives_feedback("bob", timestamps(bob)[0], pages={"p1.html": "better"})
    alice.does(RELEASE, "ps1")
    bob.does(FETCH, "ps1")
    assert list(pages(bob).values()) == ["better"]


def test_feedback_is_put_into_the_courses_folder_when_paths_include_it(graded, alice, bob):
    alice.does(RELEASE, "ps1")
    bob.settings.Exchange.path_includes_course = True
    bob.does(FETCH, "ps1")
    assert (bob.home / bob.course / "ps1/feedback" / timestamps(bob)[0] / "p1.html").is_file()


def test_course_directory_with_odd_characters_releases_feedback(graded, alice, bob):
    alice.root.rename(alice.home / "course [2026] *")
    alice.settings.CourseDirectory.root = str(alice.home / "course [2026] *")
    alice.does(RELEASE, "ps1")
    bob.does(FETCH, "ps1")
    assert list(pages(bob).values()) == ["for bob"]
