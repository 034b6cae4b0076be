"""The form of an assignment's deadlines. Times are entered in the zone of the page, which is the one of the course."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING, Any

from django import forms
from django.utils import timezone

from courses.errors import DomainError
from courses.timestamps import from_local, in_zone
from exchange.models import Assignment
from exchange.services import DEADLINE_FIELDS

if TYPE_CHECKING:
    AssignmentModelForm = forms.ModelForm[Assignment]
else:
    AssignmentModelForm = forms.ModelForm


def split_local(moment: datetime | None) -> list[date | time | None]:
    local = moment and in_zone(moment, timezone.get_current_timezone())
    return [local.date(), local.time()] if local else [None, None]


class LocalDateTimeWidget(forms.SplitDateTimeWidget):
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
        for field in self.fields.values():
            field.show_hidden_initial = True  # as in MemberRowForm

    @property
    def changes(self) -> Mapping[str, datetime | int | None]:
        """What was changed in the form, and only that."""
        return {name: self.cleaned_data[name] for name in self.fields if name in self.changed_data}
