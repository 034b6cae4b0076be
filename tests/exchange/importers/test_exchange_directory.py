"""What lies in nbgrader's exchange directory arrives whole."""

import hashlib
import os
import pwd
import shutil
from datetime import UTC, datetime, timedelta

import pytest

from courses.models import Membership
from exchange import paths
from exchange.importers.exchange_directory import ExchangeDirectory, UnknownZone, parse_time
from exchange.importers.files import read_files
from exchange.importers.places import Place
from exchange.importers.report import ImportReport
from exchange.importers.sources import SourceFile
from exchange.models import Assignment, Submission
from exchange.storage import blobs
from tests import cast
from tests.exchange.importers.exchange_folder import Folder
from tests.exchange.importers.running import everything, run

pytestmark = pytest.mark.django_db
COURSE = "NBG 101"
PS1 = {"p1.ipynb": b'{"cells": []}', "data/numbers.csv": b"1,2,3\n"}
WORK = {"p1.ipynb": b'{"cells": ["42"]}', "data/numbers.csv": b"1,2,3\n", "\u00fcber.txt": b""}


@pytest.fixture
def folder(tmp_path):
    """ps1 and ps2 released, bob submitted twice with feedback on the first, dave once to ps2, which was unreleased."""
    made = Folder(tmp_path)
    made.release(COURSE, "ps1", PS1)
    made.release(COURSE, "ps2", PS1)
    made.release("Elsewhere", "ps1", {"other.ipynb": b"{}"})
    made.first = made.submit(COURSE, "ps1", "bob", WORK)
    made.second = made.submit(COURSE, "ps1", "bob", {"p1.ipynb": b"second"})
    daves = made.submit(COURSE, "ps2", "dave", WORK)
    daves.rename(
        daves.with_name(daves.name.replace("dave", "da+ve"))
    )  # a user name that nbgrader takes from the system
    made.unrelease(COURSE, "ps2")
    made.give_feedback(COURSE, "ps1", "bob", made.first, {"p1.html": b"<b>well done</b>"})
    return made


def import_folder(folder, *arguments):
    return run("import_exchange_folder", folder.root, *arguments)


def contents(file_set):
    return {
        row.path: b"".join(blobs.read(row.blob.sha256, length=row.blob.size))
        for row in file_set.entries.select_related("blob")
    }


def submissions_of(student):
    return Submission.objects.filter(student__username=student).order_by("created")


def time_of(place):
    """What the submission's own timestamp.txt says."""
    return datetime.strptime((place / "timestamp.txt").read_text(), "%Y-%m-%d %H:%M:%S.%f %Z").replace(tzinfo=UTC)


def test_releases_arrive_and_what_was_unreleased_stays_hidden(folder):
    assert import_folder(folder).status == 0
    shown = {(row.course.name, row.name): row.withdrawn_at is None for row in Assignment.objects.all()}
    assert shown == {(COURSE, "ps1"): True, (COURSE, "ps2"): False, ("Elsewhere", "ps1"): True}
    assert contents(Assignment.objects.get(course__name=COURSE, name="ps1").releases.get().file_set) == PS1
    assert not Assignment.objects.get(name="ps2").releases.exists()


def test_hand_ins_arrive_with_their_times_and_without_nbgraders_own_files(folder):
    import_folder(folder)
    first, second = submissions_of("bob")
    assert (first.created, second.created) == (time_of(folder.first), time_of(folder.second))
    assert contents(first.file_set) == WORK
    assert contents(second.file_set) == {"p1.ipynb": b"second"}
    assert contents(submissions_of("da+ve").get().file_set) == WORK
    assert submissions_of("da+ve").get().assignment.name == "ps2"


def test_feedback_arrives_at_the_submission_that_it_is_on(folder):
    import_folder(folder)
    first, second = submissions_of("bob")
    assert contents(first.feedbacks.get().file_set) == {"p1.html": b"<b>well done</b>"}
    assert not second.feedbacks.exists()


@pytest.mark.parametrize("keyed", [True, False])
def test_feedback_of_older_nbgraders_is_found(folder, keyed):
    """They named it after the notebook: with course, assignment, student and time, and before that without."""
    place = folder.second
    (place / "submission_secret.txt").unlink()
    name = hashlib.md5((place / "p1.ipynb").read_bytes())
    if keyed:
        name.update("+".join([COURSE, "ps1", "p1", "bob", place.name.split("+")[2]]).encode())
    (folder.root / COURSE / "feedback" / f"{name.hexdigest()}.html").write_bytes(b"older")
    import_folder(folder)
    assert contents(submissions_of("bob").last().feedbacks.get().file_set) == {"p1.html": b"older"}


def test_who_submitted_is_a_student_and_instructors_are_named(folder):
    run = import_folder(folder, "--instructor", "alice", "--instructor", "da+ve", "--course", COURSE)
    assert run.status == 0
    members = set(Membership.objects.values_list("course__name", "user__username", "role"))
    assert members == {
        (COURSE, "alice", "instructor"),
        (COURSE, "da+ve", "instructor"),
        (COURSE, "bob", "student"),
    }


def test_course_without_instructors_is_noted(folder):
    assert "Note: Elsewhere: the folder does not say who teaches it" in import_folder(folder).output


def test_second_run_changes_nothing(folder):
    first = import_folder(folder)
    before = everything()
    second = import_folder(folder)
    assert (second.status, everything()) == (0, before)
    for kind in ("courses", "members", "assignments", "releases", "submissions", "feedback"):
        assert second.counts(kind)["there already"] == first.counts(kind)["new"] > 0
        assert second.counts(kind)["new"] == 0


def test_what_was_added_meanwhile_comes_with_the_second_run(folder):
    import_folder(folder)
    place = folder.submit(COURSE, "ps1", "eve", WORK)
    folder.give_feedback(COURSE, "ps1", "bob", folder.second, {"p1.html": b"second"})
    run = import_folder(folder)
    assert (run.counts("submissions")["new"], run.counts("feedback")["new"]) == (1, 1)
    assert submissions_of("eve").get().created == time_of(place)


def test_dry_run_writes_nothing(folder):
    before = everything()
    dry = import_folder(folder, "--dry-run")
    assert everything() == before
    assert dry.counts("submissions")["new"] == 3
    assert dry.output.startswith(import_folder(folder).output.rstrip())


def test_submission_without_a_random_part_is_read(folder):
    folder.first.rename(folder.first.with_name(folder.first.name.rsplit("+", 1)[0]))
    import_folder(folder)
    assert contents(submissions_of("bob").first().file_set) == WORK


def test_hand_ins_of_one_instant_both_arrive(folder):
    time = folder.first.name.split("+")[2]
    (folder.second / "timestamp.txt").write_text(time)
    for _ in range(2):
        assert import_folder(folder).status == 0
    first, second = submissions_of("bob")
    assert second.created - first.created == timedelta(microseconds=1)


def test_name_of_the_folder_tells_the_time_where_the_file_is_gone(folder):
    time = time_of(folder.first)
    (folder.first / "timestamp.txt").unlink()
    import_folder(folder)
    assert submissions_of("bob").first().created == time


# What is missing or broken


def test_links_and_pipes_are_reported_and_never_followed(folder, tmp_path):
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "grades.csv").write_text("secret")
    (folder.first / "grades.csv").symlink_to(tmp_path / "secret" / "grades.csv")
    (folder.first / "all").symlink_to(tmp_path / "secret")
    os.mkfifo(folder.first / "pipe")
    (folder.root / COURSE / "inbound" / "eve+ps1+2026-01-01 00:00:00.000000 UTC").symlink_to(tmp_path / "secret")
    run = import_folder(folder)
    assert run.status == 1
    assert (run.counts("files")["left out"], run.counts("submissions")["left out"]) == (3, 1)
    assert contents(submissions_of("bob").first().file_set) == WORK
    assert not submissions_of("eve").exists()


def swap_for_link(place, target):
    place.rename(place.with_name("elsewhere"))
    place.symlink_to(target)


@pytest.mark.parametrize("swapped", ["data", "."])
def test_folder_that_becomes_a_link_meanwhile_is_not_followed(folder, tmp_path, swapped):
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "numbers.csv").write_text("secret")
    report = ImportReport()
    source = ExchangeDirectory(folder.root, report, only=[COURSE], instructors=[])
    (course,) = source.courses()
    submission = next(iter(next(iter(course.assignments)).submissions))
    swap_for_link(folder.first / swapped if swapped != "." else folder.first, tmp_path / "secret")
    manifest = read_files(submission.files, report)
    assert cast.sha256(b"secret") not in manifest.places
    left_out = {"data": {"data/numbers.csv"}, ".": set(WORK)}[swapped]
    assert {entry.path for entry in manifest.entries} == set(WORK) - left_out
    assert report.counts["files", "left out"] == len(left_out)


def test_course_that_becomes_a_link_meanwhile_is_not_followed(folder, tmp_path):
    source = ExchangeDirectory(folder.root, ImportReport(), only=[COURSE], instructors=[])
    swap_for_link(folder.root / COURSE, folder.root / "Elsewhere")
    (course,) = source.courses()
    assert [list(assignment.submissions)[0].files for assignment in course.assignments][:1] == [[]]


def test_sparse_file_is_refused_before_it_is_read(folder):
    with (folder.first / "huge").open("w") as file:
        file.truncate(2**40)
    with (folder.second / "p1.ipynb").open("r+") as file:
        file.truncate(2**40)
    run = import_folder(folder)
    assert (run.status, run.counts("submissions")["left out"]) == (1, 2)
    assert "huge is 1.1 TB, the limit for one file is" in run.output


def test_files_that_are_too_many_bytes_together_are_refused_before_they_are_read(folder):
    for number in range(100):
        with (folder.first / f"{number}").open("w") as file:
            file.truncate(90 * 10**6)
    run = import_folder(folder)
    assert "Your folder is 9 GB, the limit is" in run.output


def test_one_bad_name_costs_no_second_look_at_the_others(tmp_path, monkeypatch):
    folded = []
    fold = paths._fold
    monkeypatch.setattr(paths, "_fold", lambda part: folded.append(part) or fold(part))
    names = ["back\\slash", *(f"{number}.txt" for number in range(500))]
    for name in names:
        (tmp_path / name).touch()
    report = ImportReport()
    manifest = read_files([SourceFile(name, Place(tmp_path, (name,))) for name in names], report)
    assert (len(manifest.entries), len(report.problems)) == (500, 1)
    assert len(folded) <= 2 * 500


def test_folders_that_are_too_deep_are_reported(folder):
    place = folder.first
    for _ in range(40):
        place = place / "d"
        place.mkdir()
        (place / "leaf").touch()
    run = import_folder(folder)
    assert (run.status, run.counts("files")["left out"]) == (1, 1)
    assert "its folders are nested too deep" in run.output
    depths = [path.count("/") for path in contents(submissions_of("bob").first().file_set)]
    assert max(depths) == 31


def test_owner_is_compared_with_the_name_as_nbgrader_does(folder):
    me = pwd.getpwuid(os.getuid()).pw_name
    folder.submit(COURSE, "ps1", me, WORK)
    run = import_folder(folder)
    notes = [line for line in run.output.splitlines() if "cheating attempt?" in line]
    assert len(notes) == 3 and run.status == 0
    assert f"claims to be submitted by bob but is owned by {me}; cheating attempt?" in run.output
    assert "cheating" not in import_folder(folder, "--no-check-owner").output


@pytest.mark.parametrize(
    "time", ["9999-12-31 23:59:59.999999 UTC", "9999-12-31 23:59:59 -0500", "0001-01-01 00:00:00 +0500"]
)
def test_time_at_an_end_of_the_calendar_is_reported(folder, time):
    (folder.first / "timestamp.txt").write_text(time)
    run = import_folder(folder)
    assert (run.status, run.counts("submissions")["left out"]) == (1, 1)
    assert "is no time" in run.output


def test_file_from_beyond_the_calendar_is_imported(folder):
    os.utime(folder.root / COURSE / "outbound" / "ps1" / "p1.ipynb", (2**40, 2**40))
    assert import_folder(folder).status == 0


def test_names_of_files_do_not_control_the_terminal(folder):
    (folder.first / "\x1b[2J\u202egrades").mkdir()
    (folder.first / "\x1b[2J\u202egrades" / "x").touch()
    (folder.first / os.fsdecode(b"\xff\x1b")).symlink_to("nowhere")
    run = import_folder(folder)
    assert (run.status, run.counts("files")["left out"]) == (1, 2)
    assert not paths.UNSAFE.search(run.output.replace("\n", ""))


@pytest.mark.parametrize("name", ["ps*", "\x1b[2J", "ps1 "])
def test_assignment_with_a_bad_name_is_reported_and_the_rest_goes_on(folder, name):
    shutil.copytree(folder.root / COURSE / "outbound" / "ps1", folder.root / COURSE / "outbound" / name)
    run = import_folder(folder)
    assert (run.status, run.counts("assignments")["left out"], run.counts("assignments")["new"]) == (1, 1, 3)


def test_what_is_no_submission_is_reported_and_the_rest_goes_on(folder):
    inbound = folder.root / COURSE / "inbound"
    (inbound / "README").write_text("hello")
    (inbound / "some+thing").mkdir()
    (inbound / "eve+ps1+2026-99-99 00:00:00.000000 UTC").mkdir()
    (folder.second / "timestamp.txt").write_text("yesterday")
    (inbound / "..+ps1+2026-01-01 00:00:00.000000 UTC").mkdir()
    run = import_folder(folder)
    assert run.status == 1
    assert (run.counts("submissions")["left out"], run.counts("submissions")["new"]) == (5, 2)
    assert run.counts("members")["left out"] == 1


def test_file_that_no_tree_can_have_is_left_out(folder):
    (folder.first / "P1.IPYNB").write_text("a second p1.ipynb on many computers")
    (folder.first / "back\\slash").write_text("x")
    run = import_folder(folder)
    assert (run.status, run.counts("files")["left out"]) == (1, 2)
    assert submissions_of("bob").first().file_set.file_count == 3


def test_what_is_no_exchange_directory_is_refused(tmp_path, folder):
    before = everything()
    for arguments, words in [
        ((tmp_path / "missing",), "there is no folder"),
        ((tmp_path / "teacher",), "is no exchange directory"),
        ((folder.root, "--course", "nope"), "has no course nope"),
    ]:
        refused = run("import_exchange_folder", *arguments)
        assert (refused.status, everything()) == (2, before)
        assert words in refused.output


@pytest.mark.parametrize(
    ("text", "hour"),
    [
        ("2026-11-24 14:33:56.123456 UTC", 14),
        ("2026-11-24 14:33:56.123456", 14),
        ("2026-11-24T14:33:56.123456Z", 14),
        ("2026-11-24 14:33:56.123456 +0200", 12),
        ("2026-11-24 14:33:56.123456-05:00", 19),
    ],
)
def test_times_are_read_with_their_offset(text, hour):
    assert parse_time(text) == datetime(2026, 11, 24, hour, 33, 56, 123456, tzinfo=UTC)


def test_time_of_an_unknown_zone_is_read_as_nbgrader_reads_it(folder):
    with pytest.raises(UnknownZone):
        parse_time("2026-11-24 14:33:56.123456 EDT")
    (folder.first / "timestamp.txt").write_text("2026-11-24 14:33:56.123456 EDT")
    run = import_folder(folder)
    assert run.status == 0
    assert "read as UTC, as nbgrader does" in run.output
    assert submissions_of("bob").first().created.hour == 14
