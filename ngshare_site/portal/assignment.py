"""The page of an assignment: the user's own submissions, and for staff everybody's as a table, a chart and CSV."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.core.paginator import Paginator
from django.db.models import Count, Max, OrderBy, OuterRef, Subquery, Value
from django.db.models.functions import Coalesce
from django.http import Http404, HttpRequest, HttpResponseBase, QueryDict, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.views.generic import TemplateView

from courses.csv_writer import write_rows
from courses.permissions import Actor, Permission
from exchange import deadlines, file_responses, progress, queries, services
from exchange.models import Assignment
from exchange.progress import AssignmentCounts, AssignmentProgress, MemberProgress, Members
from exchange.storage.archives import ArchiveFolder
from ngshare_site.portal import chart
from ngshare_site.portal.base import MemberView
from ngshare_site.portal.deadlines import find_solution, shown_deadlines

Row = tuple[MemberProgress, AssignmentProgress | None]

SHOWN = {"all": "everyone", "missing": "not submitted", "late": "late", "waiting": "without feedback"}
SORTS = {"name": "user name", "time": "last submission", "attempts": "attempts", "section": "section"}
ROWS_PER_PAGE = 200
CSV_BATCH = 5000
CSV_COLUMNS = (
    "username", "first_name", "last_name", "section", "attempts", "last", "late", "collected", "feedback",
)  # fmt: skip


@dataclass(frozen=True)
class TableFilter:
    """Which rows the page and the CSV show, and in which order, as the query string says."""

    q: str
    show: str
    sort: str

    @classmethod
    def of(cls, query: QueryDict) -> "TableFilter":
        show, sort = query.get("show", ""), query.get("sort", "")
        return cls(query.get("q", ""), show if show in SHOWN else "all", sort if sort in SORTS else "name")

    @property
    def shows(self) -> list[tuple[str, str]]:
        return list(SHOWN.items())

    @property
    def sorts(self) -> list[tuple[str, str]]:
        return list(SORTS.items())

    def apply(self, assignment: Assignment) -> Members:
        """Return the members that are shown, in order. Where the keys of a sort are equal, they go by user name."""
        members = progress.course_members(assignment.course, [assignment])
        if self.q:
            members = progress.find_by_name(members, self.q)
        return self._sort(self._choose(members, assignment), assignment)

    def _choose(self, members: Members, assignment: Assignment) -> Members:
        submissions = progress.counted_submissions([assignment]).order_by()
        if self.show == "missing":
            return members.exclude(pk__in=submissions.values("student"))
        if self.show == "late":
            return members.filter(pk__in=submissions.filter(deadlines.LATE).values("student"))
        if self.show == "waiting":
            answered = submissions.filter(progress.HAS_FEEDBACK)
            return members.filter(pk__in=submissions.values("student")).exclude(pk__in=answered.values("student"))
        return members

    def _sort(self, members: Members, assignment: Assignment) -> Members:
        if self.sort == "section":
            return members.order_by(Coalesce("member__section", Value("")), "username")
        if self.sort == "name":
            return members
        value = Max("created") if self.sort == "time" else Count("pk")
        own = progress.counted_submissions([assignment]).filter(student=OuterRef("pk")).order_by()
        key = Subquery(own.values("student").annotate(key=value).values("key"))
        return members.order_by(OrderBy(key, descending=True, nulls_last=True), "username")


def read_rows(assignment: Assignment, people: Sequence[int]) -> list[Row]:
    members = progress.course_progress(assignment.course, [assignment], people=people)
    return [(member, member.work.get(assignment.pk)) for member in members]


class AssignmentView(MemberView, TemplateView):
    template_name = "ngshare/assignment.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, object]:
        assignment = get_assignment(self.actor, kwargs["course"], kwargs["assignment"])
        is_staffed = sees_everybody(self.actor, assignment)
        mine = queries.submissions(self.actor, mine=True).filter(assignment=assignment)
        mine = mine.select_related("file_set").prefetch_related("feedbacks").order_by("-created")
        mine = mine.annotate(late=deadlines.LATE)
        context: dict[str, object] = {"assignment": assignment, "is_staffed": is_staffed, "mine": mine}
        context["solution"] = find_solution(self.actor, assignment)
        context["shown"] = shown_deadlines(self.actor, assignment, attempts=sum(not each.trial for each in mine))
        if is_staffed:
            context |= self._staff_context(assignment)
        return super().get_context_data(**{**kwargs, **context})

    def _staff_context(self, assignment: Assignment) -> dict[str, object]:
        course, table_filter = assignment.course, TableFilter.of(self.request.GET)
        people = table_filter.apply(assignment).values_list("pk", flat=True)
        page = Paginator(people, ROWS_PER_PAGE).get_page(self.request.GET.get("page"))
        counts = progress.count_by_assignment([assignment]).get(assignment.pk, AssignmentCounts())
        created = progress.counted_submissions([assignment]).values_list("created", flat=True)
        return {
            "filter": table_filter,
            "page": page,
            "rows": read_rows(assignment, list(page)),
            "submitted": counts.submitted,
            "students": progress.count_students([course]).get(course.pk, 0),
            "chart": chart.submissions_over_time(list(created), assignment.due),
        }


class SolutionView(MemberView):
    """The solution as a zip, for whoever may fetch it by now."""

    def get(self, request: HttpRequest, course: str, assignment: str) -> HttpResponseBase:
        solution = find_solution(self.actor, get_assignment(self.actor, course, assignment))
        if solution is None:
            raise Http404
        folder = ArchiveFolder(solution.file_set, assignment, solution.created)
        return file_responses.download_zip([folder], f"{assignment} solution")


class AssignmentCSVView(MemberView):
    """The table of everybody's submissions as CSV, for staff alone."""

    def get(self, request: HttpRequest, course: str, assignment: str) -> HttpResponseBase:
        found = get_assignment(self.actor, course, assignment)
        if not sees_everybody(self.actor, found):
            raise Http404
        services.record_progress_download(found.course, by=self.actor)
        people = TableFilter.of(request.GET).apply(found).values_list("pk", flat=True)
        # In batches: a query takes so many parameters and no more.
        rows = [row for page in Paginator(people, CSV_BATCH) for row in read_rows(found, list(page))]
        lines = write_rows([CSV_COLUMNS, *(csv_row(member, work) for member, work in rows)])
        response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
        name = f"{course} {assignment} submissions.csv"
        response["Content-Disposition"] = str(content_disposition_header(True, name))
        return response


def get_assignment(actor: Actor, course: str, name: str) -> Assignment:
    """Return an assignment that the actor may see: of unreleased ones, students see those that they submitted.

    Errors: Http404.
    """
    visible = Assignment.objects.filter(course__in=actor.visible_courses().values("pk"))
    assignment = get_object_or_404(visible.select_related("course"), course__name=course, name=name)
    if not assignment.is_shown and not sees_everybody(actor, assignment):
        if not assignment.submissions.filter(student=actor.user).exists():
            raise Http404
    timezone.activate(assignment.course.zone)
    return assignment


def sees_everybody(actor: Actor, assignment: Assignment) -> bool:
    return actor.may(Permission.SEE_SUBMISSIONS, assignment.course)


def csv_row(member: MemberProgress, work: AssignmentProgress | None) -> list[str | int]:
    names = [member.username, member.first_name, member.last_name, member.section]
    if work is None:
        return [*names, 0, "", "", "", ""]
    last = work.last.isoformat() if work.last else ""
    return [*names, work.attempts, last, work.late, work.collected, work.feedback]
