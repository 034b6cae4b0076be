"""Lists of the server, kept for one click.

For one request of a browser, formgrader requests the same list several times, each time with a new object. So lists are
kept while such a request is answered, if whoever answers it calls `begin_click`. An error is kept, too, or a click
would wait for the same time-out again and again. Elsewhere nothing is kept: a list is never older than the click.
"""

from collections.abc import Callable, Hashable
from contextvars import ContextVar

from .errors import ServiceError

Outcome = list[object] | ServiceError

_outcomes: ContextVar[dict[Hashable, Outcome] | None] = ContextVar("lists of this click", default=None)


def begin_click() -> None:
    """Keep lists in the running task, and in threads that it starts with its context, until the task ends."""
    _outcomes.set({})


def is_click() -> bool:
    return _outcomes.get() is not None


def failure() -> ServiceError | None:
    """Return why a list of this click could not be loaded; None if none failed."""
    errors = [outcome for outcome in (_outcomes.get() or {}).values() if isinstance(outcome, ServiceError)]
    return errors[0] if errors else None


def get(key: Hashable, load: Callable[[], list[object]]) -> list[object]:
    """Return the list named by `key`, as it was loaded for this click, or is now. Callers must not change it."""
    outcomes = _outcomes.get()
    if outcomes is None:
        return load()
    if key not in outcomes:
        outcomes[key] = _load(load)
    outcome = outcomes[key]
    if isinstance(outcome, ServiceError):
        raise outcome.with_traceback(None)
    return outcome


def _load(load: Callable[[], list[object]]) -> Outcome:
    try:
        return load()
    except ServiceError as error:
        return error


def forget() -> None:
    """Forget the lists of this click: something was changed."""
    outcomes = _outcomes.get()
    if outcomes is not None:
        outcomes.clear()
