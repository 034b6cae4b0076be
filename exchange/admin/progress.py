"""The admin's table of who has handed in: member by assignment."""

from typing import Any

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.template.response import TemplateResponse
from django.utils.http import content_disposition_header

from courses.admin.base import Page
from courses.admin.roster_files import BOM
from courses.importers import csv_file
from courses.models import Course
from courses.permissions import Permission, actor_of
from exchange import progress
from exchange.models import Assignment
from exchange.progress import MemberProgress

ON_A_PAGE = 200  # members


def table(request: HttpRequest, pk: int, *, page: Page) -> HttpResponseBase:
    course, assignments, lines = _asked(request, pk)
    sections = sorted({line.section for line in lines if line.section})
    word, section = request.GET.get("q", "").strip(), request.GET.get("section", "")
    if word:
        lines = [line for line in lines if word.casefold() in f"{line.username} {line.full_name}".casefold()]
    if section:
        lines = [line for line in lines if line.section == section]
    shown = Paginator(lines, ON_A_PAGE).get_page(request.GET.get("page"))
    context = {
        **page.admin_site.each_context(request),
        "title": f"Who has handed in: {course}",
        "opts": page.opts,
        "course": course,
        "assignments": [(one, sum(one.pk in line.work for line in lines)) for one in assignments],
        "lines": [(line, [line.work.get(one.pk) for one in assignments]) for line in shown],
        "count": len(lines),
        "page": shown,
        "sections": sections,
        "section": section,
        "word": word,
    }
    return TemplateResponse(request, "admin/ngshare/status.html", context)


def as_csv(request: HttpRequest, pk: int) -> HttpResponseBase:
    course, assignments, lines = _asked(request, pk)
    written = csv_file.write_rows(progress.table_rows(lines, assignments))
    response = StreamingHttpResponse(_with_bom(written), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = content_disposition_header(True, f"{course} progress.csv") or ""
    return response


def _with_bom(lines: Any) -> Any:
    yield BOM
    yield from lines


def _asked(request: HttpRequest, pk: int) -> tuple[Course, QuerySet[Assignment], list[MemberProgress]]:
    """The course, to whom sees everybody's work there. Errors: Http404."""
    course = Course.objects.filter(pk=pk).first()
    if course is None or not actor_of(request).may(Permission.SEE_SUBMISSIONS, course.pk):
        raise Http404
    assignments = course.assignments.order_by("name")
    return course, assignments, progress.course_progress(course, assignments)
