"""Forms of deadlines and extensions. Times are entered in the zone of the page, which is the one of the course."""

from copy import copy
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib.admin.widgets import AdminSplitDateTime
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from courses.admin.forms import name_inputs
from courses.errors import DomainError
from courses.models import Course, User
from exchange import services
from exchange.deadline_forms import DeadlinesForm, LocalDateTimeField, split_local
from exchange.models import Assignment, Extension
from exchange.services import Grant

EXTENSION_FIELDS = ("due", "cut_off", "attempts", "reason")
REASON_IS_FOR_STAFF = _("Only staff see it.")

if TYPE_CHECKING:
    ExtensionModelForm = forms.ModelForm[Extension]
else:
    ExtensionModelForm = forms.ModelForm


class AdminLocalDateTimeWidget(AdminSplitDateTime):
    def decompress(self, value: datetime | None) -> Any:
        return split_local(value)


class AdminDeadlinesForm(DeadlinesForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        name_inputs(self)

    def clean(self) -> dict[str, Any]:
        """Say on the form what the service function would refuse, so that nothing that was typed is lost."""
        super().clean()
        if not self.errors:
            proposed = copy(self.instance)
            for name, value in self.changes.items():
                setattr(proposed, name, value)
            try:
                services.check_deadlines(proposed)
            except DomainError as error:
                self.add_error(None, error.message)
        return self.cleaned_data


class ExtensionForm(ExtensionModelForm):
    """An extension, for the member or the section that is asked for when it is new. The page sets `course`."""

    course: ClassVar[Course]
    user = forms.CharField(label=_("User name"), max_length=255, required=False)
    section = forms.TypedChoiceField(label=_("Section"), required=False, empty_value=None)
    attempts = forms.IntegerField(label=_("Further attempts"), required=False, min_value=0)

    class Meta:
        model = Extension
        fields = ("user", "section", *EXTENSION_FIELDS)
        labels: ClassVar = {"reason": _("Reason, for staff")}
        help_texts: ClassVar = {"reason": REASON_IS_FOR_STAFF}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        user, section = self.instance.user, self.instance.section
        self.initial["user"] = user.username if user else ""
        sections = [section] if section else sections_of(self.course) if not self.instance.pk else []
        self.fields["section"].choices = [("", "–"), *((name, name) for name in sections)]  # type: ignore[attr-defined]
        if self.instance.pk:
            self.fields["user"].disabled = self.fields["section"].disabled = True
            for name in self.fields.keys() & {*EXTENSION_FIELDS}:
                self.fields[name].show_hidden_initial = True

    def clean_user(self) -> User | None:
        name = self.cleaned_data["user"].strip()
        if self.instance.pk or not name:
            return self.instance.user
        return find_member(self.course, name)

    def clean_attempts(self) -> int:
        return self.cleaned_data["attempts"] or 0

    def clean(self) -> dict[str, Any]:
        super().clean()
        if self.has_changed() and not self.errors:
            try:
                services.check_grant(self.grant)
            except DomainError as error:
                self.add_error(None, error.message)
        return self.cleaned_data

    def _post_clean(self) -> None:
        """Leave out the checks of the database, a handful of queries, for rows that nobody touched."""
        if self.has_changed():
            super()._post_clean()  # type: ignore[misc]

    @property
    def grant(self) -> Grant:
        """The extension as the form has it; what was not changed in it is as the row has it by now."""
        values: dict[str, Any] = {
            name: self.cleaned_data[name] if name in self.changed_data else self.initial.get(name)
            for name in EXTENSION_FIELDS
        }
        values["attempts"], values["reason"] = values["attempts"] or 0, values["reason"] or ""
        user = self.cleaned_data["user"]
        return Grant(user.username if user else None, self.cleaned_data["section"], **values)


class ExtendForm(forms.Form):
    """One extension for members that were chosen in a list."""

    assignment = forms.ModelChoiceField(Assignment.objects.none(), empty_label=None, label=_("Assignment"))
    due = LocalDateTimeField(label=_("Due date"), required=False, widget=AdminLocalDateTimeWidget)
    cut_off = LocalDateTimeField(
        label=_("Cut-off"),
        required=False,
        widget=AdminLocalDateTimeWidget,
        help_text=_("Empty: the assignment’s, and not before the due date."),
    )
    attempts = forms.IntegerField(label=_("Further attempts"), required=False, min_value=0)
    reason = forms.CharField(label=_("Reason"), required=False, max_length=500, help_text=REASON_IS_FOR_STAFF)

    def __init__(self, *args: Any, course: Course, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        assignment: Any = self.fields["assignment"]
        assignment.queryset = course.assignments.order_by("name")
        assignment.label_from_instance = lambda each: each.name
        if not assignment.queryset.exists():
            assignment.help_text = gettext("This course has no assignment yet.")
        name_inputs(self)
        self.fields["due"].help_text = gettext("As 2026-11-30 and 23:59, in %(zone)s.") % {
            "zone": timezone.get_current_timezone_name()
        }

    def grants(self, usernames: list[str]) -> list[Grant]:
        values = {name: self.cleaned_data[name] for name in ("due", "cut_off", "reason")}
        return [Grant(name, attempts=self.cleaned_data["attempts"] or 0, **values) for name in usernames]


class ExtensionFileForm(forms.Form):
    """A CSV file of extensions, whose consequences are shown before they are granted."""

    file = forms.FileField(label=_("CSV file"))


class SeenExtensionsForm(forms.Form):
    """The same file again, after it was shown."""

    text = forms.CharField(widget=forms.HiddenInput, strip=False)
    seen = forms.CharField(widget=forms.HiddenInput, max_length=64, required=False)  # digest of the changes of state


def sections_of(course: Course) -> list[str]:
    named = course.memberships.exclude(section="").order_by("section")
    return list(named.values_list("section", flat=True).distinct())


def find_member(course: Course, username: str) -> User:
    """Errors: ValidationError."""
    user = User.objects.filter(username=username, memberships__course=course).first()
    if user is None:
        raise forms.ValidationError(
            gettext("%(username)s is not a member of %(course)s.") % {"username": username, "course": course}
        )
    return user
