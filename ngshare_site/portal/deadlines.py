"""What the page of an assignment says about its deadlines: to a student their own, to staff everybody's."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils import timezone
from django.utils.translation import gettext as _

from courses.errors import NotFound, PermissionDenied
from courses.models import Course
from courses.permissions import Actor, Permission
from exchange import deadlines, progress, services
from exchange.deadlines import Deadline, Reason
from exchange.models import Assignment, Solution


@dataclass(frozen=True)
class ShownDeadlines:
    """What is in force for whoever looks."""

    deadline: Deadline
    why: Mapping[str, str]  # in a word, of `due`, `cut_off` and `max_attempts`, where they are not the assignment's own
    attempts_left: int | None
    is_closed: bool
    late_policy: str
    extensions: int | None  # how many there are, for those who see all of them
    may_extend: bool


def shown_deadlines(actor: Actor, assignment: Assignment, *, attempts: int) -> ShownDeadlines:
    """Return what the page shows to the actor, who has submitted so many times."""
    sees_all = actor.may(Permission.SEE_SUBMISSIONS, assignment.course)
    deadline = deadlines.in_force(assignment, None if sees_all else actor.user)
    return ShownDeadlines(
        deadline,
        _why(assignment, deadline),
        None if sees_all else deadline.attempts_left(attempts),
        deadline.is_closed(timezone.now()),
        late_policy(assignment.course, deadline, None if sees_all else actor),
        assignment.extensions.count() if sees_all else None,
        actor.may(Permission.EXTEND, assignment.course),
    )


def find_solution(actor: Actor, assignment: Assignment) -> Solution | None:
    """Return the solution, if there is one that the actor may fetch by now."""
    try:
        return services.find_solution(assignment, by=actor)
    except (NotFound, PermissionDenied):
        return None


def late_policy(course: Course, deadline: Deadline, student: Actor | None = None) -> str:
    """Return what happens to late submissions, in words, and what the student used; nothing without a due date."""
    if deadline.due is None:
        return ""
    if deadline.cut_off is not None and deadline.cut_off <= deadline.due:
        return _("Nothing is accepted after the due date.")
    if deadline.cut_off is None:
        sentences = [_("Submissions after the due date are accepted and marked as late.")]
    else:
        sentences = [_("Submissions after the due date are accepted until the cut-off and marked as late.")]
    if course.late_days is not None:
        text = _(
            "Each begun day of 24 hours uses one of the %(budget)d late days that each student has in this course."
        )
        sentences.append(text % {"budget": course.late_days})
        if student is not None:
            user = student.required_user.pk
            used = progress.late_days_used(course, [user]).get(user, 0)
            sentences.append(_("You have used %(count)d.") % {"count": used})
    return " ".join(sentences)


def _why(assignment: Assignment, deadline: Deadline) -> dict[str, str]:
    """Return the label alone: what staff wrote about an extension is for staff."""
    names = (
        name for name in ("due", "cut_off", "max_attempts") if getattr(deadline, name) != getattr(assignment, name)
    )
    return {name: str(Reason(deadline.reason).label) for name in names}
