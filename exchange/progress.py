"""The progress of a course: who has submitted, by member and assignment, in a constant number of queries."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from django.db.models import Exists, OuterRef, Q

from courses.models import Course, Role, User
from exchange import deadlines
from exchange.models import Assignment, Feedback, Submission


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


class _Attempt(NamedTuple):
    pk: int
    assignment_id: int
    student_id: int
    created: datetime
    is_collected: bool
    has_feedback: bool


def course_progress(course: Course, assignments: Iterable[Assignment] | None = None) -> list[MemberProgress]:
    """Return the progress of each student, and of whoever else submitted, sorted by user name.

    Trials and what staff withdrew are left out. Four queries at most, whatever the size of the course.
    """
    columns = {each.pk: each for each in (course.assignments.all() if assignments is None else assignments)}
    members: dict[int, MemberProgress] = {}
    staff: dict[int, MemberProgress] = {}
    gone: dict[int, MemberProgress] = {}
    for pk, role, username, first_name, last_name, section in course.memberships.order_by().values_list(
        "user_id", "role", "user__username", "first_name", "last_name", "section"
    ):
        group = members if role == Role.STUDENT else staff
        group[pk] = MemberProgress(username, first_name or "", last_name or "", section)
    for attempt in _attempts(columns):
        student = attempt.student_id
        if student not in members:
            members[student] = staff.get(student) or gone.setdefault(student, MemberProgress("", on_roster=False))
        work = members[student].work
        if attempt.assignment_id not in work:
            work[attempt.assignment_id] = AssignmentProgress(columns[attempt.assignment_id])
        _add(work[attempt.assignment_id], attempt)
    for pk, username in User.objects.filter(pk__in=gone).values_list("pk", "username"):
        gone[pk].username = username
    return sorted(members.values(), key=lambda member: member.username)


def _add(progress: AssignmentProgress, attempt: _Attempt) -> None:
    progress.attempts += 1
    progress.last, progress.last_id = attempt.created, attempt.pk
    progress.late = deadlines.is_late(attempt.created, progress.assignment.due)
    progress.collected |= attempt.is_collected
    progress.feedback |= attempt.has_feedback


def _attempts(assignments: Iterable[int]) -> Iterator[_Attempt]:
    """Yield plain rows, the oldest first: a course may have a hundred thousand."""
    feedback = Feedback.objects.filter(submission=OuterRef("pk"))
    rows = Submission.objects.present().filter(assignment__in=list(assignments), trial=False)
    is_collected = Q(collected_at__isnull=False)
    rows = rows.annotate(is_collected=is_collected, has_feedback=Exists(feedback)).order_by("created", "pk")
    columns = ("pk", "assignment_id", "student_id", "created", "is_collected", "has_feedback")
    for row in rows.values_list(*columns).iterator(chunk_size=5000):
        yield _Attempt(*row)


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
