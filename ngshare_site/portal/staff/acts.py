"""Acts that are confirmed on a page that says what they change.

What was entered waits in the session, and the page of the confirmation has an address: so Back and reload never send a
form again, and a second click does what is done already.
"""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect, QueryDict
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from courses.errors import DomainError
from courses.permissions import Permission
from courses.templatetags.times import local
from exchange import services
from exchange.services import StateChange
from exchange.state_preview import StatePreview, StatesWouldChange
from ngshare_site.portal.staff.base import StaffPage

PENDING = "pending"  # in a session: what was entered and not confirmed yet, {token: query string}
MAX_PENDING = 10


@dataclass(frozen=True)
class Act:
    """Something to be confirmed."""

    heading: str
    lines: Sequence[str]  # what it changes, in sentences
    button: str
    done: str  # what is said when it is done
    run: Callable[[], Sequence[StateChange]]  # which returns whose state it changes
    changes_states: bool = True  # for some


class ActView(StaffPage):
    """A page that asks first (GET) and acts (POST)."""

    template_name = "ngshare/staff/confirm.html"
    http_method_names = ["get", "head", "post"]

    def make_act(self) -> Act:
        raise NotImplementedError

    @property
    def back(self) -> str:
        """Where to go afterwards, and without acting."""
        return self.home

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self._ask(self.make_act())

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        act = self.make_act()
        try:
            _run(act, request.POST.get("seen", ""))
        except StatesWouldChange:
            messages.warning(request, _("The states have changed since you looked. Nothing is changed yet."))
            return redirect(request.get_full_path())
        except DomainError as error:
            messages.error(request, error.message)
            return redirect(self.back)
        messages.success(request, act.done)
        return redirect(self.back)

    def _ask(self, act: Act) -> HttpResponse:
        try:
            preview, refusal = _preview(act), ""
        except DomainError as error:
            preview, refusal = StatePreview([]), error.message
        return self.render_to_response(self.get_context_data(act=act, preview=preview, refusal=refusal, back=self.back))


def _run(act: Act, seen: str) -> None:
    """Act, all or nothing. Errors: StatesWouldChange, unless it was seen whose states change; DomainError."""
    with transaction.atomic():
        StatePreview.of([act.run()]).require_seen(seen)


def _preview(act: Act) -> StatePreview:
    """Return whose states it would change, by doing it and taking it back. Errors: DomainError."""
    with transaction.atomic():
        preview = StatePreview.of([act.run()])
        transaction.set_rollback(True)
    return preview


def keep_for_confirmation(request: HttpRequest, address: str) -> HttpResponseRedirect:
    """Put the form that was sent into the session and go to the page at this address, which confirms it."""
    token = secrets.token_urlsafe(9)
    entered = request.POST.copy()
    entered.pop("csrfmiddlewaretoken", None)
    pending = dict(request.session.get(PENDING, {}), **{token: entered.urlencode()})
    request.session[PENDING] = dict(list(pending.items())[-MAX_PENDING:])
    return HttpResponseRedirect(f"{address}?entered={token}")


def entered_form(request: HttpRequest) -> QueryDict | None:
    """Return the form that waits for its confirmation; None if it is not there any more."""
    text = request.session.get(PENDING, {}).get(request.GET.get("entered", ""))
    return None if text is None else QueryDict(text)


class UnreleaseView(ActView):
    permission = Permission.RELEASE

    def make_act(self) -> Act:
        name, count = {"assignment": self.assignment.name}, self.assignment.submissions.present().count()
        if self.assignment.is_shown:
            lines = [_("Students no longer see %(assignment)s, and can neither fetch nor submit it.") % name]
        else:
            lines = [_("Students will not see %(assignment)s, and can neither fetch nor submit it.") % name]
        if count:
            kept = ngettext(
                "%(count)d submission is kept. Students go on reading what they submitted, and you see everything.",
                "%(count)d submissions are kept. Students go on reading what they submitted, and you see everything.",
                count,
            )
            lines.append(kept % {"count": count})
        lines.append(_("You can release it again at any time."))
        if since := self.assignment.withdrawn_at:
            lines = [_("%(assignment)s is unreleased since %(time)s.") % {**name, "time": local(since)}]
        done = _("%(assignment)s is unreleased. Everything is kept.") % name
        return Act(_("Unrelease %(assignment)s?") % name, lines, _("Unrelease"), done, self._run, changes_states=False)

    def _run(self) -> Sequence[StateChange]:
        services.unrelease(self.assignment, by=self.actor)
        return []


class RestoreView(ActView):
    permission = Permission.RELEASE

    def make_act(self) -> Act:
        name, release_at = {"assignment": self.assignment.name}, self.assignment.release_at
        seen = _("Students see %(assignment)s again, with the files of its latest release and all their submissions.")
        if release_at is not None and release_at > timezone.now():
            seen = _(
                "Students see %(assignment)s from %(time)s on, with the files of its latest release and all their "
                "submissions."
            )
        lines = [seen % {**name, "time": local(release_at)}]
        if self.assignment.withdrawn_at is None:
            lines = [_("%(assignment)s is released.") % name]
        else:
            lines.append(_("To release changed files, use nbgrader: it makes a new release."))
        done = _("%(assignment)s is released again.") % name
        heading = _("Release %(assignment)s again?") % name
        return Act(heading, lines, _("Release again"), done, self._run, changes_states=False)

    def _run(self) -> Sequence[StateChange]:
        services.restore(self.assignment, by=self.actor)
        return []
