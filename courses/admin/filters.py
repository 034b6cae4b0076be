"""Filters beside the lists of the admin."""

from collections.abc import Iterator
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.contrib.admin.widgets import AutocompleteSelect
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from courses import audit
from courses.admin.base import M, ModelAdmin, parse_pk
from courses.audit_names import action_name
from courses.models import ROLE_NAMES, AuditEntry, Course, Membership
from courses.permissions import Permission, actor_of

MAX_COURSES = 50  # to choose from
MAX_SECTIONS = 200  # to choose from


class CourseFilter(admin.SimpleListFilter):
    """The rows of one course, out of those that the person sees. Somebody who sees many searches for it."""

    title = gettext_lazy("course")
    parameter_name = "course"
    template = "admin/ngshare/course_filter.html"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        actor, courses = actor_of(request), Course.objects.order_by("name", "pk")
        if not actor.is_administrator:
            courses = courses.filter(pk__in=actor.courses_with(Permission.SEE_ROSTER))
        self.course_path = model_admin.course_path
        listed = list(courses[: MAX_COURSES + 1])
        self.are_many = len(listed) > MAX_COURSES
        if self.are_many:
            chosen = parse_pk(str(self.value() or ""))
            listed = list(courses.filter(pk__in=[] if chosen is None else [chosen]))
            self.form = CourseSearchForm(courses, chosen)
        for course in listed:
            if str(course.pk) == self.value():
                timezone.activate(course.zone)
        return [(str(course.pk), course.title) for course in listed]

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        self.other_parameters = [pair for pair in changelist.params.items() if pair[0] != self.parameter_name]
        return super().choices(changelist)

    def queryset(self, request: HttpRequest, queryset: QuerySet[M]) -> QuerySet[M]:
        value = self.value()
        if value is None:
            return queryset
        if (course := parse_pk(value)) is None:
            raise IncorrectLookupParameters
        return queryset.filter(**{self.course_path: course})

    def has_output(self) -> bool:
        return self.are_many or len(self.lookup_choices) > 1 or self.value() is not None


class CourseSearchForm(forms.Form):
    """Finds a course by its name, as the field of a member's course does."""

    def __init__(self, courses: QuerySet[Course], chosen: int | None) -> None:
        super().__init__(initial={"course": chosen})
        widget = AutocompleteSelect(
            Membership._meta.get_field("course"), admin.site, attrs={"aria-label": capfirst(_("course"))}
        )
        self.fields["course"] = forms.ModelChoiceField(courses, widget=widget, required=False)


class SectionFilter(admin.SimpleListFilter):
    """The sections of the chosen course; those of all courses together would say little and be many."""

    title = gettext_lazy("section")
    parameter_name = "section"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Membership]) -> list[tuple[str, str]]:
        if (course := parse_pk(request.GET.get("course", ""))) is None:
            return []
        rows = model_admin.get_queryset(request).filter(course=course).order_by("section")
        sections = rows.values_list("section", flat=True).distinct()[:MAX_SECTIONS]
        return [(section, section or _("(none)")) for section in sections]

    def has_output(self) -> bool:
        return len(self.lookup_choices) > 1 or self.value() is not None

    def queryset(self, request: HttpRequest, queryset: QuerySet[Membership]) -> QuerySet[Membership]:
        return queryset if self.value() is None else queryset.filter(section=self.value())


class TrashFilter(admin.SimpleListFilter):
    """For administrators: courses in the trash, or the others."""

    title = gettext_lazy("trash")
    parameter_name = "trash"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        choices = [("no", _("Not in the trash")), ("yes", _("In the trash"))]
        return choices if actor_of(request).is_administrator else []

    def queryset(self, request: HttpRequest, queryset: QuerySet[Course]) -> QuerySet[Course]:
        return queryset.filter(removed_at__isnull=self.value() == "no") if self.value() else queryset


class WhenFilter(admin.DateFieldListFilter):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.title = _("when")


class AuditRoleFilter(admin.SimpleListFilter):
    title = gettext_lazy("role")
    parameter_name = "role"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        return [(role, str(name)) for role, name in ROLE_NAMES]

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditEntry]) -> QuerySet[AuditEntry]:
        return queryset.filter(role=self.value()) if self.value() else queryset


class AuditActionFilter(admin.SimpleListFilter):
    """The actions that the log has."""

    title = gettext_lazy("action")
    parameter_name = "action"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        names = [(action, action_name(action)) for action in audit.known_actions()]
        return sorted(names, key=lambda pair: pair[1].casefold())

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditEntry]) -> QuerySet[AuditEntry]:
        return queryset.filter(action=self.value()) if self.value() else queryset
