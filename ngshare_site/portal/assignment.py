"""The page of an assignment: the user's own submissions, and for staff everybody's as a table, a chart and CSV."""

from typing import Any

from django.db.models import F
from django.http import Http404, HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.views.generic import TemplateView

from courses.csv_writer import write_rows
from courses.permissions import Actor, Permission
from exchange import file_responses, queries, services, states
from exchange.models import Assignment
from exchange.progress_tables import TableFilter, csv_rows
from exchange.storage.archives import ArchiveFolder
from ngshare_site.portal import chart
from ngshare_site.portal.base import MemberView
from ngshare_site.portal.deadlines import find_solution, shown_deadlines

ROWS_PER_PAGE = 200


class AssignmentView(MemberView, TemplateView):
    """The page of an assignment that is named by its course, or by its id where the course is closed to the user."""

    template_name = "ngshare/assignment.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, object]:
        if "pk" in kwargs:
            assignment = get_own_assignment(self.actor, pk=kwargs["pk"])
        else:
            assignment = get_assignment(self.actor, kwargs["course"], kwargs["assignment"])
        course, is_staffed = assignment.course, sees_everybody(self.actor, assignment)
        mine = queries.own_submissions(self.actor).filter(assignment=assignment)
        mine = mine.select_related("file_set", "assignment").prefetch_related("feedbacks").order_by("-created")
        submissions = states.read_states(mine)
        attempts = sum(not each.trial and each.withdrawn_at is None for each in submissions)
        context: dict[str, object] = {"assignment": assignment, "is_staffed": is_staffed, "mine": submissions}
        context |= {"is_member": course.pk in self.actor.roles, "solution": find_solution(self.actor, assignment)}
        context["shown"] = shown_deadlines(self.actor, assignment, attempts=attempts)
        if is_staffed:
            context |= self._staff_context(assignment)
        return super().get_context_data(**{**kwargs, **context})

    def _staff_context(self, assignment: Assignment) -> dict[str, object]:
        course, table_filter = assignment.course, TableFilter.of(self.request.GET)
        page, members = table_filter.page(course, [assignment], self.request.GET.get("page"), ROWS_PER_PAGE)
        created = states.counted_submissions([assignment]).values_list("created", flat=True)
        sections = course.memberships.exclude(section="").order_by("section").values_list("section", flat=True)
        return {
            "filter": table_filter,
            "page": page,
            "rows": [(member, member.work[assignment.pk]) for member in members],
            "counts": table_filter.count(course, [assignment])[assignment.pk],
            "sections": sections.distinct(),
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
        members = list(TableFilter.of(request.GET).read(found.course, [found]))
        lines = write_rows(csv_rows(members, [found], named=False))
        response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
        name = f"{course} {assignment} submissions.csv"
        response["Content-Disposition"] = str(content_disposition_header(True, name))
        return response


def get_assignment(actor: Actor, course: str, name: str) -> Assignment:
    """Return an assignment that the actor may see, or the latest of this name to which they submitted.

    Errors: Http404.
    """
    visible = Assignment.objects.filter(course__in=actor.visible_courses().values("pk"))
    found = visible.select_related("course").filter(course__name=course, name=name).first()
    if found and (found.is_shown or sees_everybody(actor, found)):
        timezone.activate(found.course.zone)
        return found
    return get_own_assignment(actor, course__name=course, name=name)


def get_own_assignment(actor: Actor, **conditions: object) -> Assignment:
    """Return an assignment to which the actor submitted, wherever it is; rather of a course that is not in the trash.

    Errors: Http404.
    """
    own = queries.own_submissions(actor).order_by().values("assignment")
    rows = Assignment.objects.filter(pk__in=own, **conditions).select_related("course")
    if (found := rows.order_by(F("course__removed_at").desc(nulls_first=True)).first()) is None:
        raise Http404
    timezone.activate(found.course.zone)
    return found


def sees_everybody(actor: Actor, assignment: Assignment) -> bool:
    return assignment.course.removed_at is None and actor.may(Permission.SEE_SUBMISSIONS, assignment.course)
