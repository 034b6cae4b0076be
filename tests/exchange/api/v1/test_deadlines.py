"""Deadlines hold for clients of API v1, too, in its own shape of errors."""

from datetime import timedelta

import pytest
from django.utils import timezone

from exchange.models import Assignment, Extension, Submission
from tests.cast import COURSE, everything, person
from tests.exchange.api.v1.wire import WORK, get, post

HOUR = timedelta(hours=1)


def submit(who):
    return post(who, "submission", COURSE, "ps1", **WORK)


@pytest.mark.parametrize(
    ("deadlines", "sentence"),
    [
        ({"cut_off": "2026-10-25T00:30:00Z"}, "ps1 closed at 2026-10-25 00:30 UTC; nothing is accepted after that."),
        ({"max_attempts": 1}, "You have submitted ps1 1 time, and the limit is 1. What you submitted is kept."),
    ],
)
def test_refusal_is_a_409_with_the_sentence(submission, deadlines, sentence):
    Assignment.objects.update(**deadlines)
    before = everything()
    assert submit("bob") == (409, {"success": False, "message": sentence})
    assert everything() == before
    assert submit("gina")[0] == 200


def test_extension_lets_one_submit(assignment):
    Assignment.objects.update(cut_off=timezone.now() - HOUR)
    later = timezone.now() + HOUR
    Extension.objects.create(assignment=assignment, user=person("bob"), cut_off=later, created=timezone.now())
    assert (submit("bob")[0], submit("dave")[0]) == (200, 409)
    assert Submission.objects.count() == 1


def test_before_its_release_time_an_assignment_is_there_for_staff_alone(assignment):
    Assignment.objects.update(release_at=timezone.now() + HOUR)
    assert get("bob", "assignments", COURSE)[1]["assignments"] == []
    assert get("gina", "assignments", COURSE)[1]["assignments"] == ["ps1"]
    assert get("bob", "assignment", COURSE, "ps1") == (404, {"success": False, "message": "Assignment not found"})
    assert get("gina", "assignment", COURSE, "ps1")[0] == 200
    assert submit("bob")[0] == 404
    Assignment.objects.update(release_at=timezone.now())
    assert get("bob", "assignments", COURSE)[1]["assignments"] == ["ps1"] and submit("bob")[0] == 200
