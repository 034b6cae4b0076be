"""The progress of a course: how far every member is with every assignment. Whatever shows it asks here.

What is shown is the state of the latest submission (states.py) and the due date in force (deadlines.py). Members are
the students of the roster and whoever else submitted; counts are of the roster's students.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import Count, FilteredRelation, OuterRef, Q, QuerySet, Subquery
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from courses.models import Course, Membership, Role, User
from courses.timestamps import local_text
from exchange import deadlines
from exchange.deadlines import Deadline, Member
from exchange.models import Assignment, Submission
from exchange.states import (
    ATTEMPTS,
    COUNTED,
    COUNTED_AT,
    HAS_FEEDBACK,
    IS_COLLECTED,
    IS_LATE,
    STATE,
    State,
    counted_submissions,
    latest_submissions,
)

STAFF: dict[str, Any] = {Role.INSTRUCTOR: gettext_lazy("instructor"), Role.GRADER: gettext_lazy("grader")}
Members = QuerySet[Any]  # of people, with their membership as `member`


@dataclass(slots=True)
class AssignmentProgress:
    """How far one member is with one assignment."""

    assignment: Assignment
    state: State = State.NOT_SUBMITTED
    attempts: int = 0
    last: datetime | None = None  # when the submission came that counts
    last_id: int | None = None
    deadline: Deadline = field(default_factory=Deadline)  # in force for the member now

    @property
    def late(self) -> bool:
        """Whether the latest submission is late."""
        return self.last is not None and self.deadline.is_late(self.last)

    @property
    def minutes_late(self) -> int:
        return deadlines.minutes_late(self.last, self.deadline.due) if self.last else 0

    @property
    def lateness(self) -> str:
        """How late it is in words; empty where it is not."""
        return deadlines.lateness(self.last, self.deadline.due) if self.last else ""

    @property
    def collected(self) -> bool:
        """Whether the latest submission was collected."""
        return self.state in (State.COLLECTED, State.FEEDBACK_RETURNED)

    @property
    def feedback(self) -> bool:
        """Whether there is feedback on the latest submission."""
        return self.state == State.FEEDBACK_RETURNED

    @property
    def words(self) -> str:
        """How far the member is, without the time: `late, newer than collected, 2 attempts`."""
        parts = [_("late")] if self.late else []
        parts.append(str(self.state.label))
        if self.attempts > 1:
            parts.append(ngettext("%(count)d attempt", "%(count)d attempts", self.attempts) % {"count": self.attempts})
        return ", ".join(parts)

    @property
    def due_text(self) -> str:
        """The due date in force in the course's time zone, which it names; empty without one."""
        return local_text(self.deadline.due, self.assignment.course.zone) if self.deadline.due else ""

    @property
    def extension(self) -> str:
        """Why the due date is another one than the assignment's: `extended: illness`; empty if it is not."""
        return self.deadline.why if self.deadline.due != self.assignment.due else ""


def without_extension(assignment: Assignment) -> AssignmentProgress:
    """Return what holds for somebody who submitted nothing and has no extension."""
    return AssignmentProgress(
        assignment, deadline=Deadline(assignment.due, assignment.cut_off, assignment.max_attempts)
    )


@dataclass(slots=True)
class MemberProgress:
    """How far one person is. The names of somebody who left the roster are not known any more."""

    username: str
    role: str | None = Role.STUDENT  # None: not on the roster any more
    first_name: str = ""
    last_name: str = ""
    section: str = ""
    late_days_used: int | None = None  # in the whole course; None where it has no budget of them
    work: dict[int, AssignmentProgress] = field(default_factory=dict)  # of every assignment, by its id

    @property
    def on_roster(self) -> bool:
        return self.role is not None

    @property
    def full_name(self) -> str:
        return " ".join(part for part in (self.first_name, self.last_name) if part)

    @property
    def standing(self) -> str:
        """Why somebody is no student of the roster; empty for students."""
        if self.role is None:
            return _("left the course")
        return str(STAFF[self.role]) if self.role in STAFF else ""


class AssignmentCounts(NamedTuple):
    """How many students of the roster submitted an assignment, and how far they are; and how many others."""

    students: int = 0  # on the roster
    submitted: int = 0
    late: int = 0
    not_collected: int = 0
    collected: int = 0
    feedback: int = 0
    staff: int = 0  # people who are staff, and submitted as students or, if trials are asked for, as staff
    left: int = 0  # people who submitted and are not on the roster any more

    @property
    def missing(self) -> int:
        """How many students have not submitted."""
        return self.students - self.submitted

    @property
    def sentence(self) -> str:
        """Say who submitted.

        >>> AssignmentCounts(students=14, submitted=12, left=1).sentence
        '12 of 14 students; 1 submission of somebody who left'
        >>> AssignmentCounts(students=1, staff=2).sentence
        '0 of 1 student; 2 submissions of staff'
        """
        text = ngettext("%(count)d of %(all)d student", "%(count)d of %(all)d students", self.students)
        parts = [text % {"count": self.submitted, "all": self.students}]
        if self.staff:
            text = ngettext("%(count)d submission of staff", "%(count)d submissions of staff", self.staff)
            parts.append(text % {"count": self.staff})
        if self.left:
            text = ngettext(
                "%(count)d submission of somebody who left", "%(count)d submissions of people who left", self.left
            )
            parts.append(text % {"count": self.left})
        return "; ".join(parts)


# Counts and pages, made by the database


def count_by_assignment(
    assignments: Iterable[Assignment], *, members: Members | None = None, trials: bool = False
) -> dict[int, AssignmentCounts]:
    """Return the counts of each assignment by its id, or those of some members alone. Two queries."""
    columns = list(assignments)
    memberships = Membership.objects.order_by().filter(course=OuterRef("assignment__course"), user=OuterRef("student"))
    rows = latest_submissions(columns, trials=trials).order_by()
    courses = {each.course_id for each in columns}
    enrolled = Membership.objects.filter(course__in=courses, role=Role.STUDENT).order_by()
    if members is not None:
        people = members.order_by().values("pk")
        rows, enrolled = rows.filter(student__in=people), enrolled.filter(user__in=people)
    students = dict(enrolled.values_list("course").annotate(Count("pk")))
    counts = {each.pk: AssignmentCounts(students.get(each.course_id, 0)) for each in columns}
    # One look at the roster for each submission.
    found: QuerySet[Any, Any] = rows.annotate(role=Subquery(memberships.values("role")[:1]))
    found = found.values_list("assignment", "role").annotate(
        submitted=Count("pk"),
        late=Count("pk", filter=IS_LATE),
        collected=Count("pk", filter=IS_COLLECTED & ~HAS_FEEDBACK),
        feedback=Count("pk", filter=HAS_FEEDBACK),
    )
    for pk, role, submitted, late, collected, feedback in found:
        if role == Role.STUDENT:
            reached = {"not_collected": submitted - collected - feedback, "collected": collected, "feedback": feedback}
            counts[pk] = counts[pk]._replace(submitted=submitted, late=late, **reached)
        elif role is None:
            counts[pk] = counts[pk]._replace(left=submitted)
        else:
            counts[pk] = counts[pk]._replace(staff=counts[pk].staff + submitted)
    return counts


def course_members(course: Course, assignments: Iterable[Assignment], *, trials: bool = False) -> Members:
    """Return the members of the course by user name, with their membership, if they still have one, as `member`."""
    students = course.memberships.filter(role=Role.STUDENT).order_by().values("user")
    submitters = counted_submissions(assignments, trials=trials).order_by().values("student")
    return _with_membership(course).filter(Q(pk__in=students) | Q(pk__in=submitters)).order_by("username")


def _with_membership(course: Course) -> Members:
    return User.objects.annotate(member=FilteredRelation("memberships", condition=Q(memberships__course=course)))


def find_by_name(members: Members, text: str) -> Members:
    """Return those of `course_members` whose user name, name or email have the text in them, in upper or lower case.

    Databases do not agree on what that is outside ASCII.
    """
    text = text.casefold()
    columns = ("username", "member__first_name", "member__last_name", "member__email")
    names = members.order_by().values_list("pk", *columns)
    return members.filter(pk__in=[pk for pk, *name in names if text in " ".join(filter(None, name)).casefold()])


def course_progress(
    course: Course,
    assignments: Iterable[Assignment] | None = None,
    *,
    people: Sequence[int] | None = None,
    trials: bool = False,
) -> list[MemberProgress]:
    """Return the progress of each member, sorted by user name; or of these `people` alone, in their order.

    The number of queries is constant, whatever the size of the course.
    """
    columns = {each.pk: each for each in (course.assignments.all() if assignments is None else assignments)}
    latest = latest_submissions(columns.values(), trials=trials)
    if people is None:
        found = course_members(course, columns.values(), trials=trials)
    else:
        found, latest = _with_membership(course).filter(pk__in=people).order_by(), latest.filter(student__in=people)
    names = ("username", "member__role", "member__first_name", "member__last_name", "member__section")
    members: dict[int, MemberProgress] = {}
    enrolled: list[Member] = []
    for pk, username, role, first_name, last_name, section, joined in found.values_list(
        "pk", *names, "member__created"
    ):
        members[pk] = MemberProgress(username, role, first_name or "", last_name or "", section or "")
        enrolled.append(Member(pk, section or "", joined))
    for member in members.values():
        member.work = {pk: AssignmentProgress(assignment) for pk, assignment in columns.items()}
    for student, work in read_work(latest, columns):
        if student in members:  # and has not come between the two queries
            members[student].work[work.assignment.pk] = work
    if course.late_days is not None:
        used = late_days_used(course, people)
        for pk, member in members.items():
            member.late_days_used = used.get(pk, 0)
    for (assignment_id, student), deadline in deadlines.load(list(columns.values()), enrolled).items():
        members[student].work[assignment_id].deadline = deadline
    return list(members.values()) if people is None else [members[pk] for pk in people if pk in members]


def read_work(
    latest: QuerySet[Submission], assignments: Mapping[int, Assignment]
) -> Iterator[tuple[int, AssignmentProgress]]:
    """Yield the student's id and the progress of each of `latest_submissions`, without deadlines. One query."""
    rows = latest.annotate(state=STATE, attempts=ATTEMPTS, counted_at=COUNTED_AT, counted=COUNTED).order_by()
    columns = ("student", "assignment", "state", "attempts", "counted_at", "counted")
    for student, assignment, state, *rest in rows.values_list(*columns).iterator(chunk_size=5000):
        yield student, AssignmentProgress(assignments[assignment], State(state), *rest)


def late_days_used(course: Course, people: Sequence[int] | None = None) -> dict[int, int]:
    """Return how many late days each student, or each of these, has used in a course; who used none is left out.

    Of each assignment the latest submission counts. Two queries.
    """
    rows = latest_submissions(course.assignments.all()).filter(IS_LATE).order_by()
    if people is not None:
        rows = rows.filter(student__in=people)
    used: dict[int, int] = {}
    late = rows.annotate(due_now=deadlines.due_in_sql(deadlines.OF_SUBMISSIONS))
    for student, created, due in late.values_list("student", "created", "due_now"):
        used[student] = used.get(student, 0) + deadlines.days_late(created, due)
    return used


def own_progress(user: User, assignments: Iterable[Assignment]) -> dict[int, AssignmentProgress]:
    """Return the user's own progress by the assignment's id, in a constant number of queries."""
    columns = {each.pk: each for each in assignments}
    work = {pk: AssignmentProgress(assignment) for pk, assignment in columns.items()}
    latest = latest_submissions(columns.values()).filter(student=user)
    work |= {each.assignment.pk: each for _student, each in read_work(latest, columns)}
    for pk, deadline in deadlines.of_person(list(columns.values()), user.pk).items():
        work[pk].deadline = replace(deadline, note="")  # what staff wrote is for staff
    return work
