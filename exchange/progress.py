"""The progress of a course: who has submitted, by member and assignment, in a constant number of queries.

What counts, everywhere: submissions that staff neither made as a trial nor withdrew. Members are the students of the
roster and whoever else submitted.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import Count, Exists, FilteredRelation, OuterRef, Q, QuerySet

from courses.models import Course, Membership, Role, User
from exchange import deadlines
from exchange.models import Assignment, Feedback, Submission, SubmissionQuerySet

Members = QuerySet[Any]  # of people, with their membership as `member`
HAS_FEEDBACK = Exists(Feedback.objects.filter(submission=OuterRef("pk")).order_by())


@dataclass(slots=True)
class AssignmentProgress:
    """What one member submitted to one assignment."""

    assignment: Assignment
    attempts: int = 0
    last: datetime | None = None
    late: bool = False  # whether the last attempt is late
    collected: bool = False  # whether any attempt was collected
    feedback: bool = False  # whether any attempt has feedback
    last_id: int | None = None


@dataclass(slots=True)
class MemberProgress:
    """What one person submitted. The names of somebody who left the roster are not known any more."""

    username: str
    first_name: str = ""
    last_name: str = ""
    section: str = ""
    on_roster: bool = True
    work: dict[int, AssignmentProgress] = field(default_factory=dict)  # by the assignment's id

    @property
    def full_name(self) -> str:
        return " ".join(part for part in (self.first_name, self.last_name) if part)


class AssignmentCounts(NamedTuple):
    """How many members of the roster submitted, and to how many of them each applies, as in `AssignmentProgress`."""

    submitted: int = 0
    late: int = 0
    collected: int = 0
    feedback: int = 0


class _Attempt(NamedTuple):
    pk: int
    assignment_id: int
    student_id: int
    created: datetime
    is_collected: bool
    has_feedback: bool
    late: bool


# Counts and pages, made by the database


def counted_submissions(assignments: Iterable[Assignment]) -> SubmissionQuerySet:
    return Submission.objects.present().filter(assignment__in=[each.pk for each in assignments], trial=False)


def count_by_assignment(assignments: Iterable[Assignment]) -> dict[int, AssignmentCounts]:
    """Return the counts of the assignments by their ids; those to which nobody submitted are left out. One query."""
    on_roster = Membership.objects.filter(course=OuterRef("assignment__course"), user=OuterRef("student"))
    # Attempts come one after the other: the last one is late if any is.
    conditions = (None, deadlines.LATE, Q(collected_at__isnull=False), Q(HAS_FEEDBACK))
    counts = [Count("student", distinct=True, filter=condition) for condition in conditions]
    rows = counted_submissions(assignments).filter(Exists(on_roster)).order_by().values("assignment")
    rows = rows.annotate(**dict(zip(AssignmentCounts._fields, counts, strict=True)))
    return {
        pk: AssignmentCounts(*numbers) for pk, *numbers in rows.values_list("assignment", *AssignmentCounts._fields)
    }


def count_submitters(assignments: Iterable[Assignment], members: Members | None = None) -> dict[int, int]:
    """Return how many people, or how many of these members, submitted, by the assignment's id."""
    rows = counted_submissions(assignments).order_by()
    if members is not None:
        rows = rows.filter(student__in=members.order_by().values("pk"))
    return dict(rows.values_list("assignment").annotate(Count("student", distinct=True)))


def count_students(courses: Iterable[Course]) -> dict[int, int]:
    """Return the number of members on the roster, by the course's id: students, and staff who submitted as one."""
    submitted = Submission.objects.present().filter(
        assignment__course=OuterRef("course"), student=OuterRef("user"), trial=False
    )
    rows = Membership.objects.filter(Q(role=Role.STUDENT) | Exists(submitted), course__in=[each.pk for each in courses])
    return dict(rows.order_by().values("course").annotate(count=Count("pk")).values_list("course", "count"))


def course_members(course: Course, assignments: Iterable[Assignment]) -> Members:
    """Return the members of the course by user name, with their membership, if they still have one, as `member`."""
    students = course.memberships.filter(role=Role.STUDENT).order_by().values("user")
    submitters = counted_submissions(assignments).order_by().values("student")
    membership = FilteredRelation("memberships", condition=Q(memberships__course=course))
    rows = User.objects.filter(Q(pk__in=students) | Q(pk__in=submitters)).annotate(member=membership)
    return rows.order_by("username")


def find_by_name(members: Members, text: str) -> Members:
    """Return those of `course_members` whose user name and name have the text in them, in upper or lower case.

    Databases do not agree on what that is outside ASCII.
    """
    text = text.casefold()
    names = members.order_by().values_list("pk", "username", "member__first_name", "member__last_name")
    return members.filter(pk__in=[pk for pk, *name in names if text in " ".join(filter(None, name)).casefold()])


def course_progress(
    course: Course, assignments: Iterable[Assignment] | None = None, *, people: Sequence[int] | None = None
) -> list[MemberProgress]:
    """Return the progress of each member, sorted by user name; or of these `people` alone, in their order.

    Four queries at most, whatever the size of the course.
    """
    columns = {each.pk: each for each in (course.assignments.all() if assignments is None else assignments)}
    memberships, attempts = course.memberships.order_by(), counted_submissions(columns.values())
    if people is not None:
        memberships, attempts = memberships.filter(user__in=people), attempts.filter(student__in=people)
    members: dict[int, MemberProgress] = {}
    staff: dict[int, MemberProgress] = {}
    gone: dict[int, MemberProgress] = {}
    for pk, role, username, first_name, last_name, section in memberships.values_list(
        "user_id", "role", "user__username", "first_name", "last_name", "section"
    ):
        group = members if role == Role.STUDENT else staff
        group[pk] = MemberProgress(username, first_name or "", last_name or "", section)
    for attempt in _read(attempts):
        student = attempt.student_id
        if student not in members:
            members[student] = staff.get(student) or gone.setdefault(student, MemberProgress("", on_roster=False))
        work = members[student].work
        if attempt.assignment_id not in work:
            work[attempt.assignment_id] = AssignmentProgress(columns[attempt.assignment_id])
        _add(work[attempt.assignment_id], attempt)
    for pk, username in User.objects.filter(pk__in=gone).values_list("pk", "username"):
        gone[pk].username = username
    if people is not None:
        return [members[pk] for pk in people if pk in members]
    return sorted(members.values(), key=lambda member: member.username)


def _add(progress: AssignmentProgress, attempt: _Attempt) -> None:
    progress.attempts += 1
    progress.last, progress.last_id = attempt.created, attempt.pk
    progress.late = attempt.late
    progress.collected |= attempt.is_collected
    progress.feedback |= attempt.has_feedback


def _read(submissions: SubmissionQuerySet) -> Iterator[_Attempt]:
    """Yield plain rows, the oldest first: a course may have a hundred thousand."""
    is_collected = Q(collected_at__isnull=False)
    rows = submissions.annotate(is_collected=is_collected, has_feedback=HAS_FEEDBACK, late=deadlines.LATE)
    rows = rows.order_by("created", "pk")
    columns = ("pk", "assignment_id", "student_id", "created", "is_collected", "has_feedback", "late")
    for row in rows.values_list(*columns).iterator(chunk_size=5000):
        yield _Attempt(*row)


# Tables


def table_rows(members: Iterable[MemberProgress], assignments: Iterable[Assignment]) -> Iterator[list[str]]:
    """Yield rows for a spreadsheet: a header, then one for each member, with five columns for each assignment."""
    columns = list(assignments)
    # Spreadsheets and scripts read these names.
    names = ("handed in", "attempts", "late", "collected", "feedback")
    headings = [f"{assignment.name}: {name}" for assignment in columns for name in names]
    yield ["username", "first_name", "last_name", "section", *headings]
    for member in members:
        cells = [member.username, member.first_name, member.last_name, member.section]
        for assignment in columns:
            cells += _cells(member.work.get(assignment.pk))
        yield cells


def _cells(progress: AssignmentProgress | None) -> list[str]:
    if progress is None or progress.last is None:
        return ["", "0", "", "", ""]
    marks = ["yes" if mark else "no" for mark in (progress.late, progress.collected, progress.feedback)]
    return [f"{progress.last:%Y-%m-%d %H:%M:%S}", str(progress.attempts), *marks]


def text_lines(members: Sequence[MemberProgress], assignments: Iterable[Assignment]) -> Iterator[str]:
    """Yield a table for a terminal: a line for each member, a column for each assignment, times in UTC."""
    columns = list(assignments)
    rows = [["username", "name", "section", *(assignment.name for assignment in columns)]]
    for member in members:
        name = member.full_name if member.on_roster else "(not on the roster)"
        cells = (_in_words(member.work.get(assignment.pk)) for assignment in columns)
        rows.append([member.username, name, member.section, *cells])
    students = [member for member in members if member.on_roster]
    counts = [sum(assignment.pk in student.work for student in students) for assignment in columns]
    rows.append(["submitted", "", "", *(f"{count} of {len(students)}" for count in counts)])
    # Control characters in a name must not reach a terminal, which would act on them.
    rows = [["".join(char if char.isprintable() else "?" for char in cell) for cell in row] for row in rows]
    widths = [max(map(len, cells)) for cells in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() + "\n"


def _in_words(progress: AssignmentProgress | None) -> str:
    if progress is None or progress.last is None:
        return "-"
    parts = [f"{progress.last:%Y-%m-%d %H:%M}"]
    parts += ["late"] if progress.late else []
    parts += [f"{progress.attempts} attempts"] if progress.attempts > 1 else []
    parts += ["feedback"] if progress.feedback else ["collected"] if progress.collected else []
    return ", ".join(parts)
