"""The service functions: what they change, for whom, and what they refuse."""

from datetime import UTC, datetime, timedelta
from threading import Barrier, Thread

import pytest
from django.db import connection
from django.db.models import QuerySet
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from courses import audit
from courses.errors import Conflict, Invalid, NotFound, PermissionDenied, TryAgain
from courses.models import AuditEntry, Course, Role, User
from courses.permissions import SERVER, Actor
from exchange import services
from exchange.models import Assignment, Blob, Feedback, Release, Submission
from exchange.notices.models import Event, Kind
from exchange.services import FeedbackItem, submitting
from exchange.storage import blobs, file_sets
from exchange.storage.file_sets import Upload
from tests import cast
from tests.cast import PS1, WORK, actor, person

TICK = timedelta(microseconds=1)


def release(course, name="ps1", files=PS1, username="alice", **options):
    return services.release(course, name, cast.upload(files), by=actor(username), **options)


def submit(assignment, username="bob", files=WORK, **options):
    return services.submit(assignment, cast.upload(files), by=actor(username), **options)[0]


def audited():
    entry = AuditEntry.objects.order_by("id").last()
    return entry.actor, entry.role, entry.action, entry.course, entry.target, entry.details


@pytest.mark.parametrize(
    ("act", "allowed"),
    [
        (lambda row, by: services.release(row.assignment.course, "new", cast.upload(PS1), by=by), {"alice", "root"}),
        (lambda row, by: services.unrelease(row.assignment, by=by), {"alice", "root"}),
        (lambda row, by: services.restore(row.assignment, by=by), {"alice", "root"}),
        (lambda row, by: services.set_due_date(row.assignment, timezone.now(), by=by), {"alice", "root"}),
        (
            lambda row, by: services.submit(row.assignment, cast.upload(PS1), by=by),
            {"alice", "gina", "bob", "dave", "root"},
        ),
        (
            lambda row, by: services.submit(row.assignment, cast.upload(PS1), by=by, student=person("bob")),
            {"alice", "gina", "bob", "root"},
        ),
        (lambda row, by: services.withdraw_submissions([row], by=by), {"alice", "root"}),
        (lambda row, by: services.restore_submissions([row], by=by), {"alice", "root"}),
        (lambda row, by: services.mark_collected([row], by=by), {"alice", "gina", "root"}),
        (
            lambda row, by: services.return_feedback(row.assignment, [], cast.upload({}), by=by),
            {"alice", "gina", "root"},
        ),
    ],
    ids=[
        "release",
        "unrelease",
        "restore",
        "due date",
        "submit",
        "submit for bob",
        "withdraw",
        "restore submission",
        "collect",
        "feedback",
    ],
)
@pytest.mark.parametrize("username", ["alice", "gina", "bob", "dave", "carol", "erin", "root"])
def test_role_decides_who_may_act(submission, act, allowed, username):
    by = actor(username)
    if username in allowed:
        act(submission, by)
        return
    before = cast.everything()
    with pytest.raises(PermissionDenied):
        act(submission, by)
    assert cast.everything() == before


WRITES = {
    "release": lambda row, by: release(row.assignment.course, "new"),
    "release again": lambda row, by: release(row.assignment.course, force=True),
    "unrelease": lambda row, by: services.unrelease(row.assignment, by=by),
    "due date": lambda row, by: services.set_due_date(row.assignment, timezone.now(), by=by),
    "submit": lambda row, by: submit(row.assignment),
    "withdraw": lambda row, by: services.withdraw_submissions([row], by=by),
    "collect": lambda row, by: services.mark_collected([row], by=by),
    "feedback": lambda row, by: cast.return_feedback(row, "gina"),
}


@pytest.mark.parametrize("act", WRITES.values(), ids=WRITES)
def test_what_cannot_be_audited_does_not_happen(submission, monkeypatch, act):
    def fail(*arguments, **options):
        raise RuntimeError("the log is full")

    before = cast.everything()
    monkeypatch.setattr(audit, "record", fail)
    with pytest.raises(RuntimeError, match="the log is full"):
        act(submission, actor("alice"))
    after = cast.everything()
    del before["Blob"], after["Blob"]  # an upload writes and touches blobs before its transaction
    assert after == before


@pytest.mark.parametrize(
    ("act", "model"),
    [
        (WRITES["release again"], Assignment),
        (WRITES["withdraw"], Submission),
        (WRITES["collect"], Submission),
        (lambda row, by: services.delete_assignment_permanently(row.assignment, by=actor("root")), Assignment),
        (lambda row, by: services.delete_submission_permanently(row, by=actor("root")), Submission),
    ],
    ids=["release again", "withdraw", "collect", "delete assignment", "delete submission"],
)
def test_row_is_locked_in_a_transaction_before_it_is_judged(submission, monkeypatch, request, act, model):
    if "delete" in request.node.callspec.id:
        Assignment.objects.update(withdrawn_at=timezone.now())
        Submission.objects.update(withdrawn_at=timezone.now())
    outside, depths = len(connection.savepoint_ids), []
    lock = QuerySet.select_for_update

    def record_lock(rows, *arguments, **options):
        if rows.model is model:
            depths.append(len(connection.savepoint_ids) - outside)
        return lock(rows, *arguments, **options)

    monkeypatch.setattr(QuerySet, "select_for_update", record_lock)
    act(submission, actor("alice"))
    assert depths == [1]


# Assignments


def test_release_creates_the_assignment(course):
    start = timezone.now()
    released = release(course, due=datetime(2026, 12, 1, tzinfo=UTC))
    assert (released.number, released.released_by.username) == (1, "alice") and released.created >= start
    assert (released.assignment.name, released.assignment.status) == ("ps1", "released")
    assert Assignment.objects.get().due == datetime(2026, 12, 1, tzinfo=UTC)
    assert [entry.path for entry in released.file_set.entries.all()] == sorted(PS1)
    assert audited() == ("alice", "instructor", "release", cast.COURSE, "ps1", {"number": 1})


BAD_NAMES = ["", ".", "..", "a/b", "a+b", "a\0b", "x" * 256, "ps*", "\x1b[2Jps1", "ps1\r", " ps1", "ps1 ", "ps\u202e1"]


@pytest.mark.parametrize("name", BAD_NAMES)
def test_unusable_name_is_refused(course, name):
    with pytest.raises(Invalid):
        release(course, name)
    assert not Assignment.objects.exists()


@pytest.mark.parametrize("name", ["ps*", "\x1b[2Jps1", "ps1 "])
def test_assignment_that_has_such_a_name_already_keeps_working(assignment, name):
    Assignment.objects.filter(pk=assignment.pk).update(name=name)
    assert release(assignment.course, name, files=WORK, force=True).assignment == assignment
    with pytest.raises(services.AlreadyReleased):
        release(assignment.course, name)
    services.unrelease(assignment, by=actor("alice"))
    assert release(assignment.course, name).number == 3


def test_second_release_needs_force(assignment):
    before = cast.everything()
    with pytest.raises(services.AlreadyReleased, match="--force"):
        release(assignment.course, files=WORK)
    assert cast.everything() == before
    assert release(assignment.course, files=WORK, force=True).number == 2
    assert Release.objects.count() == 2


def test_name_is_free_in_another_course(assignment):
    elsewhere = cast.Course.objects.get(name=cast.ELSEWHERE)
    assert release(elsewhere, username="carol").number == 1


def test_release_in_the_meantime_is_noticed(assignment, monkeypatch):
    """Somebody releases between the first look and the transaction."""
    services.unrelease(assignment, by=actor("alice"))
    create = file_sets.store_upload

    def release_meanwhile(*arguments, **options):
        Assignment.objects.update(withdrawn_at=None)
        return create(*arguments, **options)

    monkeypatch.setattr(file_sets, "store_upload", release_meanwhile)
    with pytest.raises(services.AlreadyReleased, match="just now"):
        release(assignment.course)
    assert Release.objects.count() == 1


def test_unreleased_assignment_is_released_again_without_force(submission):
    services.unrelease(submission.assignment, by=actor("alice"))
    assert audited()[:3] == ("alice", "instructor", "unrelease")
    assert release(submission.assignment.course).number == 2
    assert Assignment.objects.get().status == "released" and Submission.objects.count() == 1


def test_due_date_stays_unless_a_release_changes_it(course):
    due = datetime(2026, 12, 1, tzinfo=UTC)
    release(course, due=due)
    release(course, force=True)
    assert Assignment.objects.get().due == due
    release(course, force=True, due=None)
    assert Assignment.objects.get().due is None


def test_unrelease_and_restore_are_audited_once(assignment):
    for change in (services.unrelease, services.restore):
        before = AuditEntry.objects.count()
        change(assignment, by=actor("alice"))
        when = assignment.withdrawn_at
        change(assignment, by=actor("alice"))
        assert AuditEntry.objects.count() == before + 1 and assignment.withdrawn_at == when
    assert assignment.status == "released"
    assert audited()[:3] == ("alice", "instructor", "restore assignment")


def test_assignment_without_a_release_cannot_be_restored(course):
    assignment = Assignment.objects.create(course=course, name="x", withdrawn_at=timezone.now())
    with pytest.raises(Conflict, match="never released"):
        services.restore(assignment, by=actor("alice"))
    assert Assignment.objects.get().withdrawn_at


def test_due_date_is_audited(assignment):
    due = datetime(2026, 12, 1, tzinfo=UTC)
    services.set_due_date(assignment, due, by=actor("alice"))
    assert Assignment.objects.get().due == due
    assert audited()[2:] == ("set due date", cast.COURSE, "ps1", {"due": due.isoformat()})
    services.set_due_date(assignment, None, by=actor("alice"))
    assert Assignment.objects.get().due is None and audited()[5] == {"due": None}


# Submissions


def test_submission_says_what_was_submitted_and_by_whom(assignment):
    release(assignment.course, files={"new": b"new"}, force=True)
    start = timezone.now()
    submission, is_new = services.submit(assignment, cast.upload(WORK), by=actor("bob"))
    assert is_new and start <= submission.created <= timezone.now()
    assert submission.student == submission.submitted_by == person("bob")
    assert (submission.release.number, submission.trial, submission.file_set.file_count) == (2, False, 2)
    details = {"submission": submission.pk, "student": "bob"}
    assert audited() == ("bob", "student", "submit", cast.COURSE, "ps1", details)


@pytest.mark.parametrize(("username", "is_trial"), [("bob", False), ("gina", True), ("alice", True), ("root", True)])
def test_what_staff_submit_themselves_is_a_trial(assignment, username, is_trial):
    assert submit(assignment, username).trial is is_trial


@pytest.mark.parametrize("username", ["gina", "alice", "root"])
def test_staff_submit_for_a_student(assignment, username):
    submission = submit(assignment, username, student=person("bob"))
    assert (submission.student.username, submission.submitted_by.username) == ("bob", username)
    assert submission.trial is False


@pytest.mark.parametrize("username", ["erin", "carol"])
def test_nobody_submits_for_who_is_no_member(assignment, username):
    with pytest.raises(NotFound, match=f"{username} is not a member"):
        submit(assignment, "alice", student=person(username))
    assert not Submission.objects.exists()


def test_server_itself_submits_for_nobody(assignment):
    with pytest.raises(PermissionDenied, match="Only a person"):
        services.submit(assignment, cast.upload(WORK), by=SERVER)


def test_due_date_of_what_was_just_deleted_is_not_found(assignment):
    seen = Assignment.objects.select_related("course").get()
    assignment.delete()
    before = cast.everything()
    with pytest.raises(NotFound):
        services.set_due_date(seen, timezone.now(), by=actor("alice"))
    assert cast.everything() == before


def test_unreleased_assignment_takes_no_submission(assignment):
    services.unrelease(assignment, by=actor("alice"))
    with pytest.raises(NotFound, match="ps1 is not released"):
        submit(assignment)
    assert not Submission.objects.exists()


def test_same_key_is_the_same_submission(assignment):
    first = submit(assignment, key="k")
    services.unrelease(assignment, by=actor("alice"))
    before = cast.everything()
    assert services.submit(assignment, cast.upload(WORK), by=actor("bob"), key="k") == (first, False)
    with pytest.raises(services.KeyReused):
        submit(assignment, files=PS1, key="k")
    Blob.objects.update(touched=before["Blob"][0]["touched"])  # the bytes were made sure of
    before["Blob"] = [{**blob, "touched": before["Blob"][0]["touched"]} for blob in before["Blob"]]
    assert cast.everything() == before


def test_key_is_of_one_student_and_one_assignment(assignment):
    other = release(assignment.course, "ps2").assignment
    made = [submit(assignment, key="k"), submit(assignment, "dave", key="k"), submit(other, key="k")]
    assert len({submission.pk for submission in made}) == 3


def test_race_of_one_key_is_one_submission(assignment, monkeypatch):
    """The other request commits after this one looked for its key."""
    first = submit(assignment, key="k")
    find, calls = submitting._submission_with_key, []

    def find_nothing_at_first(*arguments):
        calls.append(arguments)
        return None if len(calls) == 1 else find(*arguments)

    monkeypatch.setattr(submitting, "_submission_with_key", find_nothing_at_first)
    assert services.submit(assignment, cast.upload(WORK), by=actor("bob"), key="k") == (first, False)
    assert Submission.objects.count() == 1


def test_race_for_one_instant_may_be_repeated(assignment, monkeypatch):
    instant = submit(assignment).created
    monkeypatch.setattr(submitting, "_next_instant", lambda *arguments: instant)
    with pytest.raises(TryAgain, match="same instant"):
        submit(assignment)
    assert Submission.objects.count() == 1


def test_attempts_stay_in_order_when_the_clock_goes_back(assignment):
    submit(assignment)
    future = timezone.now() + timedelta(hours=1)
    Submission.objects.update(created=future)
    assert submit(assignment).created == future + TICK
    assert submit(assignment, "dave").created < future
    other = release(assignment.course, "ps2").assignment
    assert submit(other).created < future


def test_submit_asks_for_the_role_once_more_when_the_bytes_are_here(assignment):
    upload, by = cast.upload(WORK), actor("bob")
    with CaptureQueriesContext(
        connection,
    ) as queries:
        services.submit(assignment, upload, by=by)
    assert len([query["sql"] for query in queries if "courses_membership" in query["sql"]]) == 1


def while_it_arrives(change, files=WORK):
    """An upload during which something else happens."""
    upload = cast.upload(files)
    blobs = upload.sent

    def sent():
        change()
        yield from blobs

    upload.sent = sent()
    return upload


def lose_role(username):
    return lambda: cast.person(username).memberships.all().delete()


@pytest.mark.parametrize("username", ["bob", "alice"])
def test_upload_of_somebody_who_is_removed_meanwhile_is_no_submission(assignment, username):
    by = actor(username)
    with pytest.raises(PermissionDenied, match="not a member"):
        services.submit(assignment, while_it_arrives(lose_role(username)), by=by)
    assert not Submission.objects.exists()
    assert not AuditEntry.objects.filter(action="submit").exists()


def test_upload_of_somebody_who_is_deactivated_meanwhile_is_no_submission(assignment):
    deactivate = lambda: User.objects.filter(username="bob").update(is_active=False)  # noqa: E731
    with pytest.raises(PermissionDenied):
        services.submit(assignment, while_it_arrives(deactivate), by=actor("bob"))
    assert not Submission.objects.exists()


def test_upload_for_somebody_who_is_removed_meanwhile_is_no_submission(assignment):
    with pytest.raises(NotFound, match="bob is not a member"):
        services.submit(assignment, while_it_arrives(lose_role("bob")), by=actor("gina"), student=cast.person("bob"))
    assert not Submission.objects.exists()


@pytest.mark.parametrize("username", ["bob", "root"])
@pytest.mark.parametrize(
    "change",
    [
        lambda assignment: services.unrelease(assignment, by=SERVER),
        lambda assignment: Course.objects.filter(pk=assignment.course_id).update(removed_at=timezone.now()),
        lambda assignment: Assignment.objects.filter(pk=assignment.pk).delete(),
    ],
    ids=["unreleased", "course in the trash", "deleted"],
)
def test_upload_for_what_is_gone_meanwhile_is_no_submission(assignment, username, change):
    seen, by = Assignment.objects.select_related("course").get(), actor(username)
    with pytest.raises((NotFound, PermissionDenied)):
        services.submit(seen, while_it_arrives(lambda: change(assignment)), by=by)
    assert not Submission.objects.exists()


def test_grader_who_becomes_a_student_meanwhile_submits_for_nobody_else(assignment):
    demote = lambda: cast.person("gina").memberships.update(role="student")  # noqa: E731
    with pytest.raises(PermissionDenied, match="submit for others"):
        services.submit(assignment, while_it_arrives(demote), by=actor("gina"), student=person("bob"))
    assert not Submission.objects.exists()


def test_release_of_somebody_who_is_removed_meanwhile_is_none(course):
    by = actor("alice")
    with pytest.raises(PermissionDenied):
        services.release(course, "ps1", while_it_arrives(lose_role("alice"), PS1), by=by)
    assert not Release.objects.exists() and not Assignment.objects.exists()


def test_feedback_of_somebody_who_is_removed_meanwhile_is_none(submission):
    by, upload = actor("gina"), while_it_arrives(lose_role("gina"))
    item = services.FeedbackItem(upload.manifests[0], submission=submission.pk)
    with pytest.raises(PermissionDenied):
        services.return_feedback(submission.assignment, [item], upload, by=by)
    assert not Feedback.objects.exists()


def test_withdrawn_submissions_come_back(assignment):
    rows = [submit(assignment), submit(assignment, "dave")]
    ids = sorted(row.pk for row in rows)
    assert services.withdraw_submissions(rows, by=actor("alice")) == 2
    assert Submission.objects.present().count() == 0
    action, _, target, details = audited()[2:]
    assert (action, target, sorted(details["submissions"])) == ("withdraw submission", "ps1", ids)
    assert services.withdraw_submissions(rows, by=actor("alice")) == 0
    assert services.restore_submissions(rows[:1], by=actor("alice")) == 1
    assert services.restore_submissions(rows, by=actor("alice")) == 1
    assert audited()[2] == "restore submission" and audited()[5] == {"submissions": [rows[1].pk]}
    assert Submission.objects.present().count() == 2


def test_first_collect_counts(submission):
    assert services.mark_collected([submission], by=actor("gina")) == 1
    when = Submission.objects.get().collected_at
    before = cast.everything()
    assert services.mark_collected([submission], by=actor("alice")) == 0
    assert cast.everything() == before and when


def test_each_assignment_is_audited_with_the_role_in_its_course(submission):
    elsewhere = cast.Course.objects.get(name=cast.ELSEWHERE)
    cast.enrol(elsewhere, "gina", "instructor")
    foreign = submit(release(elsewhere, "x", username="carol").assignment, "carol")
    assert services.mark_collected([submission, foreign], by=actor("gina")) == 2
    entries = AuditEntry.objects.filter(action="collect").values_list("course", "target", "role", "details")
    assert sorted(entries) == [
        (cast.ELSEWHERE, "x", "instructor", {"submissions": [foreign.pk]}),
        (cast.COURSE, "ps1", "grader", {"submissions": [submission.pk]}),
    ]


def test_submissions_of_a_course_where_the_actor_may_not_change_nothing(submission):
    elsewhere = release(cast.Course.objects.get(name=cast.ELSEWHERE), "x", username="carol").assignment
    foreign = submit(elsewhere, "carol")
    with pytest.raises(PermissionDenied):
        services.withdraw_submissions([submission, foreign], by=actor("alice"))
    assert not Submission.objects.exclude(withdrawn_at=None).exists()


# Feedback


def item(files, **where):
    return services.FeedbackItem(cast.upload(files).manifests[0], **where)


HTML = {"ps1.html": b"9 of 10"}


def give(assignment, *items, username="gina"):
    return services.return_feedback(assignment, items, cast.upload(HTML), by=actor(username))


def test_feedback_is_returned_and_audited(submission):
    ((feedback,), refused) = give(submission.assignment, item(HTML, submission=submission.pk))
    assert (feedback.submission, feedback.returned_by, refused) == (submission, person("gina"), [])
    assert [entry.path for entry in feedback.file_set.entries.all()] == ["ps1.html"]
    details = {"submissions": [submission.pk]}
    assert audited() == ("gina", "grader", "return feedback", cast.COURSE, "ps1", details)


def test_item_without_its_submission_does_not_stop_the_others(submission):
    nowhere = item(HTML, submission=999_999)
    ((feedback,), ((refused, error),)) = give(submission.assignment, nowhere, item(HTML, submission=submission.pk))
    assert feedback.submission == submission and refused is nowhere and isinstance(error, NotFound)


def test_feedback_on_many_takes_as_many_queries_as_on_few(assignment):
    """However it names the submissions, and although every one has a file of its own."""

    def queries(count):
        rows = []
        for number in range(count):
            cast.enrol(assignment.course, f"{count}-{number}", Role.STUDENT)
            rows.append(cast.submit(assignment, f"{count}-{number}"))
        contents = [{"ps1.html": f"{count} {number}".encode()} for number in range(count)]
        items = [
            FeedbackItem(cast.upload(files).manifests[0], submission=row.pk)
            if row.pk % 2
            else FeedbackItem(cast.upload(files).manifests[0], student=row.student.username, timestamp=row.created)
            for row, files in zip(rows, contents, strict=True)
        ]
        sent = [one for files in contents for one in cast.upload(files).sent]
        by = actor("alice")
        with CaptureQueriesContext(connection) as captured:
            returned, _ = services.return_feedback(assignment, items, Upload([i.entries for i in items], sent), by=by)
        assert len(returned) == count
        assert [b"".join(bytes_of(row)) for row in returned] == [files["ps1.html"] for files in contents]
        return len(captured)

    assert queries(4) == queries(100) < 30


def test_feedback_that_is_returned_already_is_answered_again_and_changes_nothing(submission):
    ((feedback,), _) = give(submission.assignment, item(HTML, submission=submission.pk))
    before = {**cast.everything(), "Blob": None}  # which is marked as in use
    twice = [item(HTML, submission=submission.pk)] * 2
    assert give(submission.assignment, *twice, username="alice") == ([feedback, feedback], [])
    assert {**cast.everything(), "Blob": None} == before
    other = cast.return_feedback(submission, "gina", b"better")
    ((again,), _) = give(submission.assignment, item(HTML, submission=submission.pk))
    assert Feedback.objects.count() == 3 and again.file_set == feedback.file_set != other.file_set


@pytest.mark.django_db(transaction=True)
def test_of_two_who_return_the_same_feedback_at_once_the_second_finds_it_returned(settings):
    settings.NGSHARE_MAIL = {Kind.FEEDBACK_RETURNED}
    assignment = release(cast.make_courses()).assignment
    rows = [submit(assignment), submit(assignment, "dave"), submit(assignment)]
    barrier, results = Barrier(2), []

    def run(username, order):
        upload = cast.upload(HTML)
        items = [item(HTML, submission=row.pk) for row in order]

        def arrive():
            yield from upload.sent
            barrier.wait(timeout=30)

        try:
            sent = Upload([each.entries for each in items], arrive())
            results.append(services.return_feedback(assignment, items, sent, by=actor(username)))
        finally:
            connection.close()

    threads = [Thread(target=run, args=each) for each in (("alice", rows), ("gina", rows[::-1]))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (first, second), pks = results, {row.pk for row in rows}
    assert {row.submission_id for row in first[0]} == {row.submission_id for row in second[0]} == pks
    assert set(first[0]) == set(second[0]) == set(Feedback.objects.all()) and Feedback.objects.count() == 3
    assert Event.objects.filter(kind=Kind.FEEDBACK_RETURNED).count() == 3
    assert AuditEntry.objects.filter(action="return feedback").count() == 1


def bytes_of(feedback):
    blob = feedback.file_set.entries.select_related("blob").get().blob
    return blobs.read(blob.sha256, length=blob.size)


def test_equal_feedback_on_several_is_one_file_set_whose_bytes_count_once(assignment):
    rows = [cast.submit(assignment, "bob"), cast.submit(assignment, "dave")]
    before = Course.objects.get(pk=assignment.course.pk).stored_bytes
    upload = cast.upload({"ps1.html": b"well done"})
    items = [FeedbackItem(upload.manifests[0], submission=row.pk) for row in rows]
    upload.manifests = [item.entries for item in items]
    returned, _ = services.return_feedback(assignment, items, upload, by=actor("alice"))
    assert returned[0].file_set == returned[1].file_set
    assert [row.new_bytes for row in returned] == [9, 0]
    assert Course.objects.get(pk=assignment.course.pk).stored_bytes == before + 9


def test_nothing_returned_is_not_audited(submission):
    before = cast.everything()
    upload = cast.upload({})
    services.return_feedback(submission.assignment, [], upload, by=actor("gina"))
    assert cast.everything() == before


def find_submission(assignment, wanted):
    (found,) = services.find_submissions(assignment, [wanted])
    if isinstance(found, NotFound):
        raise found
    return found


def test_submission_is_found_by_student_and_time(submission):
    where = {"student": "bob", "timestamp": submission.created}
    assert find_submission(submission.assignment, item(HTML, **where)) == submission
    for wrong in (where | {"student": "dave"}, where | {"timestamp": submission.created + TICK}, {"student": "bob"}):
        with pytest.raises(NotFound):
            find_submission(submission.assignment, item(HTML, **wrong))


def test_submission_of_another_assignment_is_not_found(submission):
    other = release(submission.assignment.course, "ps2").assignment
    for where in ({"submission": submission.pk}, {"student": "bob", "timestamp": submission.created}):
        with pytest.raises(NotFound):
            find_submission(other, item(HTML, **where))
    assert not Feedback.objects.exists()


@pytest.mark.parametrize("time", [datetime.max, datetime.max.replace(microsecond=0), datetime.min])
def test_time_at_an_end_of_the_calendar_finds_nothing(submission, time):
    with pytest.raises(NotFound):
        find_submission(submission.assignment, item(HTML, student="bob", timestamp=time.replace(tzinfo=UTC)))


def test_time_without_microseconds_finds_the_only_one_of_that_second(submission):
    noon = datetime(2026, 11, 3, 12, tzinfo=UTC)
    find = item(HTML, student="bob", timestamp=noon)
    for microseconds in (1, 999_999):
        Submission.objects.update(created=noon + timedelta(microseconds=microseconds))
        assert find_submission(submission.assignment, find) == submission
    Submission.objects.update(created=noon + timedelta(seconds=1))
    with pytest.raises(NotFound):
        find_submission(submission.assignment, find)
    with pytest.raises(NotFound):  # a time with microseconds is exact
        find_submission(submission.assignment, item(HTML, student="bob", timestamp=noon + TICK))
    Submission.objects.update(created=noon + TICK)
    second = submit(submission.assignment)
    Submission.objects.filter(pk=second.pk).update(created=noon + 2 * TICK)
    with pytest.raises(NotFound):
        find_submission(submission.assignment, find)
    Submission.objects.filter(pk=second.pk).update(created=noon)
    assert find_submission(submission.assignment, find) == second


def test_nobody_is_an_actor_who_may_do_nothing(submission):
    with pytest.raises(PermissionDenied):
        services.submit(submission.assignment, cast.upload(WORK), by=Actor())


# Permanent deletion; tests/courses/test_trash.py has more


def delete_assignment(submission, username):
    return services.delete_assignment_permanently(submission.assignment, by=actor(username))


def delete_submission(submission, username):
    return services.delete_submission_permanently(submission, by=actor(username))


@pytest.mark.parametrize("delete", [delete_assignment, delete_submission])
def test_what_was_restored_meanwhile_is_not_deleted(submission, delete):
    submission.withdrawn_at = submission.assignment.withdrawn_at = timezone.now()  # as a page read it before
    before = cast.everything()
    with pytest.raises(Conflict):
        delete(submission, "root")
    assert cast.everything() == before


def test_due_date_of_an_assignment_that_was_deleted_meanwhile_is_refused(assignment):
    Assignment.objects.filter(pk=assignment.pk).delete()
    before = cast.everything()
    with pytest.raises(NotFound, match="ps1 was deleted meanwhile"):
        services.set_due_date(assignment, timezone.now(), by=actor("alice"))
    assert cast.everything() == before


def test_files_that_were_compared_with_an_older_release_meanwhile_are_no_submission(assignment):
    def release_again():
        services.release(assignment.course, "ps1", cast.upload(WORK), by=actor("alice"), force=True)

    compared_with = assignment.latest_release
    with pytest.raises(services.ReleaseChanged):
        services.submit(assignment, while_it_arrives(release_again), by=actor("bob"), compared_with=compared_with)
    assert not Submission.objects.exists()
