"""Whose submissions change state, as pages show it before a change is saved."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass

from django.http import HttpRequest, HttpResponseBase
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from courses.admin.base import BaseAdmin, M
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


class AsksFirst(BaseAdmin[M]):
    """A page whose saving may raise StatesWouldChange: it is taken back, shown, and sent again with what was seen."""

    def changeform_view(  # type: ignore[override]
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, object] | None = None,
    ) -> HttpResponseBase:
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except StatesWouldChange as unconfirmed:
            return self.ask_first(request, object_id, unconfirmed.preview)

    def ask_first(self, request: HttpRequest, object_id: str | None, preview: StatePreview) -> TemplateResponse:
        sent = [(name, value) for name, values in request.POST.lists() for value in values]
        context = {
            **self.admin_site.each_context(request),
            "title": _("Whose submissions change state"),
            "opts": self.opts,
            "original": self.get_object(request, object_id or ""),
            "preview": preview,
            "note": _("The states have changed since you looked.") if "seen" in request.POST else "",
            "sent": [pair for pair in sent if pair[0] not in ("csrfmiddlewaretoken", "seen")],
            "media": self.media,
        }
        return TemplateResponse(request, "admin/ngshare/confirm_states.html", context)
