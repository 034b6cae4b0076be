"""The page of an assignment: the user's own submissions, and for staff everybody's as a table, a chart and CSV."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.http import Http404, HttpRequest, HttpResponseBase, QueryDict, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.utils.http import content_disposition_header
from django.views.generic import TemplateView

from courses.csv_writer import write_rows
from courses.permissions import Actor, Permission
from exchange import progress, queries, services
from exchange.models import Assignment, Submission
from exchange.progress import AssignmentProgress, MemberProgress
from ngshare_site.portal import chart
from ngshare_site.portal.base import MemberView

Row = tuple[MemberProgress, AssignmentProgress | None]

SHOWN: dict[str, tuple[str, Callable[[AssignmentProgress | None], bool]]] = {
    "all": ("everyone", lambda work: True),
    "missing": ("not submitted", lambda work: work is None),
    "late": ("late", lambda work: work is not None and work.late),
    "waiting": ("without feedback", lambda work: work is not None and not work.feedback),
}
# Rows come sorted by user name, and a sort keeps that order where its keys are equal.
SORTS: dict[str, tuple[str, Callable[[Row], float | str]]] = {
    "name": ("user name", lambda row: 0),
    "time": ("last submission", lambda row: -row[1].last.timestamp() if row[1] and row[1].last else 0),
    "attempts": ("attempts", lambda row: -row[1].attempts if row[1] else 0),
    "section": ("section", lambda row: row[0].section),
}
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
        return [(value, label) for value, (label, _) in SHOWN.items()]

    @property
    def sorts(self) -> list[tuple[str, str]]:
        return [(value, label) for value, (label, _) in SORTS.items()]

    def apply(self, members: Iterable[MemberProgress], assignment: Assignment) -> list[Row]:
        is_shown, key = SHOWN[self.show][1], SORTS[self.sort][1]
        rows = [(member, member.work.get(assignment.pk)) for member in members if self._names(member)]
        return sorted((row for row in rows if is_shown(row[1])), key=key)

    def _names(self, member: MemberProgress) -> bool:
        return self.q.casefold() in f"{member.username} {member.full_name}".casefold()


class AssignmentView(MemberView, TemplateView):
    template_name = "ngshare/assignment.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, object]:
        assignment = get_assignment(self.actor, kwargs["course"], kwargs["assignment"])
        is_staffed = sees_everybody(self.actor, assignment)
        mine = queries.submissions(self.actor, mine=True).filter(assignment=assignment)
        mine = mine.select_related("file_set", "assignment").prefetch_related("feedbacks").order_by("-created")
        context: dict[str, object] = {"assignment": assignment, "is_staffed": is_staffed, "mine": mine}
        if is_staffed:
            context |= self._staff_context(assignment)
        return super().get_context_data(**{**kwargs, **context})

    def _staff_context(self, assignment: Assignment) -> dict[str, object]:
        members = progress.course_progress(assignment.course, [assignment])
        counted = Submission.objects.present().filter(assignment=assignment, trial=False)
        table_filter = TableFilter.of(self.request.GET)
        students = [member for member in members if member.on_roster]
        return {
            "filter": table_filter,
            "rows": table_filter.apply(members, assignment),
            "submitted": sum(assignment.pk in student.work for student in students),
            "students": len(students),
            "chart": chart.submissions_over_time(list(counted.values_list("created", flat=True)), assignment.due),
        }


class AssignmentCSVView(MemberView):
    """The table of everybody's submissions as CSV, for staff alone."""

    def get(self, request: HttpRequest, course: str, assignment: str) -> HttpResponseBase:
        found = get_assignment(self.actor, course, assignment)
        if not sees_everybody(self.actor, found):
            raise Http404
        services.record_progress_download(found.course, by=self.actor)
        members = progress.course_progress(found.course, [found])
        rows = TableFilter.of(request.GET).apply(members, found)
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
    if assignment.withdrawn_at and not sees_everybody(actor, assignment):
        if not assignment.submissions.filter(student=actor.user).exists():
            raise Http404
    return assignment


def sees_everybody(actor: Actor, assignment: Assignment) -> bool:
    return actor.may(Permission.SEE_SUBMISSIONS, assignment.course)


def csv_row(member: MemberProgress, work: AssignmentProgress | None) -> list[str | int]:
    names = [member.username, member.first_name, member.last_name, member.section]
    if work is None:
        return [*names, 0, "", "", "", ""]
    last = work.last.isoformat() if work.last else ""
    return [*names, work.attempts, last, work.late, work.collected, work.feedback]
