"""nbgrader's own behaviours, one by one, through its own classes against the real server."""

import json
import logging
import os
import re
import stat
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from nbgrader.api import Gradebook
from nbgrader.auth import Authenticator
from nbgrader.coursedir import CourseDirectory
from nbgrader.exchange import ExchangeError
from nbgrader.utils import parse_utc
from traitlets.config import Config

import nbgrader_plugin as plugin
from nbgrader_plugin.client import recent

pytestmark = pytest.mark.live

NOTEBOOK = json.dumps({"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


class World:
    """A course with alice, who teaches, and bob and carol, who take it; each with a folder of their own."""

    def __init__(self, service, course, root, monkeypatch):
        self.service, self.course, self.root, self.monkeypatch = service, course, root, monkeypatch
        (root / "alice" / "release" / "ps1").mkdir(parents=True)
        self.write("alice/release/ps1/problem1.ipynb", NOTEBOOK)
        self.write("alice/release/ps1/data/points.csv", "1,2\n")

    def write(self, path, text):
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    def make(self, name, who, assignment="ps1", student="*", course=None, authenticator=True, **traits):
        """One of the plugin's classes, made as nbgrader's apps make it, for this person."""
        recent.forget()
        home = self.root / who
        home.mkdir(exist_ok=True)
        self.monkeypatch.setenv("JUPYTERHUB_API_TOKEN", who)
        config = Config()
        plugin.configure(config, url=self.service.url)
        config.Exchange.assignment_dir = str(home)
        config.Exchange.cache = str(home / "cache")
        of_directory = {key: traits.pop(key) for key in list(traits) if key in CourseDirectory.class_trait_names()}
        course = self.course if course is None else course
        directory = CourseDirectory(
            root=str(home), course_id=course, assignment_id=assignment, student_id=student, **of_directory
        )
        directory.db_url = f"sqlite:///{home}/gradebook.db"
        known = Authenticator(config=config) if authenticator else None
        made = getattr(plugin, name)(coursedir=directory, authenticator=known, config=config)
        for key, value in traits.items():
            setattr(made, key, value)
        return made

    def run(self, name, who, **options):
        return self.make(name, who, **options).start()

    def fails(self, name, who, **options):
        with pytest.raises(ExchangeError) as caught:
            self.run(name, who, **options)
        return str(caught.value)

    def release(self, **options):
        self.run("ExchangeReleaseAssignment", "alice", **options)

    def fetch(self, who="bob", **options):
        self.run("ExchangeFetchAssignment", who, **options)

    def submit(self, who="bob", **options):
        self.run("ExchangeSubmit", who, **options)

    def list(self, who, assignment="", **options):
        return self.run("ExchangeList", who, assignment=assignment, **options)

    def gradebook(self, due, extensions=None):
        with Gradebook(f"sqlite:///{self.root}/alice/gradebook.db", self.course) as gradebook:
            gradebook.update_or_create_assignment("ps1", duedate=due.replace(tzinfo=None), course_id=self.course)
            for student, extension in (extensions or {}).items():
                gradebook.update_or_create_student(student)
                work = gradebook.update_or_create_submission("ps1", student)
                work.extension = extension
            gradebook.db.commit()


@pytest.fixture
def world(service, api, tmp_path, request, monkeypatch):
    course = f"C {request.node.name}"[:200].replace("/", "-")
    assert api("POST", "courses/", "root", json={"name": course, "instructors": ["alice"]}).status_code == 201
    for student in ("bob", "carol"):
        api("POST", f"courses/{course}/members/", "alice", json={"username": student}).raise_for_status()
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")  # nbgrader calls alembic
    return World(service, course, tmp_path, monkeypatch)


@pytest.fixture
def said(caplog):
    caplog.set_level(logging.INFO)

    def lines(least=logging.INFO):
        return [
            record.getMessage() for record in caplog.records if record.levelno >= least and record.name != "urllib3"
        ]

    lines.clear = caplog.clear
    return lines


# release_assignment


def test_release_says_what_the_folder_says(world, said):
    world.release()
    assert said()[0].startswith("Source: ") and said()[1].startswith("Destination: ")
    assert said()[-1] == f"Released as: {world.course} ps1"


def test_release_of_what_is_only_in_source_names_the_next_step(world):
    (world.root / "alice/source/ps2").mkdir(parents=True)
    assert "run `nbgrader generate_assignment` first" in world.fails(
        "ExchangeReleaseAssignment", "alice", assignment="ps2"
    )


def test_release_of_what_is_nowhere_suggests_another(world, said):
    assert "Assignment not found at: " in world.fails("ExchangeReleaseAssignment", "alice", assignment="ps11")
    assert any("Did you mean: " in line and line.endswith("ps1") for line in said(logging.ERROR))


def test_release_again_needs_force_and_keeps_submissions(world, said):
    world.release()
    world.fetch()
    world.submit()
    message = world.fails("ExchangeReleaseAssignment", "alice")
    assert message == f"Destination already exists, add --force to overwrite: {world.course} ps1"
    said.clear()
    world.release(force=True)
    assert f"Overwriting files: {world.course} ps1" in said()
    assert len(world.list("alice", inbound=True)) == 1


def test_unrelease_keeps_submissions_and_release_needs_no_force(world):
    world.release()
    world.fetch()
    world.submit()
    (removed,) = world.list("alice", assignment="ps1", remove=True)
    assert removed["status"] == "removed"
    assert world.list("bob") == []
    assert len(world.list("alice", inbound=True)) == 1
    world.release()
    assert len(world.list("alice", inbound=True)) == 1


def test_ignored_and_large_files_stay_at_home(world, said):
    world.write("alice/release/ps1/junk.pyc", "x")
    world.write("alice/release/ps1/.ipynb_checkpoints/old.ipynb", "x")
    world.write("alice/release/ps1/large.bin", "x" * 3000)
    world.release(max_file_size=2)
    world.fetch()
    found = sorted(path.name for path in (world.root / "bob/ps1").rglob("*") if path.is_file())
    assert found == ["points.csv", "problem1.ipynb"]


def test_too_large_a_folder_is_refused(world):
    world.write("alice/release/ps1/large.bin", "x" * 3000)
    assert "too big" in world.fails("ExchangeReleaseAssignment", "alice", max_dir_size=2)


def test_student_cannot_release(world):
    (world.root / "bob/release").mkdir(parents=True)
    (world.root / "alice/release/ps1").rename(world.root / "bob/release/ps1")
    assert "As a student" in world.fails("ExchangeReleaseAssignment", "bob")


def test_due_date_of_the_gradebook_travels(world, api):
    due = datetime(2027, 1, 31, 12, tzinfo=UTC)
    world.gradebook(due)
    world.release()
    (row,) = api("GET", "assignments/", "bob", params={"course": world.course}).json()["results"]
    assert row["due"] == "2027-01-31T12:00:00.000000Z"


def test_release_makes_no_gradebook(world):
    world.release()
    assert not (world.root / "alice/gradebook.db").exists()


# fetch_assignment


def test_fetch_brings_the_whole_tree(world, said):
    world.release()
    said.clear()
    world.fetch()
    assert (world.root / "bob/ps1/data/points.csv").read_text() == "1,2\n"
    assert said()[-1] == f"Fetched as: {world.course} ps1"


def test_fetch_of_what_is_not_released_suggests_another_and_makes_nothing(world, said):
    world.release()
    assert "Assignment not found" in world.fails("ExchangeFetchAssignment", "bob", assignment="ps2")
    assert "Did you mean: ps1" in said(logging.ERROR)
    assert not (world.root / "bob/ps2").exists()


def test_fetch_by_an_outsider_is_refused(world):
    world.release()
    assert "You do not have access to this course." in world.fails("ExchangeFetchAssignment", "erin")
    assert not (world.root / "erin/ps1").exists()


def test_fetch_over_a_copy_is_refused(world):
    world.release()
    (world.root / "bob/ps1").mkdir(parents=True)
    message = world.fails("ExchangeFetchAssignment", "bob")
    assert message == "You already have a copy of the assignment in this directory: ps1"


def test_replace_brings_back_only_what_is_missing(world, said):
    world.release()
    world.fetch()
    work = world.write("bob/ps1/problem1.ipynb", "my work")
    (world.root / "bob/ps1/data/points.csv").unlink()
    (world.root / "bob/ps1/data").rmdir()
    said.clear()
    world.fetch(replace_missing_files=True)
    assert work.read_text() == "my work"
    assert (world.root / "bob/ps1/data/points.csv").exists()
    warned = said(logging.WARNING)
    assert any(line.startswith("Creating missing directory") for line in warned)
    assert any(line.startswith("Replacing missing file") for line in warned)


def test_path_may_include_the_course(world):
    world.release()
    world.fetch(path_includes_course=True)
    assert (world.root / "bob" / world.course / "ps1/problem1.ipynb").exists()
    world.submit(path_includes_course=True)
    (row,) = world.list("bob", path_includes_course=True)
    assert row["status"] == "fetched"


@pytest.mark.parametrize(
    "name", ["ExchangeFetchAssignment", "ExchangeSubmit", "ExchangeCollect", "ExchangeReleaseAssignment"]
)
def test_course_must_be_named(world, name):
    (world.root / "bob/ps1").mkdir(parents=True)
    who = "alice" if name.endswith("ReleaseAssignment") else "bob"
    assert world.fails(name, who, course="") == "No course id specified. Re-run with --course flag."


# submit


def test_submit_keeps_copy_timestamp_and_receipt(world, said):
    world.release()
    world.fetch()
    world.write("bob/ps1/timestamp.txt", "1999-01-01 00:00:00 UTC")
    said.clear()
    world.submit()
    (copy,) = (world.root / "bob/cache" / world.course).glob("bob+ps1+*")
    timestamp = (copy / "timestamp.txt").read_text()
    assert copy.name == f"bob+ps1+{timestamp}" and timestamp.endswith(" UTC")
    assert abs(parse_utc(timestamp) - datetime.now(UTC).replace(tzinfo=None)) < timedelta(minutes=5)
    assert json.loads((copy / "receipt.json").read_text())["signature"]
    assert f"Submitted as: {world.course} ps1 {timestamp}" in said()
    assert said()[-1].startswith("Receipt ")


def test_submit_of_what_is_not_there_suggests_another(world, said):
    world.release()
    world.fetch()
    assert "Assignment not found at: " in world.fails("ExchangeSubmit", "bob", assignment="ps11")
    assert any("Did you mean: " in line for line in said(logging.ERROR))


def test_submit_takes_a_path(world):
    world.release()
    world.fetch()
    world.submit(assignment=str(world.root / "bob/ps1"))
    assert world.list("bob", cached=True)[0]["assignment_id"] == "ps1"


def test_submit_of_a_withdrawn_assignment_fails(world):
    world.release()
    world.fetch()
    world.list("alice", assignment="ps1", remove=True)
    assert "Assignment not found: " in world.fails("ExchangeSubmit", "bob")
    assert world.list("alice", inbound=True) == []


def test_missing_notebooks_are_a_warning_and_with_strict_a_refusal(world, said):
    world.release()
    world.fetch()
    (world.root / "bob/ps1/problem1.ipynb").rename(world.root / "bob/ps1/mine.ipynb")
    said.clear()
    message = world.fails("ExchangeSubmit", "bob", strict=True)
    assert message == (
        "Assignment ps1 not submitted. There are missing notebooks for the submission:\n"
        "Expected:\n\tproblem1.ipynb: MISSING\nSubmitted:\n\tmine.ipynb: EXTRA"
    )
    assert world.list("alice", inbound=True) == []
    world.submit()
    warned = "\n".join(said(logging.WARNING))
    assert "Possible missing notebooks and/or extra notebooks submitted for assignment ps1:" in warned


def test_staff_submit_for_a_student_and_students_may_not(world):
    world.release()
    world.fetch("alice")
    world.submit("alice", student="bob")
    assert [row["student_id"] for row in world.list("alice", inbound=True)] == ["bob"]
    world.fetch("carol")
    assert "may not hand in for others" in world.fails("ExchangeSubmit", "carol", student="bob")


@pytest.mark.parametrize("student", ["b*b", "b+b"])
def test_student_that_is_a_pattern_is_refused(world, student):
    world.release()
    world.fetch()
    message = world.fails("ExchangeSubmit", "bob", student=student)
    assert message == f"The student ID should contain no '*' nor '+'; got {student}"


def test_lost_answer_and_submit_again_is_one_submission(world, monkeypatch):
    world.release()
    world.fetch()
    made = world.make("ExchangeSubmit", "bob")
    made.client.attempts = 1
    send = plugin.NgshareClient.send

    def loses_the_answer(self, *parts, **request):
        send(self, *parts, **request)
        raise plugin.client.errors.Unreachable("the train is in a tunnel")

    with monkeypatch.context() as tunnel:
        tunnel.setattr(plugin.NgshareClient, "send", loses_the_answer)
        with pytest.raises(ExchangeError):
            made.start()
    world.submit()
    (row,) = world.list("alice", inbound=True)
    assert len(row["submissions"]) == 1
    world.submit()  # the receipt was seen: this is a new attempt
    (row,) = world.list("alice", inbound=True)
    assert len(row["submissions"]) == 2


# list


def test_released_rows(world, said):
    world.release()
    said.clear()
    (row,) = world.list("bob")
    assert row["course_id"] == world.course and row["assignment_id"] == "ps1" and row["status"] == "released"
    assert [one["notebook_id"] for one in row["notebooks"]] == ["problem1"]
    assert said() == ["Released assignments:", f"{world.course} ps1"]
    world.fetch()
    said.clear()
    (row,) = world.list("bob")
    folder = world.root / "bob/ps1"
    assert row["status"] == "fetched" and row["path"] == str(folder)
    assert row["notebooks"] == [{"notebook_id": "problem1", "path": str(folder / "problem1.ipynb")}]
    assert said() == ["Released assignments:", f"{world.course} ps1 (already downloaded)"]


def test_submitted_rows(world, said):
    world.release()
    world.fetch()
    world.submit()
    for flag, who in (("inbound", "alice"), ("cached", "bob")):
        said.clear()
        (group,) = world.list(who, **{flag: True})
        (one,) = group.pop("submissions")
        assert group == {"course_id": world.course, "student_id": "bob", "assignment_id": "ps1", "status": "submitted"}
        assert one["has_local_feedback"] is one["has_exchange_feedback"] is one["feedback_updated"] is False
        assert one["local_feedback_path"] is None and [nb["notebook_id"] for nb in one["notebooks"]] == ["problem1"]
        line = f"{world.course} bob ps1 {one['timestamp']} (no feedback available)"
        assert said() == ["Submitted assignments:", line]


def test_inbound_and_cached_exclude_each_other(world):
    assert world.fails("ExchangeList", "bob", inbound=True, cached=True) == (
        "Options --inbound and --cached are incompatible."
    )


@pytest.mark.parametrize("course", ["", "*"])
def test_list_without_a_course_shows_all(world, course):
    world.release()
    assert world.course in [row["course_id"] for row in world.list("bob", course=course)]
    assert world.list("bob", course="", assignment="nothing") == []


def test_list_is_one_request(world, monkeypatch):
    world.release()
    world.fetch()
    world.submit()
    asked = []
    send = plugin.client.client.requests.Session.send

    def counted(self, request, **options):
        asked.append(request.url)
        return send(self, request, **options)

    monkeypatch.setattr(plugin.client.client.requests.Session, "send", counted)
    for flags in ({}, {"cached": True}):
        asked.clear()
        assert world.list("bob", **flags)
        assert len(asked) == 1, asked
        world_made = world.make("ExchangeList", "bob", assignment="", **flags)
        world_made.start()
        asked.clear()
        world_made.start()  # within seconds: not asked again
        assert asked == []


def test_json_flag_prints_json(world, capsys):
    world.release()
    world.list("bob", as_json=True)
    assert json.loads(capsys.readouterr().out)[0]["assignment_id"] == "ps1"


def test_cached_survives_an_emptied_home_and_remove_is_remembered(world):
    world.release()
    world.fetch()
    world.submit()
    (world.root / "bob/cache").rename(world.root / "gone")
    assert len(world.list("bob", cached=True)) == 1
    (row,) = world.list("bob", cached=True, remove=True)
    assert row["status"] == "removed"
    assert world.list("bob", cached=True) == []
    assert len(world.list("alice", inbound=True)) == 1


def test_cached_remove_deletes_the_copies(world):
    world.release()
    world.fetch()
    world.submit()
    world.list("bob", cached=True, remove=True)
    assert list((world.root / "bob/cache" / world.course).glob("bob+*")) == []


def test_inbound_remove_is_for_instructors_and_students_keep_theirs(world):
    world.release()
    world.fetch()
    world.submit()
    assert "instructors alone" in world.fails("ExchangeList", "bob", assignment="ps1", inbound=True, remove=True)
    world.list("alice", inbound=True, remove=True)
    assert world.list("alice", inbound=True) == []
    assert len(world.list("bob", cached=True)) == 1


# collect


def collected(world, student="bob"):
    return world.root / "alice/submitted" / student / "ps1"


def handed_in(world, *students):
    world.release()
    for student in students:
        world.fetch(student)
        world.submit(student)


def test_collect_writes_the_tree_and_the_servers_time(world, said):
    handed_in(world, "bob", "carol")
    said.clear()
    world.run("ExchangeCollect", "alice")
    assert said() == [
        f"Processing 2 submissions of 'ps1' for course '{world.course}'",
        "Collecting submission: bob ps1",
        "Collecting submission: carol ps1",
    ]
    assert (collected(world) / "data/points.csv").read_text() == "1,2\n"
    (timestamp,) = re.findall(r".* UTC", (collected(world) / "timestamp.txt").read_text())
    assert world.list("alice", inbound=True)[0]["submissions"][0]["timestamp"] == timestamp


def test_collect_of_nothing_warns_and_makes_nothing(world, said):
    world.release()
    said.clear()
    world.run("ExchangeCollect", "alice")
    assert said() == [f"No submissions of 'ps1' for course '{world.course}' to collect"]
    assert not (world.root / "alice/submitted").exists()


def test_collect_leaves_what_is_there_unless_told_to_update(world, said):
    handed_in(world, "bob")
    world.run("ExchangeCollect", "alice")
    world.write("bob/ps1/problem1.ipynb", "second")
    world.submit()
    said.clear()
    world.run("ExchangeCollect", "alice")
    assert said()[-1] == "Submission already exists, use --update to update: bob ps1"
    world.run("ExchangeCollect", "alice", update=True)
    assert said()[-1] == "Updating submission: bob ps1"
    assert (collected(world) / "problem1.ipynb").read_text() == "second"
    world.run("ExchangeCollect", "alice", update=True)
    assert said()[-1] == "No newer submission to collect: bob ps1"


def test_collect_of_one_student(world):
    handed_in(world, "bob", "carol")
    world.run("ExchangeCollect", "alice", student="carol")
    assert not collected(world).exists() and collected(world, "carol").exists()


@pytest.mark.parametrize("extension", [None, timedelta(hours=2)])
def test_collect_before_the_due_date_honours_extensions(world, extension):
    world.release()
    world.fetch()
    world.submit()
    due = datetime.now(UTC)
    world.gradebook(due, {"bob": extension} if extension else None)
    world.write("bob/ps1/problem1.ipynb", "late")
    world.submit()
    world.run("ExchangeCollect", "alice", before_duedate=True)
    found = (collected(world) / "problem1.ipynb").read_text()
    assert found == ("late" if extension else NOTEBOOK)


def test_collect_shares_with_the_group(world):
    handed_in(world, "bob")
    world.run("ExchangeCollect", "alice", groupshared=True)
    assert stat.S_IMODE(collected(world).stat().st_mode) & 0o2770 == 0o2770
    assert stat.S_IMODE((collected(world) / "problem1.ipynb").stat().st_mode) & 0o660 == 0o660


def test_collect_that_breaks_leaves_the_old_copy(world, monkeypatch):
    handed_in(world, "bob")
    world.run("ExchangeCollect", "alice")
    world.write("bob/ps1/problem1.ipynb", "second")
    world.submit()
    with monkeypatch.context() as broken:
        broken.setattr(
            plugin.exchange.collect.Blobs, "fetch", lambda *args: (_ for _ in ()).throw(OSError(5, "the line broke"))
        )
        assert "the line broke" in world.fails("ExchangeCollect", "alice", update=True)
    assert (collected(world) / "problem1.ipynb").read_text() == NOTEBOOK


def test_one_broken_hand_in_does_not_stop_the_others(world, service, api, monkeypatch):
    handed_in(world, "bob", "carol")
    world.write("bob/ps1/problem1.ipynb", "only bob has this")
    world.submit()
    (row,) = api(
        "GET", "submissions/", "bob", params={"mine": "true", "course": world.course, "latest": "true", "files": "true"}
    ).json()["results"]
    sha256 = next(file["sha256"] for file in row["files"] if file["path"] == "problem1.ipynb")
    (stored,) = (service.data / "blobs").rglob(sha256)
    stored.unlink()
    monkeypatch.setattr(plugin.client.transfer, "FIRST_PAUSE", 0.01)
    message = world.fails("ExchangeCollect", "alice")
    assert "all but 1 of 2" in message and "bob" in message
    assert collected(world, "carol").exists() and not collected(world).exists()


def test_student_cannot_collect(world):
    handed_in(world, "bob", "carol")
    assert "as a student" in world.fails("ExchangeCollect", "bob")
    assert not (world.root / "bob/submitted").exists()


# feedback


def give_feedback(world, student="bob", text="<p>well done</p>", **options):
    folder = world.root / "alice/feedback" / student / "ps1"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "problem1.html").write_text(text)
    (folder / "timestamp.txt").write_text((collected(world, student) / "timestamp.txt").read_text())
    world.run("ExchangeReleaseFeedback", "alice", **options)


def test_feedback_comes_back_without_an_authenticator_and_to_an_emptied_home(world):
    handed_in(world, "bob")
    world.run("ExchangeCollect", "alice")
    give_feedback(world, authenticator=False)
    (group,) = world.list("bob", cached=True)
    assert group["submissions"][0]["has_exchange_feedback"] is True
    (world.root / "bob/cache").rename(world.root / "gone")
    world.run("ExchangeFetchFeedback", "bob")
    timestamp = (collected(world) / "timestamp.txt").read_text()
    page = world.root / "bob/ps1/feedback" / timestamp / "problem1.html"
    assert page.read_text() == "<p>well done</p>"
    (group,) = world.list("bob", cached=True)
    (one,) = group["submissions"]
    assert one["has_local_feedback"] is True and one["feedback_updated"] is False
    assert one["local_feedback_path"] == str(page.parent)
    give_feedback(world, text="<p>better</p>")
    assert world.list("bob", cached=True)[0]["submissions"][0]["feedback_updated"] is True
    world.run("ExchangeFetchFeedback", "bob")
    assert page.read_text() == "<p>better</p>"


def test_feedback_is_private(world):
    handed_in(world, "bob", "carol")
    world.run("ExchangeCollect", "alice")
    give_feedback(world)
    world.run("ExchangeFetchFeedback", "carol")
    assert not (world.root / "carol/ps1/feedback").exists()


def test_no_feedback_is_a_warning_and_no_folder(world, said):
    handed_in(world, "bob")
    said.clear()
    world.run("ExchangeFetchFeedback", "bob")
    assert any(line.startswith("Could not find feedback for") for line in said(logging.WARNING))
    assert not (world.root / "bob/ps1/feedback").exists()


def test_excluded_student_gets_none(world):
    handed_in(world, "bob", "carol")
    world.run("ExchangeCollect", "alice")
    give_feedback(world, "carol", student_id_exclude="carol")
    world.run("ExchangeFetchFeedback", "carol")
    assert not (world.root / "carol/ps1/feedback").exists()


def test_student_who_left_does_not_stop_the_others(world, api):
    handed_in(world, "bob", "carol")
    world.run("ExchangeCollect", "alice")
    api("DELETE", f"courses/{world.course}/members/carol/", "alice").raise_for_status()
    folder = world.write("alice/feedback/ghost/ps1/problem1.html", "x").parent
    (folder / "timestamp.txt").write_text("2026-01-01 00:00:00.000000 UTC")
    with pytest.raises(ExchangeError, match="ghost"):
        give_feedback(world)
    world.run("ExchangeFetchFeedback", "bob")
    assert list((world.root / "bob/ps1/feedback").glob("*/problem1.html"))


# failures


@pytest.mark.parametrize("name", ["ExchangeList", "ExchangeSubmit", "ExchangeFetchAssignment", "ExchangeCollect"])
def test_exchange_that_is_down_is_an_error_with_a_sentence(world, name):
    (world.root / "bob/ps1").mkdir(parents=True)
    made = world.make(name, "bob", assignment="ps1" if name != "ExchangeFetchAssignment" else "ps2")
    made.client.url, made.client.attempts = "http://127.0.0.1:9/services/ngshare", 1
    with pytest.raises(ExchangeError, match="cannot be reached"):
        made.start()


def test_no_token_is_an_error_with_a_sentence(world):
    made = world.make("ExchangeList", "bob")
    world.monkeypatch.delenv("JUPYTERHUB_API_TOKEN")
    with pytest.raises(ExchangeError, match="JUPYTERHUB_API_TOKEN"):
        made.start()


def test_unknown_timezone_is_refused(world):
    made = world.make("ExchangeList", "bob")
    made.timezone = "Mars/Olympus"
    with pytest.raises(ExchangeError, match="Invalid timezone"):
        made.start()
