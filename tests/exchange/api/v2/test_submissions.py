"""Handing in, listing what was handed in, receipts."""

import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from courses import services as course_services
from courses.models import AuditEntry
from courses.permissions import SERVER
from exchange import services
from exchange.models import FileSet, Submission
from tests import cast
from tests.cast import PS1, WORK, of_assignment, post_bundle, v2

SUBMISSIONS = of_assignment("submissions")


def submit(who, files=WORK, key=None, **manifest):
    headers = {"Idempotency-Key": key} if key else {}
    return post_bundle(cast.client(who), SUBMISSIONS, cast.bundle(files, **manifest), **headers)


def listed(who, address=None, **query):
    return cast.client(who).get(address or v2("submissions"), query).json()["results"]


def test_submit_answers_a_receipt_that_verifies(assignment, bob):
    answer = submit("bob")
    receipt = answer.json()
    assert answer.status_code == 201
    assert receipt["course"] == cast.COURSE and receipt["assignment"] == "ps1" and receipt["release"] == 1
    assert receipt["student"] == receipt["submitted_by"] == "bob" and receipt["due"] is None
    assert receipt["file_count"] == 2 and receipt["size"] == sum(map(len, WORK.values()))
    verdict = bob.post(v2("receipts", "verify"), receipt, format="json").json()
    assert verdict["valid"] is True
    assert bob.get(v2("submissions", receipt["id"], "receipt")).json() == receipt


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("student", "dave"),
        ("timestamp", "2026-01-01T00:00:00.000000Z"),
        ("late", True),
        ("signature", "ü:x"),
        ("extra", 1),
    ],
)
def test_changed_receipt_does_not_verify(submission, bob, field, value):
    receipt = bob.get(v2("submissions", submission.pk, "receipt")).json()
    verdict = bob.post(v2("receipts", "verify"), receipt | {field: value}, format="json")
    assert verdict.status_code == 200 and verdict.json()["valid"] is False


@pytest.mark.parametrize("receipt", [{}, {"signature": None}, {"id": 1, "signature": "x" * 10_000}])
def test_what_is_no_receipt_does_not_verify(course, bob, receipt):
    assert bob.post(v2("receipts", "verify"), receipt, format="json").json()["valid"] is False


def test_receipt_outlives_secret_key_rotation(submission, bob, settings):
    receipt = bob.get(v2("submissions", submission.pk, "receipt")).json()
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another"
    assert bob.post(v2("receipts", "verify"), receipt, format="json").json()["valid"] is True


def test_repeat_with_the_same_key_is_the_same_submission(assignment):
    first, second = submit("bob", key="attempt-1"), submit("bob", key="attempt-1")
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()
    assert Submission.objects.count() == 1


def test_repeat_after_withdrawal_still_gives_the_receipt(assignment):
    first = submit("bob", key="attempt-1")
    services.unrelease(assignment, by=cast.actor("alice"))
    assert submit("bob", key="attempt-1").json() == first.json()


def test_same_key_for_other_files_is_refused(assignment):
    submit("bob", key="attempt-1")
    answer = submit("bob", files=PS1, key="attempt-1")
    assert (answer.status_code, answer.json()["code"]) == (409, "key_reused")
    assert Submission.objects.count() == 1


def test_the_same_key_of_another_student_is_another_attempt(assignment):
    assert submit("bob", key="k").status_code == submit("dave", key="k").status_code == 201


@pytest.mark.parametrize("key", ["", "has space", "x" * 201, "ü"])
def test_malformed_key_is_refused(assignment, bob, key):
    answer = bob.post(SUBMISSIONS, cast.bundle(WORK), content_type="application/x-tar", HTTP_IDEMPOTENCY_KEY=key)
    assert answer.status_code == 400
    assert not Submission.objects.exists()


def test_every_attempt_is_kept_and_instants_differ(assignment):
    receipts = [submit("bob").json() for _ in range(3)]
    assert len({receipt["timestamp"] for receipt in receipts}) == 3
    assert len(listed("bob", mine="true")) == 3


def test_clock_that_goes_back_does_not_reorder_attempts(submission):
    Submission.objects.update(created=timezone.now() + timedelta(hours=1))
    later = submit("bob").json()
    assert listed("alice", latest="true")[0]["id"] == later["id"]


def test_same_tree_rests_once(assignment):
    submit("bob"), submit("dave")
    assert Submission.objects.values("file_set").distinct().count() == 1
    assert FileSet.objects.count() == 2  # the release and the work


def test_student_hands_in_after_withdrawal_is_refused(assignment):
    services.unrelease(assignment, by=cast.actor("alice"))
    answer = submit("bob")
    assert answer.status_code == 404 and "not released" in answer.json()["message"]


def test_grader_hands_in_for_a_student_and_it_says_so(assignment):
    receipt = submit("gina", student="bob").json()
    assert (receipt["student"], receipt["submitted_by"], receipt["trial"]) == ("bob", "gina", False)
    assert [row["id"] for row in listed("bob")] == [receipt["id"]]


def test_handing_in_for_a_stranger_is_refused(assignment):
    answer = submit("alice", student="erin")
    assert answer.status_code == 404
    assert not Submission.objects.exists()


def test_instructors_own_attempt_is_a_trial_and_not_collected(assignment):
    assert submit("alice").json()["trial"] is True
    assert listed("alice") == []
    assert len(listed("alice", mine="true")) == len(listed("gina", trials="true")) == 1


def test_late_is_after_the_due_date(submission, alice):
    services.set_due_date(submission.assignment, submission.created - timedelta(seconds=1), by=cast.actor("alice"))
    assert [row["late"] for row in listed("bob")] == [True]


def test_latest_before_due_prefers_what_is_in_time(assignment):
    in_time = submit("bob").json()["id"]
    services.set_due_date(assignment, timezone.now(), by=cast.actor("alice"))
    late = submit("bob", files=PS1).json()["id"]
    only_late = submit("dave").json()["id"]
    assert {row["id"] for row in listed("alice", latest="true")} == {late, only_late}
    assert {row["id"] for row in listed("alice", latest="true", before_due="true")} == {in_time, only_late}


def test_latest_is_right_on_every_page(assignment):
    first, second = submit("bob").json()["id"], submit("dave").json()["id"]
    newest = submit("bob", files=PS1).json()["id"]
    found, address = [], v2("submissions") + "?latest=true&page_size=1"
    while address:
        page = cast.client("alice").get(address).json()
        found += [row["id"] for row in page["results"]]
        address = page["next"]
    assert found == [second, newest] and first not in found


def test_withdrawn_by_staff_stays_with_the_student(submission, alice):
    answer = alice.post(v2("submissions", "withdraw"), {"ids": [submission.pk]}, format="json")
    assert answer.json() == {"changed": 1}
    assert listed("alice") == [] and len(listed("alice", withdrawn="true")) == 1
    assert [row["id"] for row in listed("bob")] == [submission.pk]
    assert alice.post(v2("submissions", "restore"), {"ids": [submission.pk]}, format="json").json() == {"changed": 1}
    assert len(listed("alice")) == 1


def test_ids_of_which_one_is_not_for_me_change_nothing(submission, alice):
    other = services.release(
        cast.Course.objects.get(name=cast.ELSEWHERE), "x", cast.upload(PS1), by=cast.actor("carol")
    ).assignment
    foreign = services.submit(other, cast.upload(WORK), by=cast.actor("carol"))[0]
    ids = [submission.pk, foreign.pk]
    for verb in ("withdraw", "collected"):
        assert alice.post(v2("submissions", verb), {"ids": ids}, format="json").status_code == 404
    assert not Submission.objects.exclude(withdrawn_at=None, collected_at=None).exists()


def test_collected_is_noted_once(submission, alice):
    address = v2("submissions", "collected")
    assert alice.post(address, {"ids": [submission.pk]}, format="json").json() == {"changed": 1}
    assert alice.post(address, {"ids": [submission.pk]}, format="json").json() == {"changed": 0}
    assert listed("bob")[0]["collected"] is not None


def test_release_again_keeps_submissions(submission):
    services.release(submission.assignment.course, "ps1", cast.upload(WORK), by=cast.actor("alice"), force=True)
    assert [row["release"] for row in listed("alice")] == [1]
    assert submit("bob").json()["release"] == 2


def test_student_who_left_keeps_their_work_and_staff_see_it(submission):
    submission.assignment.course.memberships.filter(user__username="bob").delete()
    assert len(listed("bob")) == len(listed("alice")) == 1
    assert submit("bob").status_code == 403


@pytest.fixture(params=["unreleased", "left", "in the trash"])
def closed(two_courses, request):
    """bob's submission with feedback, to what is not open to him any more."""
    submission = two_courses["submission"]
    course = submission.assignment.course
    if request.param == "unreleased":
        services.unrelease(submission.assignment, by=cast.actor("alice"))
    elif request.param == "left":
        course.memberships.filter(user__username="bob").delete()
    else:
        course_services.trash_course(course, by=SERVER)
    return submission


def test_students_find_everything_that_they_ever_submitted(closed, bob):
    (row,) = listed("bob", mine="true", removed="true", files="true")
    assert row["id"] == closed.pk and row["feedback"]["files"]
    assert bob.get(v2("submissions", closed.pk)).json()["files"] == row["files"]
    assert bob.get(v2("submissions", closed.pk, "receipt")).json()["id"] == closed.pk
    for file in row["files"] + row["feedback"]["files"]:
        assert len(b"".join(bob.get(v2("blobs", file["sha256"])).streaming_content)) == file["size"]


@pytest.mark.parametrize("who", ["dave", "carol", "erin"])
def test_nobody_else_finds_it(closed, who):
    other = cast.client(who)
    assert closed.pk not in [row["id"] for row in listed(who, mine="true", removed="true")]
    for address in (v2("submissions", closed.pk), v2("submissions", closed.pk, "receipt")):
        assert other.get(address).status_code == 404
    assert other.get(v2("blobs", cast.sha256(WORK["ps1.ipynb"]))).status_code == 404


def test_course_in_the_trash_is_closed_to_its_staff_and_in_no_other_list(submission, bob):
    course_services.trash_course(submission.assignment.course, by=SERVER)
    for who in ("alice", "gina", "root"):
        assert listed(who) == [] and cast.client(who).get(v2("submissions", submission.pk)).status_code == 404
    assert listed("bob") == listed("bob", mine="true") == []
    assert bob.get(v2("submissions"), {"removed": "true"}).status_code == 400


def test_trials_are_listed_alone_where_only_they_are_asked_for(submission):
    trial = cast.submit(submission.assignment, "gina")
    assert [row["id"] for row in listed("alice", trials="only")] == [trial.pk]
    assert [row["id"] for row in listed("alice", trials="true")] == [submission.pk, trial.pk]
    assert listed("bob", trials="only") == []


def test_list_of_an_assignment_has_its_own_submissions_alone(two_courses):
    other = services.release(two_courses["course"], "ps2", cast.upload(PS1), by=cast.actor("alice")).assignment
    cast.submit(other, "bob")
    for who in ("bob", "alice", "root"):
        assert [row["id"] for row in listed(who, SUBMISSIONS)] == [two_courses["submission"].pk]


def test_list_rows_show_what_lists_need(submission, alice):
    (row,) = listed("alice", files="true")
    assert row["notebooks"] == [{"notebook_id": "ps1", "path": "ps1.ipynb"}]
    assert row["files"] == cast.manifest(WORK) and row["feedback"] is None
    assert "files" not in listed("alice")[0] and listed("alice")[0]["notebooks"] == row["notebooks"]


def test_lists_make_a_constant_number_of_queries(assignment, django_assert_max_num_queries):
    for number in range(12):
        name = f"s{number}"
        cast.enrol(assignment.course, name, "student")
        made = services.submit(assignment, cast.upload({"ps1.ipynb": name.encode()}), by=cast.actor(name))[0]
        item = services.FeedbackItem(entries=cast.upload({"ps1.html": b"good"}).manifests[0], submission=made.pk)
        services.return_feedback(assignment, [item], given(item), by=cast.actor("alice"))
    with django_assert_max_num_queries(12):
        rows = listed("alice", files="true", latest="true")
    assert len(rows) == 12 and all(row["feedback"]["files"] for row in rows)
    with django_assert_max_num_queries(8):
        assert len(cast.client("bob").get(v2("assignments")).json()["results"]) == 1


def given(item):
    whole = cast.upload({"ps1.html": b"good"})
    whole.manifests = [item.entries]
    return whole


@pytest.mark.parametrize("query", ["mine=maybe", "id=1;2", "id=", "before_due=true", "latest=2", "id=" + "9" * 30])
def test_malformed_filter_is_refused(course, bob, query):
    assert bob.get(v2("submissions") + f"?{query}").status_code == 400


def test_each_act_leaves_one_line_in_the_audit_log(submission, alice):
    before = AuditEntry.objects.count()
    submit("dave")
    alice.post(v2("submissions", "collected"), {"ids": [submission.pk]}, format="json")
    alice.post(of_assignment("withdraw"))
    lines = AuditEntry.objects.order_by("id")[before:]
    assert [(line.actor, line.role, line.action, line.target) for line in lines] == [
        ("dave", "student", "submit", "ps1"),
        ("alice", "instructor", "collect", "ps1"),
        ("alice", "instructor", "unrelease", "ps1"),
    ]


@pytest.mark.django_db(transaction=True)
def test_two_racing_requests_with_one_key_are_one_submission(assignment):
    answers = []

    def race():
        answers.append(submit("bob", key="same"))
        connection.close()

    threads = [threading.Thread(target=race) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {answer.status_code for answer in answers} <= {200, 201}
    assert len({answer.json()["id"] for answer in answers}) == 1 == Submission.objects.count()
