"""Who has handed in: the status of a course, member by assignment, in a constant number of queries."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Exists, OuterRef

from courses.models import Course, Membership, Role
from exchange.models import Assignment, Feedback, Submission


@dataclass
class Work:
    """What one member did for one assignment."""

    assignment: Assignment
    attempts: int = 0
    last: datetime | None = None
    late: bool = False  # is the last attempt late?
    collected: bool = False  # was any attempt collected?
    feedback: bool = False  # is there feedback on any attempt?
    last_id: int | None = None


@dataclass
class Line:
    """One member's work; of someone who left the roster the names are not known any more."""

    username: str
    first_name: str = ""
    last_name: str = ""
    section: str = ""
    on_roster: bool = True
    work: dict[int, Work] = field(default_factory=dict)  # by the assignment's id

    @property
    def full_name(self) -> str:
        return " ".join(part for part in (self.first_name, self.last_name) if part)


def of_course(course: Course, assignments: Iterable[Assignment] | None = None) -> list[Line]:
    """A line for each student, and for whoever else handed in, sorted by user name. Trials are left out."""
    columns = {one.pk: one for one in (course.assignments.all() if assignments is None else assignments)}
    members = Membership.objects.filter(course=course, role=Role.STUDENT).select_related("user")
    lines = {
        one.user_id: Line(one.user.username, one.first_name or "", one.last_name or "", one.section) for one in members
    }
    returned = Feedback.objects.filter(submission=OuterRef("pk"))
    attempts = Submission.objects.present().filter(assignment__in=list(columns), trial=False)
    attempts = attempts.select_related("student").annotate(has_feedback=Exists(returned)).order_by("created")
    for attempt in attempts:
        line = lines.setdefault(attempt.student_id, Line(attempt.student.username, on_roster=False))
        assignment = columns[attempt.assignment_id]
        work = line.work.setdefault(assignment.pk, Work(assignment))
        work.attempts += 1
        work.last, work.last_id = attempt.created, attempt.pk
        work.late = assignment.due is not None and attempt.created > assignment.due
        work.collected |= attempt.collected_at is not None
        work.feedback |= attempt.has_feedback
    return sorted(lines.values(), key=lambda line: line.username)
