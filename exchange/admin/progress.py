"""The admin's table of the progress of a course, member by assignment, as a page and as CSV."""

from django.http import Http404, HttpRequest, HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext as _

from courses.admin.base import CourseScopedAdmin, parse_pk
from courses.csv_writer import csv_response, write_rows
from courses.models import Course
from courses.permissions import Permission, actor_of
from exchange import progress, services
from exchange.models import Assignment
from exchange.progress_tables import TableFilter, csv_rows

MEMBERS_PER_PAGE = 100


class ProgressAdmin(CourseScopedAdmin[Assignment]):
    """The views of the assignments' pages that show the progress of a course."""

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("status/<int:pk>/", wrap(self.progress_view), name="status"),
            path("status/<int:pk>/status.csv", wrap(self.progress_csv_view), name="status_csv"),
            *super().get_urls(),
        ]

    def progress_view(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        course, assignments = _get_course(request, pk)
        table_filter, columns = TableFilter.of(request.GET), _choose(request, assignments)
        counts = table_filter.count(course, columns)
        page, rows = table_filter.page(course, columns, request.GET.get("page"), MEMBERS_PER_PAGE)
        sections = course.memberships.exclude(section="").order_by("section").values_list("section", flat=True)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Progress of %(course)s") % {"course": course},
            "opts": self.opts,
            "course": course,
            "columns": [(each, counts[each.pk], progress.without_extension(each).due_text) for each in columns],
            "rows": [(member, list(member.work.values())) for member in rows],
            "page": page,
            "sections": sections.distinct(),
            "assignments": assignments,
            "filter": table_filter,
        }
        return TemplateResponse(request, "admin/ngshare/progress.html", context)

    def progress_csv_view(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        course, assignments = _get_course(request, pk)
        columns = _choose(request, assignments)
        services.record_progress_download(course, by=actor_of(request))
        members = TableFilter.of(request.GET).read(course, columns)
        lines = list(write_rows(csv_rows(members, columns)))  # no query is open while it is sent
        return csv_response(lines, f"{course} progress.csv")


def _choose(request: HttpRequest, assignments: list[Assignment]) -> list[Assignment]:
    """Return the assignment that the query string names, or all."""
    chosen = parse_pk(request.GET.get("assignment", ""))
    return [each for each in assignments if each.pk == chosen] or assignments


def _get_course(request: HttpRequest, pk: int) -> tuple[Course, list[Assignment]]:
    """Return the course and its assignments, to whoever sees all submissions of it. Errors: Http404."""
    course = Course.objects.filter(pk=pk).first()
    if course is None or not actor_of(request).may(Permission.SEE_SUBMISSIONS, course.pk):
        raise Http404
    timezone.activate(course.zone)
    return course, list(course.assignments.order_by("name"))
