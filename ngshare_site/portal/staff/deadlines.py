"""The deadlines of an assignment and its extensions, to look at and to change."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import redirect
from django.utils import timezone

from courses.errors import DomainError
from courses.models import Course
from courses.permissions import Permission
from courses.templatetags.times import local
from exchange import services
from exchange.deadline_forms import DeadlinesForm, LocalDateTimeField, LocalDateTimeWidget
from exchange.models import Assignment, Extension
from exchange.services import Grant, StateChange
from ngshare_site.portal.staff.acts import Act, ActView, entered_form, keep_for_confirmation
from ngshare_site.portal.staff.base import StaffPage, address_of
from ngshare_site.portal.staff.page import sections_of

MAX_SHOWN = 200  # extensions on the page; the admin has all as CSV
IS_SO = "The deadlines are so already."  # after Back, say
LABELS = {"release_at": "Release time", "due": "Due date", "cut_off": "Cut-off", "max_attempts": "Attempt limit"}


class DateAndTime(LocalDateTimeWidget):
    """A date and a time as the browser asks for them, each with a name that is read out."""

    def __init__(self, label: str = "") -> None:
        super().__init__(
            date_attrs={"type": "date", "aria-label": f"{label}: date"},
            time_attrs={"type": "time", "step": "1", "aria-label": f"{label}: time"},
            date_format="%Y-%m-%d",
            time_format="%H:%M:%S",
        )

    def id_for_label(self, id_: str) -> str:
        return ""  # each half has a label


def time_field(label: str, **options: Any) -> LocalDateTimeField:
    return LocalDateTimeField(label=label, required=False, widget=DateAndTime(label), **options)


class AssignmentDeadlinesForm(DeadlinesForm):
    release_at = time_field("Release time", help_text="Students see the assignment from then on.")
    due = time_field("Due date", help_text="A release with nbgrader sets it to the due date in the gradebook.")
    cut_off = time_field("Cut-off", help_text="Nothing is accepted after it.")


class GrantForm(forms.Form):
    """One extension for some students, or for a section."""

    students = forms.CharField(
        label="User names",
        required=False,
        max_length=20_000,
        help_text="Separate several by commas.",
        widget=forms.TextInput({"autocomplete": "off", "spellcheck": "false"}),
    )
    section = forms.ChoiceField(label="Or a section", required=False)
    due = time_field("Extended due date")
    cut_off = time_field("Extended cut-off", help_text="Empty: the assignment’s, and not before the due date.")
    attempts = forms.IntegerField(label="Further attempts", required=False, min_value=0)
    reason = forms.CharField(required=False, max_length=500, help_text="Only staff see it.")

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
            raise forms.ValidationError("Name a student or a section.")
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
            messages.info(request, "Nothing was changed.")
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
            messages.info(request, "What you entered is not here any more. Enter it again.")
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

        name = self.assignment.name
        return Act(
            f"Change the deadlines of {name}?", lines or [IS_SO], "Change", f"The deadlines of {name} are changed.", run
        )


class ConfirmExtensionView(EnteredActView):
    permission = Permission.EXTEND

    def make_act(self) -> Act:
        form = GrantForm(self.entered, course=self.assignment.course)
        grants = form.grants if form.is_valid() else []
        existing = {str(each.user or f"section {each.section}"): each for each in _extensions(self.assignment)}
        lines = [_describe(grant, existing.get(grant.whose)) for grant in grants]

        def run() -> Sequence[StateChange]:
            return services.grant_extensions(self.assignment, grants, by=self.actor)

        what = "1 extension" if len(grants) == 1 else f"{len(grants)} extensions"
        is_granted = f"{what} {'is' if len(grants) == 1 else 'are'} granted."
        return Act(f"Grant {what} of {self.assignment.name}?", lines, "Grant", is_granted, run)


class WithdrawExtensionView(ActView):
    permission = Permission.EXTEND

    @property
    def back(self) -> str:
        return address_of("assignment-deadlines", self.assignment)

    def make_act(self) -> Act:
        extension = _extensions(self.assignment).filter(pk=self.kwargs["pk"]).first()
        name = self.assignment.name
        if extension is None:  # withdrawn by a first click, or by somebody else
            return Act("The extension is withdrawn", [], "", "The extension is withdrawn.", list)
        whose = str(extension.user or f"section {extension.section}")

        def run() -> Sequence[StateChange]:
            return services.withdraw_extensions(self.assignment, [extension], by=self.actor)

        lines = [f"The deadlines of {name} hold for {whose} as for the others."]
        done = f"The extension of {whose} is withdrawn."
        return Act(f"Withdraw the extension of {whose}?", lines, "Withdraw", done, run)


def _extensions(assignment: Assignment) -> Any:
    return assignment.extensions.select_related("user")


def _describe(grant: Grant, existing: Extension | None) -> str:
    parts = [f"due {local(grant.due)}"] if grant.due else []
    parts += [f"cut-off {local(grant.cut_off)}"] if grant.cut_off else []
    parts += [f"{grant.attempts} further attempt{'' if grant.attempts == 1 else 's'}"] if grant.attempts else []
    instead = ", instead of the present extension" if existing else ""
    return f"{grant.whose}: {', '.join(parts)}{instead}"


def _shown(value: Any) -> str:
    return "none" if value is None else str(value) if isinstance(value, int) else local(value)
