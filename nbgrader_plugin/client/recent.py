"""What the server has just said, kept for a few seconds.

nbgrader asks for the same list several times for one click (formgrader on each of its requests, the assignment list
twice for its courses), each time with a new object: so this is kept in the process. A failure is kept too, or a click
would wait for the same time-out again and again. Any act that changes something forgets it all.
"""

import threading
import time
from collections.abc import Callable, Hashable

from .errors import ServiceError

SECONDS = 3.0  # how long an answer counts as fresh
LIMIT = 100  # answers

_lock = threading.Lock()
_answers: dict[Hashable, tuple[float, object]] = {}  # until when (monotonic), and an answer or a ServiceError


def ask(key: Hashable, question: Callable[[], object]) -> object:
    """The fresh answer to the question named by `key`, asking if there is none. Callers must not change it."""
    with _lock:
        expires, answer = _answers.get(key, (0.0, None))
    if time.monotonic() >= expires:
        answer = _answer(question)
        with _lock:
            if len(_answers) >= LIMIT:
                _answers.clear()
            _answers[key] = (time.monotonic() + SECONDS, answer)
    if isinstance(answer, ServiceError):
        raise answer.with_traceback(None)
    return answer


def _answer(question: Callable[[], object]) -> object:
    try:
        return question()
    except ServiceError as error:
        return error


def forget() -> None:
    with _lock:
        _answers.clear()
