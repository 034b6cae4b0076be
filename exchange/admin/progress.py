"""The admin's table of the progress of a course, member by assignment, as a page and as CSV."""

from itertools import chain

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone

from courses import csv_writer
from courses.admin.base import CourseScopedAdmin
from courses.admin.roster_files import BYTE_ORDER_MARK, csv_response
from courses.models import Course
from courses.permissions import Permission, actor_of
from exchange import progress, services
from exchange.models import Assignment

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
        course, columns = _get_course(request, pk)
        word, section = request.GET.get("q", "").strip(), request.GET.get("section", "")
        members = progress.course_members(course, columns)
        if word:
            members = progress.find_by_name(members, word)
        if section:
            members = members.filter(member__section=section)
        sections = course.memberships.exclude(section="").order_by("section").values_list("section", flat=True)
        page = Paginator(members.values_list("pk", flat=True), MEMBERS_PER_PAGE).get_page(request.GET.get("page"))
        rows = progress.course_progress(course, columns, people=list(page))
        submitted = progress.count_submitters(columns, members if word or section else None)
        context = {
            **self.admin_site.each_context(request),
            "title": f"Progress of {course}",
            "opts": self.opts,
            "course": course,
            "columns": [(each, submitted.get(each.pk, 0)) for each in columns],
            "rows": [(member, [member.work.get(each.pk) for each in columns]) for member in rows],
            "count": page.paginator.count,
            "page": page,
            "sections": sections.distinct(),
            "section": section,
            "word": word,
        }
        return TemplateResponse(request, "admin/ngshare/progress.html", context)

    def progress_csv_view(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        course, assignments = _get_course(request, pk)
        members = progress.course_progress(course, assignments)
        services.record_progress_download(course, by=actor_of(request))
        lines = csv_writer.write_rows(progress.table_rows(members, assignments))
        return csv_response(chain([BYTE_ORDER_MARK], lines), f"{course} progress.csv")


def _get_course(request: HttpRequest, pk: int) -> tuple[Course, list[Assignment]]:
    """Return the course and its assignments, to whoever sees all submissions of it. Errors: Http404."""
    course = Course.objects.filter(pk=pk).first()
    if course is None or not actor_of(request).may(Permission.SEE_SUBMISSIONS, course.pk):
        raise Http404
    timezone.activate(course.zone)
    return course, list(course.assignments.order_by("name"))
