"""What ngshare 0.6 made arrives whole: its database is read here by plain SQL, and compared row by row."""

import hashlib
import os
import sqlite3
from datetime import UTC, datetime

import pytest
import sqlalchemy

from courses import services as course_services
from courses.models import AuditEntry, Course, Membership
from courses.permissions import SERVER
from courses.services import RosterEntry
from exchange import services
from exchange.models import Assignment, Feedback, Release, Submission
from exchange.storage import blobs, checksums
from tests import cast, servers
from tests.cast import actor
from tests.exchange.importers.running import everything, import_ngshare

pytestmark = pytest.mark.django_db
COURSE = "NBG 101"


def select(old, query):
    with sqlite3.connect(old / "ngshare.db") as database:
        return database.execute(query).fetchall()


def change(old, *statements):
    with sqlite3.connect(old / "ngshare.db") as database:
        for statement in statements:
            database.execute(statement)


def their_files(old, kind, key):
    rows = select(
        old,
        f"SELECT filename, checksum, actual_name FROM {kind}_files_assoc_table, files "
        f"WHERE left_id = '{key}' AND right_id = files._id ORDER BY files._id",
    )
    return [(path, checksum, (old / "files" / name).read_bytes()) for path, checksum, name in rows]


def our_files(file_set):
    entries = file_set.entries.select_related("blob").order_by("position")
    checksums.complete([row.blob for row in entries])
    return [(row.path, row.blob.md5, b"".join(blobs.read(row.blob.sha256, length=row.blob.size))) for row in entries]


def place(old, student, path):
    """Where the file of that student's first submission to ps1 lies."""
    ((name,),) = select(
        old,
        "SELECT actual_name FROM files JOIN submission_files_assoc_table ON right_id = files._id WHERE left_id = "
        f"(SELECT MIN(_id) FROM submissions WHERE student_id = '{student}') AND filename = '{path}'",
    )
    return old / "files" / name


def first_of(student):
    return Submission.objects.filter(student__username=student, assignment__name="ps1").first()


# Everything arrives


def test_courses_and_members_arrive_with_their_names(old):
    assert import_ngshare(old).status == 0
    assert list(Course.objects.order_by("pk").values_list("name", flat=True)) == [
        name for (name,) in select(old, "SELECT id FROM courses ORDER BY _id")
    ]
    theirs = [
        (course, user, role, first, last, email)
        for role in ("instructor", "student")
        for user, course, first, last, email in select(old, f"SELECT * FROM {role}_assoc_table")
    ]
    fields = ("course__name", "user__username", "role", "first_name", "last_name", "email")
    assert len(theirs) == 8
    assert sorted(Membership.objects.values_list(*fields), key=str) == sorted(theirs, key=str)


def test_assignments_arrive_with_their_files(old):
    import_ngshare(old)
    theirs = select(
        old,
        "SELECT assignments._id, courses.id, assignments.id FROM assignments, courses WHERE course_id = courses._id",
    )
    ours = Release.objects.select_related("assignment__course").order_by("assignment__pk")
    assert [(row.assignment.course.name, row.assignment.name) for row in ours] == [row[1:] for row in theirs]
    for row, release in zip(theirs, ours, strict=True):
        assert our_files(release.file_set) == their_files(old, "assignment", row[0])
        assert (release.number, release.assignment.withdrawn_at) == (1, None)
    assert max(release.file_set.file_count for release in ours) == 4


def test_submissions_arrive_with_their_times_files_and_feedback(old):
    import_ngshare(old)
    theirs = select(
        old,
        "SELECT submissions._id, courses.id, assignments.id, student_id, timestamp "
        "FROM submissions, assignments, courses "
        "WHERE assignment_id = assignments._id AND course_id = courses._id ORDER BY assignments._id, timestamp",
    )
    ours = Submission.objects.select_related("assignment__course", "student").order_by("assignment__pk", "created")
    assert len(theirs) == 10
    for (key, *names, time), submission in zip(theirs, ours, strict=True):
        assert [submission.assignment.course.name, submission.assignment.name, submission.student.username] == names
        assert submission.created == datetime.fromisoformat(time).replace(tzinfo=UTC)
        assert our_files(submission.file_set) == their_files(old, "submission", key)
        assert submission.submitted_by == submission.student
        feedback = [our_files(row.file_set) for row in submission.feedbacks.all()]
        assert feedback == [given for given in [their_files(old, "feedback", key)] if given]


def test_hand_ins_of_staff_are_marked_as_trials(old):
    import_ngshare(old)
    trials = Submission.objects.filter(trial=True).values_list("assignment__course__name", "student__username")
    assert list(trials) == [(COURSE, "alice")]


def test_times_of_files_tell_when_releases_and_feedback_came(old):
    for name in os.listdir(old / "files"):
        os.utime(old / "files" / name, (1_700_000_000, 1_700_000_000))
    import_ngshare(old)
    then = datetime.fromtimestamp(1_700_000_000, UTC)
    assert {row.created for row in Release.objects.exclude(file_set__file_count=0)} == {then}
    assert {row.created for row in Feedback.objects.all()} == {then}


def test_due_dates_arrive(old):
    change(old, "UPDATE assignments SET due = '2026-12-24 18:00:00.000000' WHERE id = 'ps1' AND course_id = 1")
    import_ngshare(old)
    assert Assignment.objects.get(course__name=COURSE, name="ps1").due == datetime(2026, 12, 24, 18, tzinfo=UTC)


def test_same_bytes_are_stored_once(old):
    import_ngshare(old)
    _, stored = everything()
    contents = {hashlib.sha256(content).hexdigest() for content in _contents(old)}
    assert {name.split("/")[-1] for name in stored} == contents


def _contents(old):
    rows = select(
        old,
        "SELECT actual_name FROM files WHERE _id IN (SELECT right_id FROM assignment_files_assoc_table UNION "
        "SELECT right_id FROM submission_files_assoc_table UNION SELECT right_id FROM feedback_files_assoc_table)",
    )
    return [(old / "files" / name).read_bytes() for (name,) in rows]


def test_every_act_is_in_the_audit_log(old):
    import_ngshare(old)
    entries = AuditEntry.objects.filter(action__startswith="import", actor="", role="server")
    assert {(row.action, row.course) for row in entries} >= {
        ("import submission", COURSE),
        ("import release", COURSE),
        ("import feedback", COURSE),
    }


# Again, and dry


def test_second_run_changes_nothing(old):
    first = import_ngshare(old)
    before = everything()
    second = import_ngshare(old)
    assert (second.status, everything()) == (0, before)
    for kind in ("courses", "members", "assignments", "releases", "submissions", "feedback"):
        assert second.counts(kind) == {**first.counts(kind), "new": 0, "there already": first.counts(kind)["new"]}


def test_dry_run_writes_nothing_and_foresees_everything(old):
    before = everything()
    dry = import_ngshare(old, "--dry-run")
    assert everything() == before
    assert "nothing was written" in dry.output
    real = import_ngshare(old)
    assert dry.output.startswith(real.output.rstrip())
    assert real.counts("submissions")["new"] == 10
    before = everything()
    assert import_ngshare(old, "--dry-run").counts("submissions")["there already"] == 10
    assert everything() == before


def test_progress_is_shown(old):
    assert import_ngshare(old).progress.splitlines()[-1] == "14 of 14"


def test_what_was_done_here_since_stays(old):
    import_ngshare(old)
    course = Course.objects.get(name=COURSE)
    cast.person("alice")
    course_services.set_member(course, RosterEntry("bob", first_name="Robert"), by=actor("alice"))
    assignment = Assignment.objects.get(course=course, name="ps1")
    services.release(course, "ps1", cast.upload({"new.txt": b"new"}), by=actor("alice"), force=True)
    services.unrelease(assignment, by=actor("alice"))
    submission = first_of("bob")
    lines = cast.upload({"ps1.html": b"newer"})
    item = services.FeedbackItem(lines.manifests[0], submission=submission.pk)
    services.return_feedback(assignment, [item], lines, by=actor("alice"))
    before = everything()
    assert import_ngshare(old).status == 0
    assert everything() == before


def test_course_in_the_trash_stays_there(old):
    import_ngshare(old)
    course_services.trash_course(Course.objects.get(name=COURSE), by=SERVER)
    before = everything()
    run = import_ngshare(old)
    assert (run.status, everything()) == (1, before)
    assert "NBG 101: a course of this name is in the trash here; restore it first" in run.output


# What is missing or broken


def test_missing_and_broken_files_are_reported_and_the_rest_goes_on(old):
    missing, broken = place(old, "bob", "ps1.ipynb"), place(old, "dave", "data/numbers.csv")
    content = missing.read_bytes()
    missing.unlink()
    good = broken.read_bytes()
    broken.write_bytes(b"rotten")
    run = import_ngshare(old)
    assert run.status == 1
    assert [len(run.problems()), run.counts("files")["left out"], run.counts("submissions")["new"]] == [2, 2, 10]
    bobs, daves = first_of("bob"), first_of("dave")
    time = f"{bobs.created:%Y-%m-%d %H:%M:%S.%f}"
    assert f"NBG 101 / ps1 / bob / {time} / ps1.ipynb: the file is missing: {missing}" in run.output
    assert "dave" in run.output
    assert "data/numbers.csv: the file is broken" in run.output
    assert [row.path for row in bobs.file_set.entries.all()] == ["data/numbers.csv", "data/deep/er.txt", "empty.txt"]
    assert [row.path for row in daves.file_set.entries.all()] == ["ps1.ipynb", "data/deep/er.txt", "empty.txt"]
    assert import_ngshare(old).counts("submissions")["there already"] == 10
    missing.write_bytes(content)
    broken.write_bytes(good)
    mended = import_ngshare(old)
    assert (mended.status, mended.counts("submissions")["completed"]) == (0, 2)
    assert our_files(first_of("bob").file_set)[0][2] == content
    assert first_of("dave").file_set.file_count == 4
    assert Submission.objects.count() == 10


def test_missing_files_of_releases_and_feedback_are_completed_later(old):
    names = select(
        old,
        "SELECT actual_name FROM files JOIN assignment_files_assoc_table ON right_id = files._id WHERE left_id = '1' "
        "UNION ALL SELECT actual_name FROM files JOIN feedback_files_assoc_table ON right_id = files._id "
        "WHERE left_id = (SELECT MIN(_id) FROM submissions WHERE student_id = 'bob')",
    )
    kept = {name: (old / "files" / name).read_bytes() for (name,) in (names[0], names[-1])}
    for name in kept:
        (old / "files" / name).unlink()
    run = import_ngshare(old)
    assert (run.status, run.counts("files")["left out"]) == (1, 2)
    for name, content in kept.items():
        (old / "files" / name).write_bytes(content)
    mended = import_ngshare(old)
    assert mended.status == 0
    assert (mended.counts("releases")["completed"], mended.counts("feedback")["completed"]) == (1, 1)
    newest = Release.objects.filter(assignment__course__name=COURSE, assignment__name="ps1").last()
    assert (newest.number, newest.file_set.file_count) == (2, 4)
    assert first_of("bob").feedbacks.order_by("pk").last().file_set.file_count == 2


@pytest.mark.wide
@pytest.mark.parametrize("name", ["../ngshare.db", "/etc/passwd", "..", "a\0b", "", None, "folder", "link"])
def test_only_plain_files_of_the_storage_are_read(old, name):
    (old / "files" / "folder").mkdir()
    (old / "files" / "link").symlink_to("/etc/passwd")
    place_name = place(old, "bob", "ps1.ipynb").name
    with sqlite3.connect(old / "ngshare.db") as database:
        database.execute("UPDATE files SET actual_name = ?, checksum = NULL WHERE actual_name = ?", (name, place_name))
    run = import_ngshare(old)
    assert (run.status, run.counts("files")["left out"]) == (1, 1)
    assert "ps1.ipynb" not in [row.path for row in first_of("bob").file_set.entries.all()]


@pytest.mark.wide
@pytest.mark.parametrize("path", ["../a", "/a", "a\\b", "data/numbers.csv/x", "EMPTY.TXT", "a\nb", "", "x" * 300])
def test_names_that_no_tree_can_have_are_left_out(old, path):
    place_name = place(old, "bob", "data/deep/er.txt").name
    with sqlite3.connect(old / "ngshare.db") as database:
        database.execute("UPDATE files SET filename = ? WHERE actual_name = ?", (path, place_name))
    run = import_ngshare(old)
    assert run.status == 1
    assert run.counts("files")["left out"] == 1
    assert all("\n" not in problem for problem in run.problems())
    assert first_of("bob").file_set.file_count == 3


def test_of_two_files_of_one_name_the_later_one_holds(old):
    place_name = place(old, "bob", "data/deep/er.txt").name
    change(old, f"UPDATE files SET filename = 'ps1.ipynb' WHERE actual_name = '{place_name}'")
    run = import_ngshare(old)
    assert run.counts("files")["left out"] == 1
    ours = {path: content for path, _, content in our_files(first_of("bob").file_set)}
    assert ours["ps1.ipynb"] == b"deep"


def test_rows_that_say_too_little_are_reported(old):
    change(
        old,
        "UPDATE submissions SET timestamp = NULL WHERE _id = (SELECT MIN(_id) FROM submissions)",
        "UPDATE submissions SET student_id = NULL WHERE _id = (SELECT MAX(_id) FROM submissions)",
        "INSERT INTO courses (id) VALUES (NULL)",
        "INSERT INTO assignments (id, course_id) VALUES (NULL, 1)",
        "INSERT INTO assignments (id, course_id) VALUES ('a+b', 1)",
        "INSERT INTO users VALUES ('a/b')",
        "INSERT INTO student_assoc_table VALUES ('a/b', 'NBG 101', '', '', '')",
        "INSERT INTO courses (id) VALUES ('..')",
    )
    for run in (import_ngshare(old, "--dry-run"), import_ngshare(old)):
        assert (run.status, len(run.problems())) == (1, 7)
        left_out = {kind: run.counts(kind)["left out"] for kind in ("courses", "members", "assignments", "submissions")}
        assert left_out == {"courses": 2, "members": 1, "assignments": 2, "submissions": 2}
        assert run.counts("submissions")["new"] == 8


def test_limits_hold_and_say_so(old, settings):
    settings.NGSHARE_MAX_FILE_SIZE = 10_000
    run = import_ngshare(old)
    assert run.status == 1
    assert "data/numbers.csv is 10.2 kB, the limit for one file is 10 kB." in run.output
    assert run.counts("submissions")["left out"] == 7
    settings.NGSHARE_MAX_FILE_SIZE = 20_000
    assert import_ngshare(old).status == 0


def test_two_hand_ins_at_one_instant_both_arrive(old):
    change(old, "UPDATE submissions SET timestamp = '2026-01-02 03:04:05.000006' WHERE student_id = 'bob'")
    for _ in range(2):
        assert import_ngshare(old).status == 0
    microseconds = [row.created.microsecond for row in Submission.objects.filter(student__username="bob")]
    assert sorted(microseconds) == [6, 7, 8]


@pytest.mark.parametrize(
    "time", ["9999-12-31 23:59:59.999999", "9999-12-31 23:59:59-05:00", "0001-01-01 00:00:00+05:00"]
)
def test_time_at_an_end_of_the_calendar_is_reported(old, time):
    change(old, f"UPDATE submissions SET timestamp = '{time}' WHERE student_id = 'bob'")
    run = import_ngshare(old)
    assert (run.status, run.counts("submissions")["left out"]) == (1, 3)


def test_due_date_at_the_end_of_the_calendar_arrives(old):
    change(old, "UPDATE assignments SET due = '9999-12-31 23:59:59.999999' WHERE id = 'ps1'")
    assert import_ngshare(old).status == 0
    assert Assignment.objects.filter(name="ps1", due__year=9999).exists()


def test_two_assignments_of_one_name_become_one(old):
    change(old, "UPDATE assignments SET id = 'ps1' WHERE id = 'empty'")
    run = import_ngshare(old)
    assert run.status == 1
    assert "NBG 101 / ps1: the name comes twice; the submissions to both are imported" in run.output
    assert Assignment.objects.get(course__name=COURSE, name="ps1").submissions.count() == 7


def test_instructor_who_is_a_student_too_is_an_instructor(old):
    change(old, "INSERT INTO student_assoc_table VALUES ('alice', 'NBG 101', 'A', 'B', 'C')")
    run = import_ngshare(old)
    assert run.status == 0
    assert "Note: NBG 101 / alice: is instructor and student there; becomes instructor here" in run.output
    assert Membership.objects.get(course__name=COURSE, user__username="alice").role == "instructor"


# Where the old data may lie


def test_schema_before_sizes_is_read(old):
    """Of ngshare 0.5 and before, never upgraded."""
    change(old, "ALTER TABLE files DROP COLUMN size")
    assert import_ngshare(old).counts("submissions")["new"] == 10


@pytest.mark.parametrize("scheme", ["sqlite:///", "sqlite+pysqlite:///"])
def test_database_may_be_a_url(old, scheme):
    run = import_ngshare(old, database=f"{scheme}{old / 'ngshare.db'}")
    assert (run.status, run.counts("submissions")["new"]) == (0, 10)


@pytest.mark.wide
def test_database_may_be_a_postgresql(old):
    source = sqlalchemy.create_engine(f"sqlite:///{old / 'ngshare.db'}")
    tables = sqlalchemy.MetaData()
    tables.reflect(source)
    with servers.postgres() as url:
        target = sqlalchemy.create_engine(url.replace("postgresql://", "postgresql+psycopg2://"))
        for table in tables.sorted_tables:
            # PostgreSQL has no keys between columns of unlike types, so whoever moved there had none.
            for constraint in list(table.foreign_key_constraints):
                table.constraints.remove(constraint)
        tables.create_all(target)
        with source.connect() as here, target.begin() as there:
            for table in tables.sorted_tables:
                if rows := [dict(row) for row in here.execute(table.select()).mappings()]:
                    there.execute(table.insert(), rows)
        target.dispose()
        run = import_ngshare(old, database=url)
        assert (run.status, run.counts("submissions")["new"]) == (0, 10)
        assert run.counts("feedback")["new"] == 5
        before = everything()
        assert import_ngshare(old).status == 0
        assert everything() == before


@pytest.mark.parametrize(
    ("database", "storage", "words"),
    [
        ("missing.db", "files", "there is no database"),
        ("ngshare.db", "missing", "there is no folder"),
        ("files", "files", "there is no database"),
        ("text.db", "files", "cannot be read as ngshare's database"),
        ("empty.db", "files", "cannot be read as ngshare's database"),
        ("postgresql://nobody@127.0.0.1:9/none", "files", "cannot be opened"),
        ("nonsense://x", "files", "cannot be opened"),
    ],
)
def test_what_is_no_installation_is_refused(old, database, storage, words):
    (old / "text.db").write_text("hello" * 1000)
    (old / "empty.db").touch()
    before = everything()
    where = database if "://" in database else old / database
    run = import_ngshare(old, "--storage", old / storage, database=where)
    assert (run.status, everything()) == (2, before)
    assert words in run.output
