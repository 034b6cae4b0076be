"""Trying a request again: the one loop that does it, and the rule for when it is safe.

Neither urllib3's `Retry` nor a status code can decide this: whether the server has acted may stand in the body of its
error (`code`), a connection may break in the middle of a body, and a download goes on with what is still missing.
"""

import logging
import random
import time
from collections.abc import Callable
from typing import TypeVar

from .errors import ErrorResponse, NotConnected, ServiceError, Unreachable

FIRST_PAUSE = 0.5  # seconds before the first repeat; doubles each time, with jitter
LONGEST_PAUSE = 30.0  # seconds, also when the server's Retry-After asks for more
LONGEST_WAIT = 20.0  # seconds for which somebody is kept waiting after a 429
NOTHING_DONE = {
    "busy",
    "hub_unreachable",
    "throttled",
}  # codes sent before the server acts: a repeat is always safe (docs/api.md)

Result = TypeVar("Result")


def retry(
    attempt: Callable[[], Result],
    *,
    attempts: int,
    log: logging.Logger,
    repeatable: bool = True,
    has_progressed: Callable[[], bool] = lambda: False,
) -> Result:
    """Return what `attempt` returns; after a ServiceError that may_repeat allows, try again, `attempts` times at most.

    An attempt that failed, but of which `has_progressed` is true, does not count.
    """
    remaining, pause = attempts, FIRST_PAUSE
    while True:
        try:
            return attempt()
        except ServiceError as error:
            remaining = attempts if has_progressed() else remaining - 1
            if remaining <= 0 or not may_repeat(error, repeatable=repeatable):
                raise
            wait = min(max(pause * random.uniform(0.5, 1.5), error.retry_after), LONGEST_PAUSE)
            log.debug("%s Trying again in %.1f s.", error, wait)
        time.sleep(wait)
        pause *= 2


def may_repeat(error: ServiceError, *, repeatable: bool) -> bool:
    """Return whether a repeat can do no harm; `repeatable` requests may even reach the server twice."""
    if isinstance(error, ErrorResponse):
        if error.status == 429 and error.retry_after > LONGEST_WAIT:
            return False  # the person at the keyboard shall not wait for that: the error says when to try again
        return error.code in NOTHING_DONE or (repeatable and error.is_temporary)
    return isinstance(error, NotConnected) or (repeatable and isinstance(error, Unreachable))
