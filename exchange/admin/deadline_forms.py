"""Forms of deadlines and extensions. Times are entered in the zone of the page, which is the one of the course."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib.admin.widgets import AdminSplitDateTime
from django.utils import timezone

from courses.admin.forms import name_inputs
from courses.errors import DomainError
from courses.models import Course, User
from courses.timestamps import from_local, in_zone
from exchange import services
from exchange.models import Assignment, Extension
from exchange.services import DEADLINE_FIELDS, Grant

EXTENSION_FIELDS = ("due", "cut_off", "attempts", "reason")
REASON_IS_FOR_STAFF = "Only staff see it."

if TYPE_CHECKING:
    AssignmentModelForm = forms.ModelForm[Assignment]
    ExtensionModelForm = forms.ModelForm[Extension]
else:
    AssignmentModelForm = ExtensionModelForm = forms.ModelForm


def split_local(moment: datetime | None) -> list[date | time | None]:
    local = moment and in_zone(moment, timezone.get_current_timezone())
    return [local.date(), local.time()] if local else [None, None]


class LocalDateTimeWidget(AdminSplitDateTime):
    def decompress(self, value: datetime | None) -> Any:
        return split_local(value)


class HiddenLocalDateTimeWidget(forms.SplitHiddenDateTimeWidget):
    def decompress(self, value: datetime | None) -> Any:
        return split_local(value)


class LocalDateTimeField(forms.SplitDateTimeField):
    """A time in the zone of the page; courses/timestamps.py says what holds when the clocks change."""

    widget = LocalDateTimeWidget
    hidden_widget = HiddenLocalDateTimeWidget

    def compress(self, data_list: Any) -> datetime | None:
        with timezone.override(UTC):  # Django refuses each time of an hour that comes twice
            local = super().compress(data_list)
        try:
            return local and from_local(local.replace(tzinfo=None), timezone.get_current_timezone())
        except DomainError as error:
            raise forms.ValidationError(error.message) from error


class DeadlinesForm(AssignmentModelForm):
    """The deadlines of an assignment."""

    class Meta:
        model = Assignment
        fields = DEADLINE_FIELDS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        name_inputs(self)
        for field in self.fields.values():
            field.show_hidden_initial = True  # as in MemberRowForm

    @property
    def changes(self) -> Mapping[str, datetime | int | None]:
        """What was changed in the form, and only that."""
        return {name: self.cleaned_data[name] for name in self.fields if name in self.changed_data}


class ExtensionForm(ExtensionModelForm):
    """An extension, for the member or the section that is asked for when it is new. The page sets `course`."""

    course: ClassVar[Course]
    user = forms.CharField(label="User name", max_length=255, required=False)
    section = forms.TypedChoiceField(required=False, empty_value=None)
    attempts = forms.IntegerField(label="Further attempts", required=False, min_value=0)

    class Meta:
        model = Extension
        fields = ("user", "section", *EXTENSION_FIELDS)
        labels: ClassVar = {"reason": "Reason, for staff"}
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

    assignment = forms.ModelChoiceField(Assignment.objects.none(), empty_label=None)
    due = LocalDateTimeField(label="Due date", required=False)
    cut_off = LocalDateTimeField(
        label="Cut-off", required=False, help_text="Empty: the assignment’s, and not before the due date."
    )
    attempts = forms.IntegerField(label="Further attempts", required=False, min_value=0)
    reason = forms.CharField(required=False, max_length=500, help_text=REASON_IS_FOR_STAFF)

    def __init__(self, *args: Any, course: Course, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        assignment: Any = self.fields["assignment"]
        assignment.queryset = course.assignments.order_by("name")
        assignment.label_from_instance = lambda each: each.name
        name_inputs(self)
        self.fields["due"].help_text = f"As 2026-11-30 and 23:59, in {timezone.get_current_timezone_name()}."

    def grants(self, usernames: list[str]) -> list[Grant]:
        values = {name: self.cleaned_data[name] for name in ("due", "cut_off", "reason")}
        return [Grant(name, attempts=self.cleaned_data["attempts"] or 0, **values) for name in usernames]


class ExtensionFileForm(forms.Form):
    """A CSV file of extensions, whose consequences are shown before they are granted."""

    file = forms.FileField(label="CSV file")


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
        raise forms.ValidationError(f"{username} is not a member of {course}.")
    return user
