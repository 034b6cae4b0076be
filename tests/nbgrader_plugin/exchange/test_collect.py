"""nbgrader collect."""

import os
import stat
from datetime import UTC, datetime, timedelta

import pytest
import requests
from nbgrader.utils import parse_utc

from tests.nbgrader_plugin.desk import open_gradebook
from tests.nbgrader_plugin.people import notebook, tree, write

pytestmark = pytest.mark.live

KIND = "ExchangeCollect"


@pytest.fixture
def released(alice):
    alice.releases()


def place(alice, student="bob"):
    return alice.root / "submitted" / student / "ps1"


def attempt(person, text, **files):
    person.submits(files={"p1.ipynb": text, **files})


def set_due_date(alice, due, extensions=None):
    with open_gradebook(alice.root, alice.course) as gradebook:
        gradebook.update_or_create_assignment("ps1", duedate=due.replace(tzinfo=None))
        for student, longer in (extensions or {}).items():
            gradebook.add_student(student)
            gradebook.add_submission("ps1", student)
            gradebook.grant_extension("ps1", student, minutes=longer.total_seconds() / 60)


def test_collected_folder_is_the_submission_with_the_servers_time(released, alice, bob):
    attempt(bob, "one", **{"timestamp.txt": "1999-01-01 00:00:00 UTC", "data/a.csv": "1"})
    outcome = alice.does(KIND, "ps1")
    assert outcome.lines() == [
        f"Processing 1 submissions of 'ps1' for course '{alice.course}'",
        "Collecting submission: bob ps1",
    ]
    timestamp = (place(alice) / "timestamp.txt").read_text()
    assert tree(place(alice)) == {"p1.ipynb": b"one", "data/a.csv": b"1", "timestamp.txt": timestamp.encode()}
    assert timestamp.endswith(" UTC")
    (row,) = alice.submissions()
    assert parse_utc(timestamp).isoformat() + "Z" == row["timestamp"]
    assert row["collected"] is not None
    assert sorted(path.name for path in alice.root.iterdir()) == ["release", "submitted"]


def test_newest_of_each_student_is_collected(released, alice, bob, dave):
    attempt(bob, "first")
    attempt(dave, "of dave")
    attempt(bob, "second")
    outcome = alice.does(KIND, "ps1")
    assert outcome.info[1:] == ["Collecting submission: bob ps1", "Collecting submission: dave ps1"]
    assert (place(alice) / "p1.ipynb").read_text() == "second"
    assert (place(alice, "dave") / "p1.ipynb").read_text() == "of dave"


def test_nothing_to_collect_is_a_warning_and_no_folder(released, alice):
    outcome = alice.does(KIND, "ps1")
    assert outcome.lines() == [f"No submissions of 'ps1' for course '{alice.course}' to collect"]
    assert outcome.warnings == outcome.lines()
    assert not (alice.root / "submitted").exists()


def test_collect_without_a_course_fails(alice):
    assert alice.fails(KIND, "ps1", coursedir={"course_id": ""}).error == (
        "No course id specified. Re-run with --course flag."
    )


def test_collected_submission_stays_without_update(released, alice, bob):
    attempt(bob, "first")
    alice.does(KIND, "ps1")
    attempt(bob, "second")
    outcome = alice.does(KIND, "ps1")
    assert outcome.info[1:] == ["Submission already exists, use --update to update: bob ps1"]
    assert (place(alice) / "p1.ipynb").read_text() == "first"


def test_update_replaces_the_whole_folder_by_a_newer_one(released, alice, bob):
    attempt(bob, "first")
    alice.does(KIND, "ps1")
    write(place(alice), {"left over.txt": "x"})
    attempt(bob, "second")
    outcome = alice.does(KIND, "ps1", update=True)
    assert outcome.info[1:] == ["Updating submission: bob ps1"]
    assert sorted(tree(place(alice))) == ["p1.ipynb", "timestamp.txt"]
    assert (place(alice) / "p1.ipynb").read_text() == "second"


def test_update_leaves_what_is_not_newer(released, alice, bob):
    attempt(bob, "first")
    alice.does(KIND, "ps1")
    write(place(alice), {"p1.ipynb": "changed by alice"})
    outcome = alice.does(KIND, "ps1", update=True)
    assert outcome.info[1:] == ["No newer submission to collect: bob ps1"]
    assert (place(alice) / "p1.ipynb").read_text() == "changed by alice"


@pytest.mark.parametrize("text", [None, "", "nonsense", b"\xff\xfe"])
def test_update_replaces_a_folder_without_a_usable_time(released, alice, bob, text):
    attempt(bob, "first")
    write(place(alice), {"p1.ipynb": "old", **({} if text is None else {"timestamp.txt": text})})
    alice.does(KIND, "ps1", update=True)
    assert (place(alice) / "p1.ipynb").read_text() == "first"


def test_only_the_named_student_is_collected(released, alice, bob, dave):
    attempt(bob, "of bob")
    attempt(dave, "of dave")
    alice.does(KIND, "ps1", coursedir={"student_id": "dave"})
    assert sorted(path.name for path in (alice.root / "submitted").iterdir()) == ["dave"]


def test_disagreement_about_what_is_late_is_said_before_autograding(one_in_time, alice):
    set_due_date(alice, one_in_time)
    advice = f'run `ngshare-course-management sync_deadlines "{alice.course}" ps1`.'
    (warning,) = alice.does(KIND, "ps1").warnings
    assert warning.startswith("The exchange and the gradebook do not agree whether this is late: bob, dave.")
    assert warning.endswith(advice)
    alice.api("PATCH", f"courses/{alice.course}/assignments/ps1/", json={"due": one_in_time.isoformat()})
    assert alice.does(KIND, "ps1").warnings == []
    extension = {"student": "dave", "due": "2101-01-01T00:00Z"}
    path = f"courses/{alice.course}/assignments/ps1/extensions/"
    alice.api("POST", path, json={"extensions": [extension]})
    (warning,) = alice.does(KIND, "ps1").warnings
    assert "whether this is late: dave." in warning


@pytest.fixture
def one_in_time(released, alice, bob, dave):
    """bob and dave each have an attempt before and one after the due date, which is returned; now is after it."""
    attempt(bob, "in time")
    attempt(dave, "in time")
    due = datetime.now(UTC)
    attempt(bob, "late")
    attempt(dave, "late")
    return due


def texts(alice):
    return {student: (place(alice, student) / "p1.ipynb").read_text() for student in ("bob", "dave")}


def test_before_duedate_takes_the_newest_in_time(one_in_time, alice):
    set_due_date(alice, one_in_time)
    alice.does(KIND, "ps1", before_duedate=True)
    assert texts(alice) == {"bob": "in time", "dave": "in time"}


def test_before_duedate_honours_extensions(one_in_time, alice):
    set_due_date(alice, one_in_time, {"dave": timedelta(hours=1)})
    alice.does(KIND, "ps1", before_duedate=True)
    assert texts(alice) == {"bob": "in time", "dave": "late"}


def test_before_duedate_takes_the_newest_where_all_are_late(one_in_time, alice):
    set_due_date(alice, one_in_time - timedelta(days=1))
    alice.does(KIND, "ps1", before_duedate=True)
    assert texts(alice) == {"bob": "late", "dave": "late"}


def test_before_duedate_without_a_due_date_takes_the_newest(one_in_time, alice):
    alice.does(KIND, "ps1", before_duedate=True)
    assert texts(alice) == {"bob": "late", "dave": "late"}
    assert not (alice.root / "gradebook.db").exists()


def test_before_duedate_without_a_gradebook_uses_the_due_date_of_the_server(one_in_time, alice):
    alice.api("PATCH", f"courses/{alice.course}/assignments/ps1/", json={"due": one_in_time.isoformat()})
    alice.does(KIND, "ps1", before_duedate=True)
    assert texts(alice) == {"bob": "in time", "dave": "in time"}


@pytest.mark.parametrize("later", ["service", "gradebook"])
def test_before_duedate_goes_by_the_more_generous_due_date(one_in_time, alice, later):
    strict, generous = one_in_time - timedelta(days=1), one_in_time
    set_due_date(alice, generous if later == "gradebook" else strict)
    due = (generous if later == "service" else strict).isoformat()
    alice.api("PATCH", f"courses/{alice.course}/assignments/ps1/", json={"due": due})
    alice.does(KIND, "ps1", before_duedate=True)
    assert texts(alice) == {"bob": "in time", "dave": "in time"}


def test_before_duedate_honours_extensions_of_the_service(one_in_time, alice):
    set_due_date(alice, one_in_time)
    address = f"courses/{alice.course}/assignments/ps1/"
    alice.api("PATCH", address, json={"due": one_in_time.isoformat()})
    extension = {"student": "dave", "due": (one_in_time + timedelta(hours=1)).isoformat(), "reason": "ill"}
    alice.api("POST", f"{address}extensions/", json={"extensions": [extension]})
    alice.does(KIND, "ps1", before_duedate=True)
    assert texts(alice) == {"bob": "in time", "dave": "late"}


def test_before_duedate_goes_back_to_the_one_in_time(one_in_time, alice):
    alice.does(KIND, "ps1")
    set_due_date(alice, one_in_time)
    outcome = alice.does(KIND, "ps1", before_duedate=True)
    assert outcome.info[1:] == ["Updating submission: bob ps1", "Updating submission: dave ps1"]
    assert texts(alice) == {"bob": "in time", "dave": "in time"}


def test_due_date_does_not_matter_without_before_duedate(one_in_time, alice):
    set_due_date(alice, one_in_time)
    alice.does(KIND, "ps1")
    assert texts(alice) == {"bob": "late", "dave": "late"}


def test_groupshared_gives_the_group_all(released, alice, bob):
    attempt(bob, "one", **{"data/a.csv": "1"})
    alice.settings.CourseDirectory.groupshared = True
    before = os.umask(0o077)
    try:
        alice.does(KIND, "ps1")
    finally:
        os.umask(before)
    for path in (place(alice), place(alice) / "data"):
        assert stat.S_IMODE(path.stat().st_mode) & 0o2770 == 0o2770
    for path in (place(alice) / "p1.ipynb", place(alice) / "data/a.csv", place(alice) / "timestamp.txt"):
        assert stat.S_IMODE(path.stat().st_mode) & 0o660 == 0o660


def test_groupshared_reaches_the_students_folder_too(released, alice, bob):
    """Others of the group must be able to collect the student's next assignment."""
    attempt(bob, "one")
    alice.settings.CourseDirectory.groupshared = True
    before = os.umask(0o022)
    try:
        alice.does(KIND, "ps1")
    finally:
        os.umask(before)
    assert stat.S_IMODE(place(alice).stat().st_mode) & 0o2770 == 0o2770


def test_lost_blob_names_the_student_and_the_rest_is_collected(released, alice, bob, dave, exchange):
    attempt(bob, "bytes that will be lost")
    attempt(dave, "of dave")
    (row,) = alice.submissions(student="bob", files="true")
    lost = [file["sha256"] for file in row["files"]]
    for path in exchange.data.rglob(f"{lost[0]}*"):
        path.unlink()
    outcome = alice.fails(KIND, "ps1")
    assert outcome.error.startswith("Collected all but 1 of 2 submissions. bob: ")
    assert (place(alice, "dave") / "p1.ipynb").read_text() == "of dave"
    assert not place(alice).exists()
    collected = {row["student"]: row["collected"] is not None for row in alice.submissions()}
    assert collected == {"bob": False, "dave": True}


def test_download_that_fails_leaves_the_old_copy(released, alice, bob, monkeypatch):
    attempt(bob, "first")
    alice.does(KIND, "ps1")
    attempt(bob, "second")
    before = tree(alice.root)
    send = requests.adapters.HTTPAdapter.send

    def broken(self, request, **kwargs):
        if request.url.endswith("/blobs/bundle/"):
            raise requests.ConnectionError("gone")
        return send(self, request, **kwargs)

    monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", broken)
    alice.settings.NgshareClient.attempts = 1
    assert "cannot be reached" in alice.fails(KIND, "ps1", update=True).error
    assert tree(alice.root) == before


def test_files_that_are_here_are_not_fetched_again(released, alice, bob, monkeypatch):
    attempt(bob, "first", **{"data.csv": "the same"})
    alice.does(KIND, "ps1")
    attempt(bob, "second", **{"data.csv": "the same"})
    asked, send = [], requests.adapters.HTTPAdapter.send

    def listening(self, request, **kwargs):
        if request.url.endswith("/blobs/bundle/"):
            asked.append(request.body)
        return send(self, request, **kwargs)

    monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", listening)
    alice.does(KIND, "ps1", update=True)
    (body,) = asked
    assert body.count(b'"') == 4, "one hash: that of the changed notebook"
    assert (place(alice) / "data.csv").read_text() == "the same"


def test_trials_of_staff_are_not_collected(released, alice, bob):
    alice.submits(files={"p1.ipynb": notebook()})
    told = alice.does(KIND, "ps1")
    assert not (alice.root / "submitted").exists()
    line = "Not collected: trials of staff (alice). To collect one, add `--student alice`."
    assert [text for text in told.info if "trials of staff" in text] == [line]


@pytest.mark.parametrize("before_duedate", [False, True])
def test_trial_of_who_is_named_is_collected(released, alice, bob, before_duedate):
    alice.submits(files={"p1.ipynb": notebook()})
    attempt(bob, "mine")
    told = alice.does(KIND, "ps1", before_duedate=before_duedate, coursedir={"student_id": "alice"})
    assert [folder.name for folder in (alice.root / "submitted").iterdir()] == ["alice"]
    assert not [text for text in told.info if "trials of staff" in text]


def test_nothing_is_said_of_trials_where_there_are_none(released, alice, bob):
    attempt(bob, "mine")
    assert not [text for text in alice.does(KIND, "ps1").info if "trials of staff" in text]


def test_removed_submissions_are_not_collected(released, alice, bob):
    attempt(bob, "first")
    alice.does("ExchangeList", "ps1", inbound=True, remove=True)
    assert alice.does(KIND, "ps1").warnings
    assert not (alice.root / "submitted").exists()


def test_student_may_not_collect(released, alice, bob):
    attempt(bob, "mine")
    bob.fails(KIND, "ps1")
    assert not (bob.root / "submitted").exists()


def test_outsider_has_no_access(released, carol):
    assert carol.fails(KIND, "ps1").error.startswith("You do not have access to this course.")
