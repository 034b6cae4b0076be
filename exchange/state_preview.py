"""Whose submissions change state, as pages show it before a change is saved."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass

from django.utils.translation import gettext as _

from exchange.services import StateChange
from exchange.services.deadlines import State

MAX_SHOWN = 100


class StatesWouldChange(Exception):
    """Ends the transaction of a change that nobody has confirmed yet."""

    def __init__(self, preview: "StatePreview") -> None:
        super().__init__()
        self.preview = preview


@dataclass(frozen=True)
class StatePreview:
    """The people whose submissions change state."""

    changes: Sequence[StateChange]

    @classmethod
    def of(cls, rounds: Iterable[Sequence[StateChange]]) -> "StatePreview":
        """Return what several changes do together, one after the other."""
        whole: dict[str, StateChange] = {}
        for changes in rounds:
            for change in changes:
                first = whole.get(change.username, change)
                whole[change.username] = StateChange(change.username, first.before, change.after)
        return cls([change for _name, change in sorted(whole.items()) if change.before != change.after])

    @property
    def digest(self) -> str:
        """Identify the changes, to tell later whether they are still those that were shown. Empty without any."""
        rows = [astuple(change) for change in self.changes]
        return hashlib.sha256(json.dumps(rows).encode()).hexdigest() if rows else ""

    def require_seen(self, seen: str) -> None:
        """Errors: StatesWouldChange, unless there is nothing to show or it was shown."""
        if self.digest not in ("", seen):
            raise StatesWouldChange(self)

    @property
    def lines(self) -> list[str]:
        """The changes as `bob: late → submitted`."""
        return [
            f"{each.username}: {describe(each.before)} → {describe(each.after)}" for each in self.changes[:MAX_SHOWN]
        ]

    @property
    def hidden_count(self) -> int:
        return max(0, len(self.changes) - MAX_SHOWN)


def describe(state: State) -> str:
    """
    >>> describe(State(late=True)), describe(State(late=None, closed=True))
    ('late', 'not submitted, closed')
    """
    word = {None: _("not submitted"), False: _("submitted"), True: _("late")}[state.late]
    return _("%(state)s, closed") % {"state": word} if state.closed else word
