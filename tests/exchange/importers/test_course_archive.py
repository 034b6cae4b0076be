"""`export_course` and `import_course`: what comes back, and what a hostile zip cannot do."""

import io
import json
import zipfile
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command

from courses import services as course_services
from courses.models import AuditEntry, Course
from courses.permissions import SERVER
from exchange import receipts, services
from exchange.models import Blob, Extension, Feedback, Solution, Submission
from exchange.services import Grant
from exchange.storage import blobs, garbage, manifests
from exchange.storage.manifests import ManifestEntry
from tests import cast
from tests.cast import COURSE, WORK, actor
from tests.exchange.importers.running import everything

NOTEBOOK = cast.sha256(WORK["ps1.ipynb"])


@pytest.fixture
def course_with_history(submission):
    """Two releases, two attempts of bob's, a trial of alice's, feedback twice on bob's first attempt."""
    course = submission.assignment.course
    again = {**cast.PS1, "more.txt": b"more"}
    services.release(course, "ps1", cast.upload(again), by=actor("alice"), force=True)
    cast.return_feedback(submission, "alice")
    item = services.FeedbackItem(cast.upload({"ps1.html": b"better"}).manifests[0], submission=submission.pk)
    services.return_feedback(submission.assignment, [item], cast.upload({"ps1.html": b"better"}), by=actor("gina"))
    cast.submit(submission.assignment, "bob", key="k", second=b"second attempt")
    cast.submit(submission.assignment, "alice")
    services.mark_collected([submission], by=actor("alice"))
    set_deadlines(submission)
    return course


def set_deadlines(submission):
    """All deadlines, an extension of bob's and one of a section, a solution and an earlier one."""
    assignment, course, alice = submission.assignment, submission.assignment.course, actor("alice")
    course_services.set_rules(course, {"timezone": "Europe/Berlin", "late_days": 3, "min_days": 7}, by=alice)
    course.memberships.filter(user=submission.student).update(section="B")
    due = submission.created + timedelta(days=1)
    times = {"release_at": submission.created - timedelta(days=1), "due": due, "cut_off": due, "max_attempts": 5}
    services.set_deadlines(assignment, times, by=alice)
    grants = [Grant(student="bob", due=due, reason="ill"), Grant(section="B", attempts=2)]
    services.grant_extensions(assignment, grants, by=alice)
    for answer in (b"41", b"42"):
        services.set_solution(assignment, cast.upload({"ps1.ipynb": answer}), by=alice)
    cast.submit(assignment, "dave")


@pytest.fixture
def archive(course_with_history, tmp_path):
    path = tmp_path / "course.zip"
    call_command("export_course", COURSE, path, stdout=io.StringIO())
    return path


def forget(name=COURSE):
    """Delete the course with everything of it, as on another server."""
    course = Course.objects.get(name=name)
    course_services.trash_course(course, by=SERVER)
    course.refresh_from_db()
    course_services.delete_course_permanently(course, by=SERVER)
    Blob.objects.update(touched="2020-01-01T00:00:00Z")
    garbage.collect_garbage(course.created)


def contents(name):
    """What a course holds, without ids and what an import counts anew."""
    course = Course.objects.get(name=name)
    people = ("student__username", "submitted_by__username", "release__number", "assignment__name", "file_set__digest")
    times = ("created", "collected_at", "withdrawn_at", "trial", "idempotency_key", "own_bytes", "due")
    members = ("user__username", "role", "first_name", "last_name", "email", "section", "created")
    feedback = Feedback.objects.filter(submission__assignment__course=course).order_by("pk")
    return {
        "course": (course.created, course.max_bytes, course.stored_bytes),
        "rules": (course.timezone, course.late_days, course.min_days),
        "deadlines": list(course.assignments.order_by("name").values_list(*services.DEADLINE_FIELDS)),
        "extensions": list(
            Extension.objects.filter(assignment__course=course)
            .order_by("pk")
            .values_list(
                *("assignment__name", "user__username", "section", "due", "cut_off", "attempts", "reason"),
                *("granted_by__username", "created"),
            )
        ),
        "solutions": list(
            Solution.objects.filter(assignment__course=course)
            .order_by("pk")
            .values_list("assignment__name", "file_set__digest", "added_by__username", "created", "withdrawn_at")
        ),
        "members": list(course.memberships.order_by("user__username").values_list(*members)),
        "assignments": list(course.assignments.order_by("name").values_list("name", "due", "withdrawn_at", "created")),
        "releases": list(
            course.assignments.order_by("name", "releases__number").values_list(
                "name", "releases__number", "releases__file_set__digest", "releases__created"
            )
        ),
        "submissions": list(
            Submission.objects.filter(assignment__course=course).order_by("created").values_list(*people, *times)
        ),
        "feedback": list(feedback.values_list("submission__created", "file_set__digest", "created")),
    }


def test_archive_is_readable_without_ngshare(archive):
    with zipfile.ZipFile(archive) as unpacked:
        assert unpacked.testzip() is None
        names = unpacked.namelist()
        assert unpacked.read("release/ps1/more.txt") == b"more"
        assert unpacked.read("submitted/bob/ps1/second.txt") == b"second attempt"
        (earlier,) = [name for name in names if name.startswith("earlier attempts/bob/ps1/") and "ipynb" in name]
        assert unpacked.read(earlier) == WORK["ps1.ipynb"]
        given = [unpacked.read(name) for name in names if name.startswith("earlier feedback/bob/ps1/")]
        assert sorted(given) == [b"<b>well done</b>", b"better"]
        written = [name for name in names if name.startswith("receipts/")]
        assert len(written) == 4
        assert all(receipts.verify(json.loads(unpacked.read(name))).valid for name in written)
        assert b"bob,,,,B,student" in unpacked.read("roster.csv")
        assert b",gina,grader,return feedback,ps1," in unpacked.read("audit.csv")
        assert "earlier releases/ps1/1/ps1.ipynb" in names
        assert unpacked.read("solution/ps1/ps1.ipynb") == b"42"
        assert [name for name in names if name.startswith("earlier solutions/ps1/")]
    assert AuditEntry.objects.filter(action="export course", course=COURSE).count() == 1


def test_course_comes_back_as_it_was_and_receipts_verify(archive):
    before = contents(COURSE)
    kept = [receipts.receipt(submission) for submission in Submission.objects.all()]
    forget()
    assert not Submission.objects.exists() and not Blob.objects.exists()
    call_command("import_course", archive, stdout=io.StringIO())
    assert contents(COURSE) == before
    assert all(blobs.verify(blob.sha256) and blob.stored for blob in Blob.objects.all())
    assert all(receipts.verify(receipt).valid for receipt in kept)
    newest = Submission.objects.get(feedbacks__file_set__size=6).feedbacks.first()
    assert newest.file_set.size == 6
    assert AuditEntry.objects.filter(action="import course").count() == 1


def test_archive_from_before_there_were_deadlines_is_imported(archive):
    def age(records, files):
        del of(records, "course")["rules"]
        for record in records:
            for name in ("release_at", "cut_off", "max_attempts", "joined"):
                record.pop(name, None)
            if record["kind"] == "submission":
                del record["due"]
        records[:] = [record for record in records if record["kind"] not in ("extension", "solution")]

    before = contents(COURSE)
    forget()
    rewrite(archive, age)
    call_command("import_course", archive, stdout=io.StringIO())
    after = contents(COURSE)
    (deadlines,) = before["deadlines"]
    assert after["deadlines"] == [(None, deadlines[1], None, None)] and after["rules"] == ("", None, None)
    assert {submission[-1] for submission in after["submissions"]} == {deadlines[1]}


def test_existing_course_is_refused_and_another_name_is_taken(archive):
    before = everything()
    with pytest.raises(CommandError, match="There is a course NBG 101 already"):
        call_command("import_course", archive)
    assert everything() == before
    call_command("import_course", archive, "--name", "NBG 102", stdout=io.StringIO())
    assert contents("NBG 102")["submissions"] == contents(COURSE)["submissions"]


def test_lost_bytes_are_listed_and_the_rest_comes_back(course_with_history, tmp_path):
    blobs.delete(NOTEBOOK)
    call_command("export_course", COURSE, tmp_path / "course.zip", stdout=io.StringIO())
    assert "earlier attempts/bob/ps1" in zipfile.ZipFile(tmp_path / "course.zip").read("MISSING FILES.txt").decode()
    before = contents(COURSE)["submissions"]
    forget()
    err = io.StringIO()
    with pytest.raises(CommandError, match="1 blob is missing") as raised:
        call_command("import_course", tmp_path / "course.zip", stdout=io.StringIO(), stderr=err)
    assert raised.value.returncode == 3 and NOTEBOOK in err.getvalue()
    assert contents(COURSE)["submissions"] == before
    lost = Blob.objects.get(sha256=NOTEBOOK)
    assert (lost.stored, lost.fault) == (False, "missing")
    services.submit(Course.objects.get(name=COURSE).assignments.get(), cast.upload(WORK), by=actor("bob"))
    assert blobs.verify(NOTEBOOK) and Blob.objects.get(sha256=NOTEBOOK).stored


def rewrite(path, change):
    """Change the records of an archive, given as a list, and its files, {name: bytes}."""
    with zipfile.ZipFile(path) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    records = [json.loads(line) for line in files.pop("records.jsonl").splitlines()]
    change(records, files)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
        archive.writestr("records.jsonl", "".join(f"{json.dumps(record)}\n" for record in records))


def of(records, kind):
    return next(record for record in records if record["kind"] == kind)


def redigest(record):
    entries = [ManifestEntry(row["path"], row["sha256"], row["size"]) for row in record["files"]]
    record["digest"] = manifests.digest(entries)


def climb(records, files):
    of(records, "release")["files"][0]["path"] = "../../etc/passwd"
    redigest(of(records, "release"))


def swap_bytes(records, files):
    name = of(records, "release")["files"][0]["file"]
    files[name] = b"x" * len(files[name])


def bomb(records, files):
    files[of(records, "release")["files"][0]["file"]] = b"\0" * 50_000_000


def say_it_is_huge(records, files):
    row = of(records, "release")["files"][0]
    row["size"] = 10**13
    redigest(of(records, "release"))


HOSTILE = {
    "a path that climbs": climb,
    "other bytes": swap_bytes,
    "a bomb": bomb,
    "a size beyond the limit": say_it_is_huge,
    "other digest": lambda records, files: of(records, "release").update(digest="0" * 64),
    "a file that is not there": lambda records, files: of(records, "release")["files"][0].update(file="/etc/passwd"),
    "a name that is no name": lambda records, files: of(records, "member").update(username="a/b"),
    "a role that is no role": lambda records, files: of(records, "member").update(role="king"),
    "a member twice": lambda records, files: records.append(of(records, "member")),
    "a submission twice": lambda records, files: records.append(of(records, "submission")),
    "no time": lambda records, files: of(records, "submission").update(collected_at="yesterday"),
    "a time without a zone": lambda records, files: of(records, "release").update(created="2026-01-01T00:00:00"),
    "a time before all times": lambda records, files: of(records, "release").update(
        created="0001-01-01T00:00:00+14:00"
    ),
    "a time after all times": lambda records, files: of(records, "assignment").update(due="9999-12-31T23:59:59-14:00"),
    "an assignment that is not there": lambda records, files: of(records, "release").update(assignment="ps9"),
    "an assignment's name": lambda records, files: of(records, "assignment").update(name="a/b"),
    "a number for a name": lambda records, files: of(records, "assignment").update(name=1),
    "another format": lambda records, files: of(records, "course").update(format=2),
    "a foreign receipt": lambda records, files: of(records, "submission")["receipt"].update(digest="0" * 64),
    "no kind": lambda records, files: records.append({}),
    "a list": lambda records, files: records.append([]),
    "the same release twice": lambda records, files: records.append(of(records, "release")),
    "a key that is too long": lambda records, files: of(records, "submission").update(idempotency_key="k" * 300),
    "a limit out of range": lambda records, files: of(records, "course")["limits"].update(max_bytes=-1),
    "a zone that is none": lambda records, files: of(records, "course")["rules"].update(timezone="Mars/Olympus"),
    "days out of range": lambda records, files: of(records, "course")["rules"].update(min_days=10**6),
    "a cut-off before the due date": lambda records, files: of(records, "assignment").update(
        cut_off="2000-01-01T00:00Z"
    ),
    "an attempt limit out of range": lambda records, files: of(records, "assignment").update(max_attempts=2**40),
    "an extension for nobody": lambda records, files: of(records, "extension").update(user=None),
    "an extension of nothing": lambda records, files: of(records, "extension").update(assignment="ps9"),
    "an extension twice": lambda records, files: records.append(of(records, "extension")),
    "a solution of nothing": lambda records, files: of(records, "solution").update(assignment="ps9"),
    "two present solutions": lambda records, files: of(records, "solution").update(withdrawn_at=None),
}


@pytest.mark.parametrize("change", HOSTILE.values(), ids=HOSTILE)
def test_hostile_archive_is_refused_with_a_sentence_and_changes_nothing(archive, change):
    forget()
    rewrite(archive, change)
    before = cast.everything()
    with pytest.raises(CommandError) as raised:
        call_command("import_course", archive)
    assert raised.value.returncode == 1 and len(str(raised.value).splitlines()) == 1
    after = cast.everything()
    assert {**after, "Blob": []} == {**before, "Blob": []}


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x03\x04"])
def test_what_is_no_zip_is_refused(course, tmp_path, content):
    (tmp_path / "x.zip").write_bytes(content)
    with pytest.raises(CommandError, match="cannot be read as a zip"):
        call_command("import_course", tmp_path / "x.zip")


def test_truncated_archive_is_refused(archive):
    forget()
    archive.write_bytes(archive.read_bytes()[:-500])
    with pytest.raises(CommandError):
        call_command("import_course", archive)
    assert not Course.objects.filter(name=COURSE).exists()


@pytest.mark.parametrize("which", ["local header", "directory"])
def test_name_that_is_damaged_in_the_zip_is_refused(archive, which):
    forget()
    name = "release/é.txt".encode()

    def rename(records, files):
        row = of(records, "release")["files"][0]
        files[name.decode()] = files[row["file"]]
        row["file"] = name.decode()

    rewrite(archive, rename)
    content = archive.read_bytes()
    place = content.index(name) if which == "local header" else content.rindex(name)
    archive.write_bytes(content[:place] + name.replace("é".encode(), b"\xff\xff") + content[place + len(name) :])
    with pytest.raises(CommandError):
        call_command("import_course", archive)
    assert not Course.objects.filter(name=COURSE).exists()


def test_existing_file_is_not_overwritten(archive):
    before = archive.read_bytes()
    with pytest.raises(CommandError, match="is there already"):
        call_command("export_course", COURSE, archive)
    assert archive.read_bytes() == before
