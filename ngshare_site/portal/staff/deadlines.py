"""The deadlines of an assignment and its extensions, to look at and to change."""

from collections.abc import Container, Mapping, Sequence
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from courses.errors import DomainError
from courses.models import Course
from courses.permissions import Permission
from courses.templatetags.times import local
from exchange import deadlines, services
from exchange.deadline_forms import DeadlinesForm, LocalDateTimeField, LocalDateTimeWidget
from exchange.deadlines import Reason, in_force
from exchange.models import Assignment, Extension
from exchange.services import Grant, StateChange
from ngshare_site.portal.deadlines import late_policy
from ngshare_site.portal.staff.acts import Act, ActView, entered_form, keep_for_confirmation
from ngshare_site.portal.staff.base import StaffPage, address_of
from ngshare_site.portal.staff.page import sections_of

MAX_SHOWN = 200  # extensions on the page; the admin has all as CSV
LABELS: dict[str, Any] = {  # lazy
    "release_at": gettext_lazy("Release time"),
    "due": gettext_lazy("Due date"),
    "cut_off": gettext_lazy("Cut-off"),
    "max_attempts": gettext_lazy("Attempt limit"),
}


class DateAndTime(LocalDateTimeWidget):
    """A date and a time as the browser asks for them, each with a name that is read out."""

    def __init__(self, label: Any = "") -> None:
        date: dict[str, Any] = {"type": "date", "aria-label": format_lazy(gettext_lazy("{label}: date"), label=label)}
        time: dict[str, Any] = {"type": "time", "aria-label": format_lazy(gettext_lazy("{label}: time"), label=label)}
        super().__init__(
            date_attrs=date,
            time_attrs=time,
            date_format="%Y-%m-%d",
            time_format="%H:%M:%S",
        )

    def id_for_label(self, id_: str) -> str:
        return ""  # each half has a label


def time_field(label: Any, **options: Any) -> LocalDateTimeField:
    return LocalDateTimeField(label=label, required=False, widget=DateAndTime(label), **options)


class AssignmentDeadlinesForm(DeadlinesForm):
    release_at = time_field(LABELS["release_at"], help_text=gettext_lazy("Students see the assignment from then on."))
    due = time_field(
        LABELS["due"], help_text=gettext_lazy("A release with nbgrader sets it to the due date in the gradebook.")
    )
    cut_off = time_field(LABELS["cut_off"], help_text=gettext_lazy("Nothing is accepted after it."))


class GrantForm(forms.Form):
    """One extension for some students, or for a section."""

    students = forms.CharField(
        label=gettext_lazy("User names"),
        required=False,
        max_length=20_000,
        help_text=gettext_lazy("Separate several by commas."),
        widget=forms.TextInput({"autocomplete": "off", "spellcheck": "false"}),
    )
    section = forms.ChoiceField(label=gettext_lazy("Or a section"), required=False)
    due = time_field(gettext_lazy("Extended due date"))
    cut_off = time_field(
        gettext_lazy("Extended cut-off"),
        help_text=gettext_lazy("Empty: the assignment’s, and not before the due date."),
    )
    attempts = forms.IntegerField(label=gettext_lazy("Further attempts"), required=False, min_value=0)
    reason = forms.CharField(
        label=gettext_lazy("Reason"), required=False, max_length=500, help_text=gettext_lazy("Only staff see it.")
    )

    def __init__(self, *args: Any, course: Course, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["section"].choices = [("", "–"), *((name, name) for name in sections_of(course))]  # type: ignore[attr-defined]

    @property
    def grants(self) -> list[Grant]:
        values = {name: self.cleaned_data[name] for name in ("due", "cut_off", "reason")}
        values["attempts"] = self.cleaned_data["attempts"] or 0
        names = dict.fromkeys(name.strip() for name in self.cleaned_data["students"].split(","))
        grants = [Grant(name, **values) for name in names if name]
        section = self.cleaned_data["section"]
        return grants + ([Grant(section=section, **values)] if section else [])

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if not self.errors and not self.grants:
            raise forms.ValidationError(_("Name a student or a section."))
        return cleaned


class DeadlinesView(StaffPage):
    """The page with both forms. What is sent goes to a page that confirms it."""

    template_name = "ngshare/staff/deadlines.html"
    http_method_names = ["get", "head", "post"]

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.POST.get("form") == "grant":
            return self._send_grant(request)
        form = AssignmentDeadlinesForm(request.POST, instance=self.assignment)
        if not form.is_valid():
            return self._show(deadlines_form=form)
        if not form.changes:
            messages.info(request, _("Nothing was changed."))
            return redirect(request.path)
        return keep_for_confirmation(request, address_of("assignment-deadlines-confirm", self.assignment))

    def _send_grant(self, request: HttpRequest) -> HttpResponseBase:
        form = GrantForm(request.POST, course=self.assignment.course)
        if form.is_valid():
            try:
                services.grant_extensions(self.assignment, form.grants, by=self.actor, dry_run=True)
            except DomainError as error:
                form.add_error(None, error.message)
            else:
                return keep_for_confirmation(request, address_of("assignment-extend-confirm", self.assignment))
        return self._show(grant_form=form)

    def _show(self, **context: Any) -> HttpResponse:
        # What was entered wrongly is in the form alone.
        self.assignment.refresh_from_db(fields=services.DEADLINE_FIELDS)
        return self.render_to_response(self.get_context_data(**context))

    def get_context_data(self, **kwargs: Any) -> dict[str, object]:
        course = self.assignment.course
        extensions = self.assignment.extensions.select_related("user", "granted_by").order_by(
            "section", "user__username"
        )
        context: dict[str, object] = {
            "may_release": self.actor.may(Permission.RELEASE, course),
            "may_extend": self.actor.may(Permission.EXTEND, course),
            "extensions": extensions[:MAX_SHOWN],
            "extension_count": extensions.count(),
            "deadlines_form": AssignmentDeadlinesForm(instance=self.assignment),
            "grant_form": GrantForm(course=course, initial={"students": self.request.GET.get("student", "")}),
            "late_policy": late_policy(course, in_force(self.assignment, None)),
            "zone": timezone.get_current_timezone_name(),
        }
        return super().get_context_data(**{**context, **kwargs})


class EnteredActView(ActView):
    """An act of a form that waits in the session."""

    @property
    def back(self) -> str:
        return address_of("assignment-deadlines", self.assignment)

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        entered = entered_form(request)
        if entered is None and request.user.is_authenticated:
            messages.info(request, _("What you entered is not here any more. Enter it again."))
            return redirect("assignment-deadlines", kwargs["course"], kwargs["assignment"])
        self.entered = entered or QueryDict()
        return super().dispatch(request, *args, **kwargs)


class ConfirmDeadlinesView(EnteredActView):
    permission = Permission.RELEASE

    def make_act(self) -> Act:
        before = {name: getattr(self.assignment, name) for name in services.DEADLINE_FIELDS}
        form = AssignmentDeadlinesForm(self.entered, instance=self.assignment)
        changes: Mapping[str, Any] = form.changes if form.is_valid() else {}
        for name, value in before.items():
            setattr(self.assignment, name, value)
        lines = [
            f"{LABELS[name]}: {_shown(before[name])} → {_shown(value)}"
            for name, value in changes.items()
            if value != before[name]
        ]

        def run() -> Sequence[StateChange]:
            return services.set_deadlines(self.assignment, changes, by=self.actor)

        named = {"assignment": self.assignment.name}
        lines = lines or [_("The deadlines are so already.")]  # after Back, say
        done = _("The deadlines of %(assignment)s are changed.") % named
        return Act(_("Change the deadlines of %(assignment)s?") % named, lines, _("Change"), done, run)


class ConfirmExtensionView(EnteredActView):
    permission = Permission.EXTEND

    def make_act(self) -> Act:
        form = GrantForm(self.entered, course=self.assignment.course)
        grants = form.grants if form.is_valid() else []
        existing = {_whose(each.user, each.section) for each in _extensions(self.assignment)}
        lines = [_describe(grant, existing) for grant in grants]

        def run() -> Sequence[StateChange]:
            return services.grant_extensions(self.assignment, grants, by=self.actor)

        count = len(grants)
        heading = ngettext(
            "Grant %(count)d extension for %(assignment)s?", "Grant %(count)d extensions for %(assignment)s?", count
        )
        heading %= {"count": count, "assignment": self.assignment.name}
        done = ngettext("%(count)d extension is granted.", "%(count)d extensions are granted.", count) % {
            "count": count
        }
        return Act(heading, lines, _("Grant"), done, run)


class WithdrawExtensionView(ActView):
    permission = Permission.EXTEND

    @property
    def back(self) -> str:
        return address_of("assignment-deadlines", self.assignment)

    def make_act(self) -> Act:
        extension = _extensions(self.assignment).filter(pk=self.kwargs["pk"]).first()
        if extension is None:  # withdrawn by a first click, or by somebody else
            return Act(_("The extension is withdrawn"), [], "", _("The extension is withdrawn."), list)
        whose = {"whose": _whose(extension.user, extension.section)}

        def run() -> Sequence[StateChange]:
            return services.withdraw_extensions(self.assignment, [extension], by=self.actor)

        done = _("The extension of %(whose)s is withdrawn.") % whose
        heading = _("Withdraw the extension of %(whose)s?") % whose
        return Act(heading, [self._afterwards(extension)], _("Withdraw"), done, run)

    def _afterwards(self, extension: Extension) -> str:
        """Return what is in force then."""
        whose = {"whose": _whose(extension.user, extension.section), "assignment": self.assignment.name}
        if extension.user is None:
            sentence = _(
                "Then the deadlines of %(assignment)s are in force for %(whose)s, except for members who have an "
                "extension of their own or joined late."
            )
            return sentence % whose
        extension.assignment = self.assignment
        reason = deadlines.without(extension).reason
        if reason == Reason.SECTION:
            return _("Then the extension of their section is in force for %(whose)s.") % whose
        if reason == Reason.JOINED:
            return _("Then %(whose)s has the deadlines of somebody who joined late.") % whose
        return _("Then the deadlines of %(assignment)s are in force for %(whose)s.") % whose


def _extensions(assignment: Assignment) -> Any:
    return assignment.extensions.select_related("user")


def _whose(user: object, section: str | None) -> str:
    return str(user) if user else _("section %(section)s") % {"section": section}


def _describe(grant: Grant, existing: Container[str]) -> str:
    """Return what is granted; `existing` says who has an extension."""
    whose = _whose(grant.student, grant.section)
    parts = [_("due %(time)s") % {"time": local(grant.due)}] if grant.due else []
    parts += [_("cut-off %(time)s") % {"time": local(grant.cut_off)}] if grant.cut_off else []
    if grant.attempts:
        more = ngettext("%(count)d further attempt", "%(count)d further attempts", grant.attempts)
        parts.append(more % {"count": grant.attempts})
    parts += [_("instead of the present extension")] if whose in existing else []
    return f"{whose}: {', '.join(parts)}"


def _shown(value: Any) -> str:
    return _("none") if value is None else str(value) if isinstance(value, int) else local(value)
