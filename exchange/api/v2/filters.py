"""Filters of the lists of assignments and submissions."""

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema_field

from courses.api.filters import Filters, FlagField, FlagFilter, IdsFilter
from courses.permissions import actor_of
from exchange import queries
from exchange.models import Assignment, Submission

ONLY = "only"
STATUSES = ("released", "withdrawn", "all")


class StatusField(forms.Field):
    def clean(self, value: str | None) -> str:
        status = "released" if value is None else value
        if status not in STATUSES:
            raise forms.ValidationError(_("One of %(statuses)s.") % {"statuses": ", ".join(STATUSES)})
        return status


@extend_schema_field({"type": "string", "enum": list(STATUSES), "default": "released"})
class StatusFilter(filters.Filter):
    field_class = StatusField

    def filter(self, rows: QuerySet[Assignment], value: str) -> QuerySet[Assignment]:
        return queries.with_status(rows, value)


class AssignmentFilter(Filters):
    course = filters.CharFilter("course__name", strip=False)
    assignment = filters.CharFilter("name", strip=False)
    status = StatusFilter()

    class Meta:
        model = Assignment
        fields: tuple[str, ...] = ()


class TrialsField(FlagField):
    """Yes, no or "only"."""

    def clean(self, value: str | None) -> bool | str:  # type: ignore[override]  # a third value
        return ONLY if (value or "").lower() == ONLY else super().clean(value)


@extend_schema_field({"type": "string", "enum": ["true", "false", ONLY], "default": "false"})
class TrialsFilter(FlagFilter):
    field_class = TrialsField


class SubmissionFilterForm(forms.Form):
    def clean(self) -> dict[str, Any]:
        values = self.cleaned_data
        if values.get("before_due") and not values.get("latest"):
            self.add_error("before_due", "It goes with latest=true.")
        if values.get("removed") and not values.get("mine"):
            self.add_error("removed", "It goes with mine=true.")
        return values


class SubmissionFilter(Filters):
    course = filters.CharFilter("assignment__course__name", strip=False)
    assignment = filters.CharFilter("assignment__name", strip=False)
    student = filters.CharFilter("student__username", strip=False)
    id = IdsFilter()
    mine = FlagFilter(help_text="only the actor's own")
    removed = FlagFilter(help_text="with mine: also those of courses in the trash")
    latest = FlagFilter(help_text="the newest of each student and assignment")
    before_due = FlagFilter(help_text="with latest: the newest that is not late, else the newest")
    trials = TrialsFilter(help_text="also what staff submitted to try an assignment; or only that")
    withdrawn = FlagFilter(help_text="also what staff withdrew")
    files = FlagFilter(help_text="with the files of each submission")

    class Meta:
        model = Submission
        form = SubmissionFilterForm
        fields: tuple[str, ...] = ()

    def filter_queryset(self, queryset: QuerySet[Submission]) -> QuerySet[Submission]:
        flags = self.form.cleaned_data
        rows = queries.narrow_submissions(
            super().filter_queryset(queryset),
            actor_of(self.request),
            mine=flags["mine"],
            withdrawn=flags["withdrawn"],
            trials=bool(flags["trials"]),
        )
        if flags["trials"] == ONLY:
            rows = rows.filter(trial=True)
        if flags["latest"]:
            rows = queries.latest_attempts(rows, before_due=flags["before_due"])
        return rows
