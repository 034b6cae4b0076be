"""Giving feedback to many at once."""

import pytest

from courses.timestamps import format_timestamp
from exchange import services
from exchange.models import Feedback
from tests import cast
from tests.api_v2.conftest import WORK
from tests.cast import of_assignment, post_bundle, v2

FEEDBACK = of_assignment("feedback")
HTML = {"ps1.html": b"<p>9 of 10</p>"}


def give(who, *places, files=HTML):
    items = [{**place, "files": cast.manifest(files)} for place in places]
    return post_bundle(cast.client(who), FEEDBACK, cast.bundle(files, feedback=items))


def seen_by(who):
    (row,) = cast.client(who).get(v2("submissions"), {"mine": "true"}).json()["results"]
    return row["feedback"]


def test_feedback_reaches_the_student(submission):
    answer = give("gina", {"submission": submission.pk})
    place = {"submission": submission.pk, "student": "bob", "timestamp": format_timestamp(submission.created)}
    assert answer.json() == {"returned": [place], "refused": []}
    assert seen_by("bob")["files"] == cast.manifest(HTML)


def test_submission_is_found_by_student_and_instant(submission):
    assert give("alice", {"student": "bob", "timestamp": format_timestamp(submission.created)}).json()["refused"] == []
    assert seen_by("bob")


def test_instant_without_its_fraction_finds_the_only_one_of_that_second(submission):
    whole = format_timestamp(submission.created.replace(microsecond=0))
    assert give("alice", {"student": "bob", "timestamp": whole}).json()["refused"] == []


def test_later_feedback_replaces_and_earlier_is_kept(submission):
    give("alice", {"submission": submission.pk})
    give("alice", {"submission": submission.pk}, files={"ps1.html": b"10 of 10"})
    assert seen_by("bob")["files"] == cast.manifest({"ps1.html": b"10 of 10"})
    assert Feedback.objects.count() == 2


def test_one_that_cannot_be_placed_does_not_stop_the_others(submission):
    nowhere = {"student": "dave", "timestamp": "2026-01-01T00:00:00.000000Z"}
    answer = give("alice", nowhere, {"submission": submission.pk}, {"submission": 999_999}).json()
    assert [one["submission"] for one in answer["returned"]] == [submission.pk]
    assert [(one["student"], one["submission"], one["code"]) for one in answer["refused"]] == [
        ("dave", None, "not_found"),
        (None, 999_999, "not_found"),
    ]
    assert seen_by("bob")


def test_submission_of_another_course_is_not_found(submission):
    other = services.release(
        cast.Course.objects.get(name=cast.ELSEWHERE), "ps1", cast.upload(WORK), by=cast.actor("carol")
    ).assignment
    foreign = services.submit(other, cast.upload(WORK), by=cast.actor("carol"))[0]
    assert give("alice", {"submission": foreign.pk}).json()["returned"] == []
    assert not Feedback.objects.exists()


@pytest.mark.parametrize("withdrawn", [False, True])
def test_feedback_needs_no_released_assignment(submission, withdrawn):
    if withdrawn:
        services.withdraw(submission.assignment, by=cast.actor("alice"))
    assert give("alice", {"submission": submission.pk}).json()["refused"] == []
    assert seen_by("bob")


def test_feedback_to_someone_who_left_arrives(submission):
    submission.assignment.course.memberships.filter(user__username="bob").delete()
    assert give("alice", {"submission": submission.pk}).json()["refused"] == []
    assert seen_by("bob")
