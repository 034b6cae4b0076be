"""nbgrader submit."""

import json
import time
from datetime import datetime, timedelta

import pytest
import requests
from nbgrader.utils import parse_utc

from tests.nbgrader_plugin.people import notebook, tree, write

pytestmark = pytest.mark.live

KIND = "ExchangeSubmit"


@pytest.fixture
def released(alice):
    alice.releases(files={"p1.ipynb": notebook(), "p2.ipynb": notebook("p2"), "data/points.csv": "1,2\n"})


FILES = {"p1.ipynb": notebook("2"), "p2.ipynb": notebook("3"), "data/points.csv": "1,2\n"}


def submitted_paths(person):
    (row,) = person.submissions(files="true")
    return [file["path"] for file in row["files"]]


def cached(person):
    (folder,) = (person.cache / person.course).iterdir()
    return folder


def test_submitted_folder_arrives_and_the_log_says_when(released, alice, bob):
    outcome = bob.submits(files=FILES)
    source, destination, done, receipt = outcome.info
    assert source == f"Source: {bob.home / 'ps1'}"
    assert destination == f"Destination: {bob.course} ps1 in the exchange"
    timestamp = (cached(bob) / "timestamp.txt").read_text()
    assert done == f"Submitted as: {bob.course} ps1 {timestamp}"
    assert receipt.startswith("Receipt ") and "3 files" in receipt
    assert outcome.warnings == []
    assert submitted_paths(alice) == sorted(FILES)


def test_cache_holds_the_copy_the_receipt_and_the_servers_time(released, alice, bob):
    bob.submits(files=FILES)
    (row,) = alice.submissions()
    folder = cached(bob)
    timestamp = (folder / "timestamp.txt").read_text()
    assert folder.name == f"bob+ps1+{timestamp}"
    assert parse_utc(timestamp).isoformat() + "Z" == row["timestamp"]
    assert timestamp.endswith(" UTC")
    receipt = json.loads((folder / "receipt.json").read_text())
    assert receipt["id"] == row["id"]
    assert alice.api("POST", "receipts/verify/", json=receipt)["valid"] is True
    assert tree(folder).keys() == {*FILES, "timestamp.txt", "receipt.json"}


def test_path_to_the_folder_may_be_given_as_assignment(released, alice, bob):
    write(bob.home / "elsewhere/ps1", FILES)
    bob.does(KIND, "elsewhere/ps1/")
    assert submitted_paths(alice) == sorted(FILES)


def test_course_is_a_folder_when_paths_include_it(released, alice, bob):
    bob.settings.Exchange.path_includes_course = True
    write(bob.home / bob.course / "ps1", FILES)
    bob.does(KIND, "ps1")
    assert submitted_paths(alice) == sorted(FILES)


def test_folder_that_is_not_there_names_the_likely_one(released, bob):
    write(bob.home / "ps1", FILES)
    (bob.home / ".ps2").mkdir()  # hidden: nobody means it
    outcome = bob.fails(KIND, "ps2")
    assert outcome.error == f"Assignment not found at: {bob.home / 'ps2'}. Did you mean {bob.home / 'ps1'}?"


def test_outsider_has_no_access_and_nothing_is_kept(released, alice, carol):
    write(carol.home / "ps1", FILES)
    assert carol.fails(KIND, "ps1").error.startswith("You do not have access to this course.")
    assert alice.submissions(trials="true") == []
    assert not carol.cache.exists()


def test_other_authenticator_is_asked_for_access(released, alice, bob):
    bob.settings.Authenticator.plugin_class = "tests.nbgrader_plugin.authenticators.NoCourses"
    write(bob.home / "ps1", FILES)
    assert bob.fails(KIND, "ps1").error == "You do not have access to this course."
    assert alice.submissions() == []


def test_staff_submit_for_a_student(released, alice, bob):
    alice.submits(files=FILES, coursedir={"student_id": "bob"})
    (row,) = bob.submissions()
    assert (row["student"], row["submitted_by"], row["trial"]) == ("bob", "alice", False)
    assert cached(alice).name.startswith("bob+ps1+")


def test_student_may_not_submit_for_another(released, alice, bob):
    write(bob.home / "ps1", FILES)
    outcome = bob.fails(KIND, "ps1", coursedir={"student_id": "dave"})
    assert outcome.error.startswith(f"As a student of {bob.course} you may not submit for others. (request ")
    assert alice.submissions() == []
    assert not (bob.cache / bob.course).exists()


@pytest.mark.parametrize("student", ["b*", "bob+dave"])
def test_pattern_is_no_student(released, alice, student):
    write(alice.home / "ps1", FILES)
    outcome = alice.fails(KIND, "ps1", coursedir={"student_id": student})
    assert outcome.error == f"The student ID should contain no '*' nor '+'; got {student}"
    assert alice.submissions(trials="true") == []


COMPARISON = "Expected:\n\tp1.ipynb: FOUND\n\tp2.ipynb: MISSING\nSubmitted:\n\textra.ipynb: EXTRA\n\tp1.ipynb: OK"


def test_missing_notebooks_are_a_warning(released, alice, bob):
    outcome = bob.submits(files={"p1.ipynb": notebook(), "extra.ipynb": notebook()})
    assert outcome.warnings == [
        f"Possible missing notebooks and/or extra notebooks submitted for assignment ps1:\n{COMPARISON}"
    ]
    assert submitted_paths(alice) == ["extra.ipynb", "p1.ipynb"]


def test_missing_notebooks_are_refused_when_strict(released, alice, bob):
    write(bob.home / "ps1", {"p1.ipynb": notebook(), "extra.ipynb": notebook()})
    outcome = bob.fails(KIND, "ps1", strict=True)
    assert outcome.error == (
        f"Assignment ps1 not submitted. There are missing notebooks for the submission:\n{COMPARISON}"
    )
    assert alice.submissions() == []


def test_extra_notebooks_alone_pass_when_strict(released, alice, bob):
    outcome = bob.submits(files={**FILES, "sub/extra.ipynb": notebook()}, strict=True)
    assert "\tsub/extra.ipynb: EXTRA" in outcome.warnings[0]
    assert "sub/extra.ipynb" in submitted_paths(alice)


def test_students_own_timestamp_and_secret_do_not_count(released, alice, bob):
    forged = {"timestamp.txt": "1999-01-01 00:00:00 UTC", "submission_secret.txt": "x", "receipt.json": "{}"}
    bob.submits(files={**FILES, **forged, "data/timestamp.txt": "data of the student"})
    assert submitted_paths(alice) == sorted([*FILES, "data/timestamp.txt"])
    assert not (cached(bob) / "timestamp.txt").read_text().startswith("1999")


def test_ignored_and_too_large_files_stay_at_home(released, alice, bob):
    bob.settings.CourseDirectory.max_file_size = 2  # kB
    bob.submits(files={**FILES, ".ipynb_checkpoints/p1.ipynb": "x", "feedback/t/p1.html": "x", "large": bytes(2001)})
    assert submitted_paths(alice) == sorted(FILES)


def test_folder_over_max_dir_size_is_refused(released, alice, bob):
    bob.settings.CourseDirectory.max_dir_size = 3  # kB
    write(bob.home / "ps1", {**FILES, "large": bytes(3001)})
    assert bob.fails(KIND, "ps1").error.startswith("Directory size is too big.")
    assert alice.submissions() == []


def test_assignment_that_is_not_released_is_not_found(released, alice, bob):
    write(bob.home / "ps2", FILES)
    outcome = bob.fails(KIND, "ps2")
    assert outcome.error == f"Assignment not found: ps2 is not released in {bob.course}. Did you mean ps1?"


def test_unreleased_assignment_takes_no_submissions(released, alice, bob):
    write(bob.home / "ps1", FILES)
    alice.does("ExchangeList", "ps1", remove=True)
    assert bob.fails(KIND, "ps1").error.startswith("Assignment not found")
    assert alice.submissions() == []


def test_the_same_files_again_are_a_second_submission(released, alice, bob):
    bob.submits(files=FILES)
    (row,) = alice.submissions()
    assert "same files" not in str(bob.submits(files={"p1.ipynb": notebook("other")}).info)
    first = datetime.fromisoformat(row["timestamp"]).astimezone()
    assert bob.submits(files=FILES).info[-1] == f"These are the same files as at {first:%H:%M %Z}."
    assert len(alice.submissions()) == 3
    assert len(list((bob.cache / bob.course).iterdir())) == 3


def test_the_same_files_are_told_in_the_readers_zone(released, alice, bob):
    bob.settings.Exchange.timezone = "Asia/Kolkata"
    bob.submits(files=FILES)
    (row,) = alice.submissions()
    there = datetime.fromisoformat(row["timestamp"]) + timedelta(hours=5, minutes=30)
    assert f" {there:%H:%M} IST." in bob.submits().info[-1]


def test_who_submits_late_what_was_in_time_is_told_that_it_counts_as_such(released, alice, bob):
    told = "You submitted exactly these files in time, so they do not count as late."
    bob.submits(files=FILES)
    (row,) = alice.submissions()
    alice.api("PATCH", f"courses/{alice.course}/assignments/ps1/", json={"due": row["timestamp"]})
    assert told not in bob.submits(files={"p1.ipynb": notebook("other")}).info
    assert bob.submits(files=FILES).info[-1] == told
    for options in ({}, {"before_duedate": True}):  # nbgrader goes by the time of what it has collected
        alice.does("ExchangeCollect", "ps1", **options)
        assert [each["timestamp"] for each in alice.submissions() if each["collected"]] == [row["timestamp"]]
    text = (alice.root / "submitted/bob/ps1/timestamp.txt").read_text()
    assert datetime.fromisoformat(text.replace(" UTC", "+00:00")) == datetime.fromisoformat(row["timestamp"])


@pytest.fixture
def responses_get_lost(monkeypatch):
    """A switch: while it is on, submissions reach the server but the responses do not come back."""
    send = requests.adapters.HTTPAdapter.send
    state = {"on": False}

    def lossy(self, request, **kwargs):
        answer = send(self, request, **kwargs)
        if state["on"] and request.method == "POST" and request.url.endswith("/submissions/"):
            answer.close()
            raise requests.ConnectionError("the answer is lost")
        return answer

    monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", lossy)
    return state


def test_submitting_again_after_a_lost_response_gives_the_same_receipt(released, alice, bob, responses_get_lost):
    bob.settings.NgshareClient.attempts = 1
    write(bob.home / "ps1", FILES)
    responses_get_lost["on"] = True
    outcome = bob.fails(KIND, "ps1")
    assert not any(line.startswith("Submitted") for line in outcome.lines())
    responses_get_lost["on"] = False
    (before,) = alice.submissions()
    bob.does(KIND, "ps1")
    assert [row["id"] for row in alice.submissions()] == [before["id"]]
    assert json.loads((cached(bob) / "receipt.json").read_text())["id"] == before["id"]
    bob.does(KIND, "ps1")
    assert len(alice.submissions()) == 2, "the receipt was seen: the next one is a new attempt"


def test_changed_files_after_a_lost_response_are_a_new_submission(released, alice, bob, responses_get_lost):
    bob.settings.NgshareClient.attempts = 1
    write(bob.home / "ps1", FILES)
    responses_get_lost["on"] = True
    bob.fails(KIND, "ps1")
    responses_get_lost["on"] = False
    bob.submits(files={"p1.ipynb": notebook("better")})
    assert len(alice.submissions()) == 2


def test_files_that_are_changed_back_after_a_lost_response_are_the_latest(released, alice, bob, responses_get_lost):
    bob.settings.NgshareClient.attempts = 1
    write(bob.home / "ps1", FILES)
    responses_get_lost["on"] = True
    bob.fails(KIND, "ps1")
    responses_get_lost["on"] = False
    bob.submits(files={"p1.ipynb": notebook("worse")})
    bob.submits(files=FILES)
    first, worse, last = alice.submissions()
    assert last["digest"] == first["digest"] != worse["digest"]


def test_cache_that_cannot_be_written_keeps_nobody_from_submitting(released, alice, bob):
    bob.cache.write_text("in the way")
    outcome = bob.submits(files=FILES)
    assert any(line.startswith("Submitted as: ") for line in outcome.info)
    assert "no copy could be kept" in outcome.warnings[0]
    assert submitted_paths(alice) == sorted(FILES)


def test_full_disk_at_home_does_not_undo_a_submission(released, alice, bob):
    bob.submits(files=FILES)
    (bob.cache / bob.course).rename(bob.home / "gone")
    (bob.cache / bob.course).write_text("in the way")
    outcome = bob.does(KIND, "ps1")
    assert any(line.startswith("Submitted as: ") for line in outcome.info)
    assert "no copy could be kept" in outcome.warnings[0]
    assert len(alice.submissions()) == 2


def test_subfolder_named_like_the_assignment_is_kept(released, alice, bob):
    bob.submits(files={**FILES, "ps1/p1.ipynb": notebook("inner")})
    assert submitted_paths(alice) == sorted([*FILES, "ps1/p1.ipynb"])


def test_attempt_is_forgotten_after_a_quarter_of_an_hour(released, alice, bob, responses_get_lost, monkeypatch):
    bob.settings.NgshareClient.attempts = 1
    write(bob.home / "ps1", FILES)
    responses_get_lost["on"] = True
    bob.fails(KIND, "ps1")
    responses_get_lost["on"] = False
    now = time.time()
    monkeypatch.setattr("nbgrader_plugin.exchange.cache.time.time", lambda: now + 16 * 60)
    bob.does(KIND, "ps1")
    assert len(alice.submissions()) == 2


@pytest.mark.parametrize("pending", ["", "[]", "null", '{"a": 1, "b": {"key": 1, "at": "x"}}'])
def test_damaged_memory_of_attempts_keeps_nobody_from_submitting(released, alice, bob, pending):
    write(bob.cache, {".pending.json": pending})
    bob.submits(files=FILES)
    assert len(alice.submissions()) == 1


def test_checkpoints_are_neither_sent_nor_called_extra(released, alice, bob):
    write(bob.home / "ps1", {**FILES, ".ipynb_checkpoints/p1-checkpoint.ipynb": notebook()})
    assert bob.does(KIND, "ps1").warnings == []
    assert submitted_paths(alice) == sorted(FILES)


def test_late_submission_is_told_so(released, alice, bob):
    alice.api("PATCH", f"courses/{alice.course}/assignments/ps1/", json={"due": "2020-01-01T12:00:00Z"})
    assert " It is late" in bob.submits(files=FILES).info[-1]
    alice.api("PATCH", f"courses/{alice.course}/assignments/ps1/", json={"due": "2999-01-01T12:00:00Z"})
    assert " late" not in bob.submits(files={"p1.ipynb": notebook("better")}).info[-1]


def test_last_attempt_is_told_before_and_after(released, alice, bob):
    alice.api("PATCH", f"courses/{alice.course}/assignments/ps1/", json={"max_attempts": 2})
    first = bob.submits(files=FILES)
    assert first.warnings == [] and first.info[-1] == "You have 1 attempt left for ps1."
    second = bob.submits(files={"p1.ipynb": notebook("better")})
    assert second.warnings == ["This is your last attempt for ps1."]
    assert second.info[-1] == "You have no attempts left for ps1."
    assert "the limit is 2" in bob.fails(KIND, "ps1").error


def test_extension_is_what_counts(released, alice, bob):
    address = f"courses/{alice.course}/assignments/ps1/"
    alice.api("PATCH", address, json={"due": "2020-01-01T12:00:00Z"})
    assert bob.submits(files=FILES).warnings[0].endswith("what you submit now is late.")
    extension = {"student": "bob", "due": "2999-01-01T12:00:00Z", "reason": "ill"}
    alice.api("POST", f"{address}extensions/", json={"extensions": [extension]})
    assert bob.submits(files={"p1.ipynb": notebook("better")}).warnings == []
    (line,) = [line for line in bob.does("ExchangeList").info if " ps1" in line]
    assert line.endswith("(extended)") and "due 2999-01-01" in line
