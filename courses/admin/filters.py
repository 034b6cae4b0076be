"""Filters beside the lists of the admin."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.db.models import QuerySet
from django.http import HttpRequest

from courses.admin.base import M, ModelAdmin, parse_pk
from courses.models import Course, Membership
from courses.permissions import Permission, actor_of

MAX_SECTIONS = 200  # to choose from


class CourseFilter(admin.SimpleListFilter):
    """The rows of one course, out of those that the person sees."""

    title = "course"
    parameter_name = "course"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        actor, courses = actor_of(request), Course.objects.order_by("name", "pk")
        if not actor.is_administrator:
            courses = courses.filter(pk__in=actor.courses_with(Permission.SEE_ROSTER))
        self.course_path = model_admin.course_path
        return [
            (str(course.pk), f"{course} (in the trash)" if course.removed_at else str(course)) for course in courses
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[M]) -> QuerySet[M]:
        value = self.value()
        if value is None:
            return queryset
        if (course := parse_pk(value)) is None:
            raise IncorrectLookupParameters
        return queryset.filter(**{self.course_path: course})

    def has_output(self) -> bool:
        return len(self.lookup_choices) > 1 or self.value() is not None


class SectionFilter(admin.SimpleListFilter):
    """The sections of the chosen course; those of all courses together would say little and be many."""

    title = "section"
    parameter_name = "section"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Membership]) -> list[tuple[str, str]]:
        if (course := parse_pk(request.GET.get("course", ""))) is None:
            return []
        rows = model_admin.get_queryset(request).filter(course=course).order_by("section")
        sections = rows.values_list("section", flat=True).distinct()[:MAX_SECTIONS]
        return [(section, section or "(none)") for section in sections]

    def has_output(self) -> bool:
        return len(self.lookup_choices) > 1 or self.value() is not None

    def queryset(self, request: HttpRequest, queryset: QuerySet[Membership]) -> QuerySet[Membership]:
        return queryset if self.value() is None else queryset.filter(section=self.value())


class TrashFilter(admin.SimpleListFilter):
    """For administrators: courses in the trash, or the others."""

    title = "trash"
    parameter_name = "trash"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        return [("no", "Not in the trash"), ("yes", "In the trash")] if actor_of(request).is_administrator else []

    def queryset(self, request: HttpRequest, queryset: QuerySet[Course]) -> QuerySet[Course]:
        return queryset.filter(removed_at__isnull=self.value() == "no") if self.value() else queryset
