"""Lists of the server, kept for a few seconds.

nbgrader requests the same list several times for one click (formgrader on each of its requests, the assignment list
twice for its courses), each time with a new object: so they are kept in the process. An error is kept too, or a click
would wait for the same time-out again and again. Any request that changes something empties this memory.
"""

import threading
import time
from collections.abc import Callable, Hashable

from .errors import ServiceError

SECONDS = 3.0  # how long a list counts as fresh
LIMIT = 100  # lists

Outcome = list[object] | ServiceError

_lock = threading.Lock()
_outcomes: dict[Hashable, tuple[float, Outcome]] = {}  # until when (monotonic), and the list or the error


def get(key: Hashable, load: Callable[[], list[object]]) -> list[object]:
    """Return the fresh list named by `key`, loading it if there is none. Callers must not change it."""
    with _lock:
        expires, outcome = _outcomes.get(key, (0.0, []))
    if time.monotonic() >= expires:
        outcome = _load(load)
        with _lock:
            if len(_outcomes) >= LIMIT:
                _outcomes.clear()
            _outcomes[key] = (time.monotonic() + SECONDS, outcome)
    if isinstance(outcome, ServiceError):
        raise outcome.with_traceback(None)
    return outcome


def _load(load: Callable[[], list[object]]) -> Outcome:
    try:
        return load()
    except ServiceError as error:
        return error


def forget() -> None:
    with _lock:
        _outcomes.clear()
