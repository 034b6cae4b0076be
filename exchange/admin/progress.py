"""The admin's table of the progress of a course, member by assignment, as a page and as CSV."""

from itertools import chain

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, path

from courses import csv_writer
from courses.admin.base import CourseScopedAdmin
from courses.admin.roster_files import BYTE_ORDER_MARK, csv_response
from courses.models import Course
from courses.permissions import Permission, actor_of
from exchange import progress, services
from exchange.models import Assignment
from exchange.progress import MemberProgress

MEMBERS_PER_PAGE = 200


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
        course, assignments, members = _get_progress(request, pk)
        sections = sorted({member.section for member in members if member.section})
        word, section = request.GET.get("q", "").strip(), request.GET.get("section", "")
        if word:
            members = [member for member in members if _is_named(member, word)]
        if section:
            members = [member for member in members if member.section == section]
        page = Paginator(members, MEMBERS_PER_PAGE).get_page(request.GET.get("page"))
        columns = list(assignments)
        context = {
            **self.admin_site.each_context(request),
            "title": f"Progress of {course}",
            "opts": self.opts,
            "course": course,
            "columns": [(each, sum(each.pk in member.work for member in members)) for each in columns],
            "rows": [(member, [member.work.get(each.pk) for each in columns]) for member in page],
            "count": len(members),
            "page": page,
            "sections": sections,
            "section": section,
            "word": word,
        }
        return TemplateResponse(request, "admin/ngshare/progress.html", context)

    def progress_csv_view(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        course, assignments, members = _get_progress(request, pk)
        services.record_progress_download(course, by=actor_of(request))
        lines = csv_writer.write_rows(progress.table_rows(members, assignments))
        return csv_response(chain([BYTE_ORDER_MARK], lines), f"{course} progress.csv")


def _get_progress(request: HttpRequest, pk: int) -> tuple[Course, QuerySet[Assignment], list[MemberProgress]]:
    """Return the course, its assignments and members, to whoever sees all submissions of it. Errors: Http404."""
    course = Course.objects.filter(pk=pk).first()
    if course is None or not actor_of(request).may(Permission.SEE_SUBMISSIONS, course.pk):
        raise Http404
    assignments = course.assignments.order_by("name")
    return course, assignments, progress.course_progress(course, assignments)


def _is_named(member: MemberProgress, word: str) -> bool:
    return word.casefold() in f"{member.username} {member.full_name}".casefold()
