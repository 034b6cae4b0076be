"""The page of an assignment: the user's own submissions, and for staff everybody's, of which staff/ has more."""

from typing import Any

from django.db.models import F
from django.http import Http404, HttpRequest, HttpResponseBase
from django.utils import timezone
from django.views.generic import TemplateView

from courses.permissions import Actor, Permission
from exchange import file_responses, queries, states
from exchange.models import Assignment
from exchange.storage.archives import ArchiveFolder
from ngshare_site.portal.base import MemberView
from ngshare_site.portal.deadlines import find_solution, shown_deadlines
from ngshare_site.portal.staff.page import staff_context


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
        context["release"] = queries.visible_releases(self.actor).filter(assignment=assignment).last()
        context["shown"] = shown_deadlines(self.actor, assignment, attempts=attempts)
        if is_staffed:
            context |= staff_context(self.request, self.actor, assignment)
        return super().get_context_data(**{**kwargs, **context})


class SolutionView(MemberView):
    """The solution as a zip, for whoever may fetch it by now."""

    def get(self, request: HttpRequest, course: str, assignment: str) -> HttpResponseBase:
        solution = find_solution(self.actor, get_assignment(self.actor, course, assignment))
        if solution is None:
            raise Http404
        folder = ArchiveFolder(solution.file_set, assignment, solution.created)
        return file_responses.download_zip([folder], f"{assignment} solution")


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
