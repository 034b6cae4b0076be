"""What the page of an assignment says about its deadlines: to a student their own, to staff everybody's."""

from dataclasses import dataclass

from django.db.models import Q
from django.utils import timezone

from courses.errors import NotFound, PermissionDenied
from courses.models import Course
from courses.permissions import Actor, Permission
from exchange import deadlines, services
from exchange.deadlines import Deadline, Reason
from exchange.models import Assignment, Extension, Solution


@dataclass(frozen=True)
class ShownDeadlines:
    """What is in force for whoever looks."""

    deadline: Deadline
    why: str  # it is not the assignment's own, in words; empty if it is
    attempts_left: int | None
    is_closed: bool
    late_policy: str
    extensions: int | None  # how many there are, for those who see all of them


def shown_deadlines(actor: Actor, assignment: Assignment, *, attempts: int) -> ShownDeadlines:
    """Return what the page shows to the actor, who has submitted so many times."""
    sees_all = actor.may(Permission.SEE_SUBMISSIONS, assignment.course)
    deadline = deadlines.in_force(assignment, None if sees_all else actor.user)
    return ShownDeadlines(
        deadline,
        _why(actor, assignment, deadline),
        None if sees_all else deadline.attempts_left(attempts),
        deadline.is_closed(timezone.now()),
        late_policy(assignment.course, deadline),
        assignment.extensions.count() if sees_all else None,
    )


def find_solution(actor: Actor, assignment: Assignment) -> Solution | None:
    """Return the solution, if there is one that the actor may fetch by now."""
    try:
        return services.find_solution(assignment, by=actor)
    except (NotFound, PermissionDenied):
        return None


def late_policy(course: Course, deadline: Deadline) -> str:
    """Return what happens to late submissions, in words; nothing without a due date."""
    if deadline.due is None:
        return ""
    if deadline.cut_off is not None and deadline.cut_off <= deadline.due:
        return "Nothing is accepted after the due date."
    until = "until the cut-off " if deadline.cut_off is not None else ""
    text = f"Submissions are accepted {until}after the due date and marked as late."
    if course.late_days is not None:
        text += (
            f" Each begun day of 24 hours uses one of the {course.late_days} late days that each student has in this "
            "course."
        )
    return text


def _why(actor: Actor, assignment: Assignment, deadline: Deadline) -> str:
    if not deadline.reason:
        return ""
    label = Reason(deadline.reason).label
    if deadline.reason == Reason.JOINED:
        return label
    sections = assignment.course.memberships.filter(user=actor.user).values("section")
    whose = Q(user=actor.user) if deadline.reason == Reason.EXTENSION else Q(section__in=sections)
    texts = Extension.objects.filter(whose, assignment=assignment).order_by().values_list("reason", flat=True)
    return f"{label} ({text})" if (text := next(iter(texts), "")) else label
