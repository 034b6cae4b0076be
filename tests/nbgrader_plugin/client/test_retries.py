"""Which requests are repeated, how often, and after what pause."""

import logging

import pytest

from nbgrader_plugin.client import retries
from nbgrader_plugin.client.errors import ErrorResponse, InvalidResponse, NotConnected, ServiceError, Unreachable

LOG = logging.getLogger(__name__)


def refused(status, code=""):
    return ErrorResponse("No.", status=status, code=code)


@pytest.fixture
def pauses(monkeypatch):
    made = []
    monkeypatch.setattr(retries.time, "sleep", made.append)
    monkeypatch.setattr(retries.random, "uniform", lambda low, high: 1.0)
    return made


def run(errors, **options):
    """Return how many attempts are made if these errors come one after the other, and then success."""
    made, remaining = [], list(errors)

    def attempt():
        made.append(1)
        if remaining:
            raise remaining.pop(0)

    try:
        retries.retry(attempt, log=LOG, **{"attempts": 5, **options})
    except ServiceError:
        return -len(made)
    return len(made)


@pytest.mark.parametrize(
    "error", [refused(status) for status in (429, 502, 503, 504)] + [Unreachable(""), NotConnected("")]
)
def test_temporary_error_of_a_repeatable_request_is_repeated(pauses, error):
    assert run([error]) == 2


@pytest.mark.parametrize(
    "error", [refused(status) for status in (400, 401, 403, 404, 409, 413, 500)] + [InvalidResponse("")]
)
def test_other_errors_are_not_repeated(pauses, error):
    assert run([error]) == -1
    assert pauses == []


@pytest.mark.parametrize("error", [refused(503), refused(502), refused(429), Unreachable("")])
def test_request_that_may_have_acted_is_not_repeated(pauses, error):
    assert run([error], repeatable=False) == -1


@pytest.mark.parametrize(
    "error", [refused(503, "busy"), refused(503, "hub_unreachable"), refused(429, "throttled"), NotConnected("")]
)
def test_request_that_surely_has_not_acted_is_repeated(pauses, error):
    assert run([error], repeatable=False) == 2


def test_attempts_are_bounded_and_pauses_double(pauses):
    assert run([refused(503)] * 9, attempts=4) == -4
    assert pauses == [0.5, 1.0, 2.0]


def test_retry_after_is_honoured_up_to_a_bound(pauses):
    long, longer = refused(503), refused(503)
    long.retry_after, longer.retry_after = 7.0, 99_999.0
    assert run([long, longer]) == 3
    assert pauses == [7.0, 30.0]


def test_long_wait_after_too_many_requests_is_told_at_once(pauses):
    short, long = refused(429), refused(429)
    short.retry_after, long.retry_after = 3.0, 600.0
    assert run([short, long]) == -2
    assert pauses == [3.0]


def test_turn_of_a_token_that_the_service_has_not_seen_is_waited_for(pauses):
    throttled = refused(429, "throttled")
    throttled.retry_after = 15.0  # the most that the service asks for
    assert run([throttled], repeatable=False) == 2
    assert pauses == [15.0]


def test_attempt_that_progressed_does_not_count(pauses):
    progress = iter([True, True, True, False, False])
    assert run([Unreachable("")] * 9, attempts=2, has_progressed=lambda: next(progress)) == -5
