"""nbgrader list: its rows, its log, what it removes, and how much it asks of the server."""

import json
from contextvars import copy_context

import pytest
import requests

from nbgrader_plugin.client import recent
from tests.nbgrader_plugin.people import notebook, tree, write

pytestmark = pytest.mark.live

KIND = "ExchangeList"


def timestamps(person):
    return sorted(row["timestamp"] for row in mine(person))


def mine(person, **options):
    return [one for row in person.does(KIND, cached=True, **options).result for one in row["submissions"]]


def inbound(person, *arguments, **options):
    return [one for row in person.does(KIND, *arguments, inbound=True, **options).result for one in row["submissions"]]


def names(outcome):
    return [row["assignment_id"] for row in outcome.result]


@pytest.fixture
def returned(alice, bob):
    """bob's submission of ps1, with feedback that can be fetched: its timestamp."""
    alice.releases()
    bob.submits()
    (timestamp,) = timestamps(bob)
    alice.gives_feedback("bob", timestamp)
    alice.does("ExchangeReleaseFeedback", "ps1")
    return timestamp


# Released


def test_released_row_has_notebooks_of_the_top_level_sorted(alice, bob):
    alice.releases(files={"p2.ipynb": notebook(), "p1.ipynb": notebook(), "sub/p3.ipynb": notebook(), "a.csv": "1"})
    outcome = bob.does(KIND)
    (row,) = outcome.result
    path = row.pop("path")
    assert isinstance(path, str) and path
    assert row == {
        "course_id": bob.course,
        "assignment_id": "ps1",
        "status": "released",
        "notebooks": [
            {"notebook_id": "p1", "path": row["notebooks"][0]["path"]},
            {"notebook_id": "p2", "path": row["notebooks"][1]["path"]},
        ],
    }
    assert outcome.lines() == ["Released assignments:", f"{bob.course} ps1"]


def test_fetched_row_has_what_is_on_disk(alice, bob):
    alice.releases()
    write(bob.home / "ps1", {"own.ipynb": notebook(), "sub/p3.ipynb": notebook()})
    outcome = bob.does(KIND)
    assert outcome.result == [
        {
            "course_id": bob.course,
            "assignment_id": "ps1",
            "status": "fetched",
            "path": str(bob.home / "ps1"),
            "notebooks": [{"notebook_id": "own", "path": str(bob.home / "ps1/own.ipynb")}],
        }
    ]
    assert outcome.lines() == ["Released assignments:", f"{bob.course} ps1 (already downloaded)"]


def test_fetched_is_looked_for_in_the_courses_folder_when_paths_include_it(alice, bob):
    alice.releases()
    bob.settings.Exchange.path_includes_course = True
    write(bob.home / "ps1", {"p1.ipynb": notebook()})
    assert [row["status"] for row in bob.does(KIND).result] == ["released"]
    write(bob.home / bob.course / "ps1", {"p1.ipynb": notebook()})
    (row,) = bob.does(KIND).result
    assert (row["status"], row["path"]) == ("fetched", str(bob.home / bob.course / "ps1"))


def test_assignments_are_sorted_and_filtered(alice, bob):
    for name in ("ps2", "ps10", "ps1"):
        alice.releases(name)
    assert names(bob.does(KIND)) == ["ps1", "ps10", "ps2"]
    assert names(bob.does(KIND, "ps2")) == ["ps2"]
    assert names(bob.does(KIND, "ps3")) == []


@pytest.mark.parametrize("every", ["", "*"])
def test_no_course_means_all_of_ones_own(alice, bob, carol, every):
    alice.releases()
    anywhere = {"course_id": every}
    assert alice.course in [row["course_id"] for row in bob.does(KIND, coursedir=anywhere).result]
    assert alice.course not in [row["course_id"] for row in carol.does(KIND, coursedir=anywhere).result]


def test_course_of_others_has_an_empty_list(alice, carol):
    alice.releases()
    assert carol.does(KIND).result == []


def test_other_authenticator_decides_which_courses_are_shown_and_removed(alice, bob):
    alice.releases()
    bob.submits()
    bob.settings.Authenticator.plugin_class = "tests.nbgrader_plugin.authenticators.AllCourses"
    assert names(bob.does(KIND)) == ["ps1"]
    alice.settings.Authenticator.plugin_class = "tests.nbgrader_plugin.authenticators.NoCourses"
    assert alice.does(KIND, remove=True).result == []
    assert alice.does(KIND, inbound=True, remove=True).result == []
    assert names(bob.does(KIND)) == ["ps1"] and len(alice.submissions()) == 1


def test_lab_may_make_it_without_a_course_directory(alice, bob):
    alice.releases()
    bob.sits_down()
    plugin = type(bob.plugin(KIND))(config=bob.config())
    assert plugin.assignment_dir == "."
    assert plugin.root.startswith("http")


# Submitted


def test_inbound_row_is_as_nbgraders(alice, bob):
    alice.releases()
    bob.submits()
    timestamp = (next((bob.cache / bob.course).iterdir()) / "timestamp.txt").read_text()
    outcome = alice.does(KIND, inbound=True)
    (row,) = outcome.result
    (one,) = row.pop("submissions")
    assert row == {"course_id": bob.course, "student_id": "bob", "assignment_id": "ps1", "status": "submitted"}
    assert one.pop("random_string") and one.pop("path") and one["notebooks"][0].pop("path")
    assert one == {
        "course_id": bob.course,
        "student_id": "bob",
        "assignment_id": "ps1",
        "timestamp": timestamp,
        "status": "submitted",
        "notebooks": [
            {
                "notebook_id": "p1",
                "has_local_feedback": False,
                "has_exchange_feedback": False,
                "local_feedback_path": None,
                "feedback_updated": False,
            }
        ],
        "has_local_feedback": False,
        "has_exchange_feedback": False,
        "feedback_updated": False,
        "local_feedback_path": None,
    }
    assert outcome.lines() == [
        "Submitted assignments:",
        f"{bob.course} bob ps1 {timestamp} (no feedback available)",
    ]


def test_cached_row_points_to_the_local_copy(alice, bob):
    alice.releases()
    bob.submits()
    (one,) = mine(bob)
    (copy,) = (bob.cache / bob.course).iterdir()
    assert one["path"] == str(copy)
    assert one["notebooks"][0]["path"] == str(copy / "p1.ipynb")
    assert "random_string" not in one


def test_submissions_are_grouped_and_sorted(alice, bob, dave):
    alice.releases("ps1")
    alice.releases("ps2")
    for student, assignment in ((dave, "ps1"), (bob, "ps2"), (bob, "ps1"), (bob, "ps1")):
        student.submits(assignment)
    rows = alice.does(KIND, inbound=True).result
    assert [(row["student_id"], row["assignment_id"], len(row["submissions"])) for row in rows] == [
        ("bob", "ps1", 2),
        ("bob", "ps2", 1),
        ("dave", "ps1", 1),
    ]
    times = [one["timestamp"] for one in rows[0]["submissions"]]
    assert times == sorted(times)


def test_inbound_is_filtered_by_assignment_and_student(alice, bob, dave):
    alice.releases("ps1")
    alice.releases("ps2")
    for student, assignment in ((bob, "ps1"), (bob, "ps2"), (dave, "ps1")):
        student.submits(assignment)
    found = inbound(alice, "ps1", coursedir={"student_id": "bob"})
    assert [(one["student_id"], one["assignment_id"]) for one in found] == [("bob", "ps1")]
    assert len(inbound(alice, coursedir={"course_id": "*", "student_id": "dave"})) >= 1


def test_emptied_home_still_lists_what_was_submitted(alice, bob):
    alice.releases()
    bob.submits()
    before = timestamps(bob)
    bob.cache.rename(bob.home / "gone")
    assert timestamps(bob) == before


def test_copy_that_the_server_does_not_know_is_listed(alice, bob):
    alice.releases()
    write(bob.cache / bob.course / "bob+ps1+2020-01-02 03:04:05.000006 UTC", {"p1.ipynb": notebook()})
    bob.submits()
    assert len(timestamps(bob)) == 2
    assert timestamps(bob)[0] == "2020-01-02 03:04:05.000006 UTC"


def test_inbound_and_cached_together_fail(bob):
    assert bob.fails(KIND, inbound=True, cached=True).error == "Options --inbound and --cached are incompatible."


def test_unknown_timezone_fails(bob):
    assert "Invalid timezone" in bob.fails(KIND, timezone="Mars/Olympus").error


def test_submission_without_notebooks_has_no_feedback_flags(alice, bob):
    alice.releases(files={"readme.txt": "x"})
    bob.submits(files={"readme.txt": "done"})
    (one,) = mine(bob)
    assert one["notebooks"] == []
    assert not (one["has_local_feedback"] or one["has_exchange_feedback"] or one["feedback_updated"])


# Feedback


def flags(one):
    return one["has_local_feedback"], one["has_exchange_feedback"], one["feedback_updated"]


def test_feedback_that_can_be_fetched_is_told(bob, returned):
    outcome = bob.does(KIND, cached=True)
    assert flags(outcome.result[0]["submissions"][0]) == (False, True, False)
    assert outcome.lines()[1:] == [f"{bob.course} bob ps1 {returned} (feedback ready to be fetched)"]


def test_fetched_feedback_has_an_absolute_path(bob, returned):
    bob.does("ExchangeFetchFeedback", "ps1")
    outcome = bob.does(KIND, cached=True)
    (one,) = outcome.result[0]["submissions"]
    folder = bob.home / "ps1/feedback" / returned
    assert flags(one) == (True, True, False)
    assert one["local_feedback_path"] == str(folder)
    assert one["notebooks"][0]["local_feedback_path"] == str(folder / "p1.html")
    assert outcome.lines()[1:] == [f"{bob.course} bob ps1 {returned} (feedback already fetched)"]


def test_feedback_that_changed_since_is_told(alice, bob, returned):
    bob.does("ExchangeFetchFeedback", "ps1")
    alice.gives_feedback("bob", returned, pages={"p1.html": "<p>even better"})
    alice.does("ExchangeReleaseFeedback", "ps1")
    outcome = bob.does(KIND, cached=True)
    (one,) = outcome.result[0]["submissions"]
    assert flags(one) == (True, True, True)
    assert outcome.lines()[1:] == [f"{bob.course} bob ps1 {returned} (feedback ready to be fetched)"]


def test_one_notebook_without_feedback_means_not_all_have_it(alice, bob):
    alice.releases()
    bob.submits(files={"p1.ipynb": notebook(), "p2.ipynb": notebook()})
    (timestamp,) = timestamps(bob)
    alice.gives_feedback("bob", timestamp)
    alice.does("ExchangeReleaseFeedback", "ps1")
    (one,) = mine(bob)
    assert one["has_exchange_feedback"] is False
    assert [page["has_exchange_feedback"] for page in one["notebooks"]] == [True, False]


# JSON


def test_json_is_printed_instead_of_the_log(alice, bob, capsys):
    alice.releases()
    outcome = bob.does(KIND, as_json=True)
    assert json.loads(capsys.readouterr().out) == outcome.result
    assert outcome.lines() == []


# Remove


def test_removed_release_is_hidden_and_submissions_are_kept(alice, bob):
    alice.releases()
    bob.submits()
    outcome = alice.does(KIND, "ps1", remove=True)
    assert [row["status"] for row in outcome.result] == ["removed"]
    assert outcome.lines() == ["Removing released assignments:", f"{alice.course} ps1"]
    assert bob.does(KIND).result == []
    assert len(inbound(alice)) == 1 and len(mine(bob)) == 1


def test_student_may_not_remove_a_release(alice, bob):
    alice.releases()
    assert bob.fails(KIND, "ps1", remove=True).error
    assert names(bob.does(KIND)) == ["ps1"]


def test_staff_remove_submissions_into_the_trash(alice, bob, dave):
    alice.releases()
    bob.submits()
    dave.submits()
    outcome = alice.does(KIND, "ps1", inbound=True, remove=True, coursedir={"student_id": "bob"})
    assert outcome.info[0] == "Removing submitted assignments:"
    assert [one["status"] for one in outcome.result[0]["submissions"]] == ["removed"]
    assert [one["student_id"] for one in inbound(alice)] == ["dave"]
    assert len(mine(bob)) == 1, "the student's own list keeps it"
    assert len(alice.submissions(withdrawn="true")) == 2


def test_student_may_not_remove_submissions(alice, bob):
    alice.releases()
    bob.submits()
    outcome = bob.fails(KIND, "ps1", inbound=True, remove=True)
    assert "Only instructors can remove" in outcome.error
    assert len(inbound(alice)) == 1


def test_removing_cached_removes_the_copy_and_hides_it_for_good(alice, bob):
    alice.releases()
    bob.submits()
    outcome = bob.does(KIND, cached=True, remove=True)
    assert outcome.info[0] == "Removing submitted assignments:"
    assert [one["status"] for one in outcome.result[0]["submissions"]] == ["removed"]
    assert mine(bob) == [] and list((bob.cache / bob.course).iterdir()) == []
    assert len(inbound(alice)) == 1, "the server keeps it"
    bob.submits()
    assert len(mine(bob)) == 1, "what comes after is shown"


def test_removing_cached_leaves_other_assignments(alice, bob):
    alice.releases("ps1")
    alice.releases("ps2")
    bob.submits("ps1")
    bob.submits("ps2")
    write(bob.cache / bob.course / "bob+ps1+2020-01-02 03:04:05.000006 UTC", {"p1.ipynb": notebook()})
    bob.does(KIND, "ps1", cached=True, remove=True)
    assert [one["assignment_id"] for one in mine(bob)] == ["ps2"]
    (kept,) = (bob.cache / bob.course).iterdir()
    assert kept.name.startswith("bob+ps2+")


# How much it asks


@pytest.fixture
def requests_made(monkeypatch):
    made, send = [], requests.adapters.HTTPAdapter.send

    def counting(self, request, **kwargs):
        made.append((request.method, request.url))
        return send(self, request, **kwargs)

    monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", counting)
    return made


@pytest.mark.parametrize("traits", [{}, {"inbound": True}, {"cached": True}])
@pytest.mark.parametrize("directory", [{"course_id": "*"}, {}], ids=["all courses", "one course"])
def test_list_is_one_request_however_much_there_is(alice, bob, requests_made, traits, directory):
    for assignment in ("ps1", "ps2", "ps3"):
        alice.releases(assignment)
        bob.submits(assignment)
    for person in (alice, bob):
        requests_made.clear()
        person.does(KIND, coursedir=directory, **traits)
        assert len(requests_made) == 1


def test_list_is_asked_for_once_in_a_click_and_again_after_ones_own_acts(alice, requests_made):
    def click():
        recent.begin_click()
        assert names(alice.does(KIND)) == ["ps1"]
        requests_made.clear()
        assert names(alice.does(KIND)) == ["ps1"]
        assert requests_made == []
        alice.releases("ps2")
        assert names(alice.does(KIND)) == ["ps1", "ps2"]

    alice.releases("ps1")
    copy_context().run(click)


def test_list_outside_of_a_click_is_always_asked_for(alice, requests_made):
    alice.releases("ps1")
    requests_made.clear()
    alice.does(KIND)
    alice.does(KIND)
    assert len(requests_made) == 2


def test_list_writes_nothing(alice, bob):
    alice.releases()
    alice.submits()
    before = tree(bob.home)
    for traits in ({}, {"inbound": True}, {"cached": True}):
        bob.does(KIND, **traits)
    assert tree(bob.home) == before


def test_due_date_is_told_in_the_readers_zone(alice, bob):
    alice.releases()
    alice.api("PATCH", f"courses/{alice.course}/assignments/ps1/", json={"due": "2027-07-01T21:59:00Z"})
    bob.settings.Exchange.timezone = "Europe/Berlin"
    outcome = bob.does(KIND)
    assert f"{bob.course} ps1, due 2027-07-01 23:59 CEST" in outcome.info
    (row,) = [row for row in outcome.result if row["course_id"] == bob.course]
    assert (row["due"], row["extended"]) == ("2027-07-01T21:59:00.000000Z", False)
