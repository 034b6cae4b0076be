"""What is late: the rule in Python, and that the one in SQL is the same."""

from datetime import UTC, datetime, timedelta

import pytest

from exchange import deadlines, services
from exchange.models import Submission
from tests.cast import actor

NOON = datetime(2026, 11, 3, 12, tzinfo=UTC)
TICK = timedelta(microseconds=1)
CASES = [(NOON - TICK, True), (NOON, False), (NOON + TICK, False), (None, False)]


@pytest.mark.parametrize(("due", "late"), CASES)
def test_late_is_what_came_after_the_due_date(due, late):
    assert deadlines.is_late(NOON, due) is late


@pytest.mark.parametrize(("due", "late"), CASES)
def test_database_decides_as_python_does(submission, due, late):
    Submission.objects.update(created=NOON)
    services.set_due_date(submission.assignment, due, by=actor("alice"))
    assert Submission.objects.filter(deadlines.LATE).exists() is late
    assert Submission.objects.exclude(deadlines.LATE).exists() is not late
    assert Submission.objects.get().late is late
