"""What the admin's pages of the exchange share: links and filters."""

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from courses.admin.base import ModelAdmin, parse_pk
from exchange.models import Assignment, Submission


def render_links(links: list[tuple[str, str]]) -> SafeString | str:
    """Render [(address, text)] as links, one on each line."""
    return format_html_join("", '<div><a href="{}">{}</a></div>', links) or gettext("none")


def change_address(obj: Model) -> str:
    return reverse(f"admin:{obj._meta.app_label}_{obj._meta.model_name}_change", args=[obj.pk])


class AssignmentFilter(admin.SimpleListFilter):
    """The assignments of the chosen course."""

    title = _("assignment")
    parameter_name = "assignment"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Submission]) -> list[tuple[str, str]]:
        course = parse_pk(request.GET.get("course", ""))
        if course is None:
            return []
        assignments = model_admin.admin_site.get_model_admin(Assignment).get_queryset(request).filter(course=course)
        return [(str(pk), name) for pk, name in assignments.values_list("pk", "name")]

    def has_output(self) -> bool:
        return bool(self.lookup_choices) or self.value() is not None

    def queryset(self, request: HttpRequest, queryset: QuerySet[Submission]) -> QuerySet[Submission]:
        value = self.value()
        if value is None:
            return queryset
        if (assignment := parse_pk(value)) is None:
            raise IncorrectLookupParameters
        return queryset.filter(assignment=assignment)
