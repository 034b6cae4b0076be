"""Who has handed in: the status of a course, member by assignment, in a constant number of queries."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef

from courses.models import Course, Role
from exchange.models import Assignment, Feedback, Submission


@dataclass(slots=True)
class AssignmentProgress:
    """What one member did for one assignment."""

    assignment: Assignment
    attempts: int = 0
    last: datetime | None = None
    late: bool = False  # is the last attempt late?
    collected: bool = False  # was any attempt collected?
    feedback: bool = False  # is there feedback on any attempt?
    last_id: int | None = None


@dataclass(slots=True)
class MemberProgress:
    """One person's work; of someone who left the roster the names are not known any more."""

    username: str
    first_name: str = ""
    last_name: str = ""
    section: str = ""
    on_roster: bool = True
    work: dict[int, AssignmentProgress] = field(default_factory=dict)  # by the assignment's id

    @property
    def full_name(self) -> str:
        return " ".join(part for part in (self.first_name, self.last_name) if part)


def course_progress(course: Course, assignments: Iterable[Assignment] | None = None) -> list[MemberProgress]:
    """A line for each student, and for whoever else handed in, sorted by user name. Three queries, whatever the size.

    Trials and what staff withdrew are left out.
    """
    columns = {one.pk: one for one in (course.assignments.all() if assignments is None else assignments)}
    lines: dict[int, MemberProgress] = {}
    staff: dict[int, MemberProgress] = {}
    for pk, role, username, first_name, last_name, section in course.memberships.order_by().values_list(
        "user_id", "role", "user__username", "first_name", "last_name", "section"
    ):
        known = lines if role == Role.STUDENT else staff
        known[pk] = MemberProgress(username, first_name or "", last_name or "", section)
    for pk, assignment, student, username, created, collected_at, has_feedback in _attempts(columns):
        line = lines.get(student)
        if line is None:
            line = lines[student] = staff.get(student) or MemberProgress(username, on_roster=False)
        work = line.work.get(assignment)
        if work is None:
            work = line.work[assignment] = AssignmentProgress(columns[assignment])
        work.attempts += 1
        work.last, work.last_id = created, pk
        work.late = work.assignment.due is not None and created > work.assignment.due
        work.collected |= collected_at is not None
        work.feedback |= has_feedback
    return sorted(lines.values(), key=lambda line: line.username)


def _attempts(assignments: Iterable[int]) -> Iterator[tuple[Any, ...]]:
    """Plain rows, the oldest first: a course may have a hundred thousand."""
    returned = Feedback.objects.filter(submission=OuterRef("pk"))
    rows = Submission.objects.present().filter(assignment__in=list(assignments), trial=False)
    rows = rows.annotate(has_feedback=Exists(returned)).order_by("created", "pk")
    columns = ("pk", "assignment_id", "student_id", "student__username", "created", "collected_at", "has_feedback")
    yield from rows.values_list(*columns).iterator(chunk_size=5000)


def table_rows(lines: Iterable[MemberProgress], assignments: Iterable[Assignment]) -> Iterator[list[str]]:
    """The status for a spreadsheet: a row for each member, five columns for each assignment."""
    columns = list(assignments)
    of_each = ("handed in", "attempts", "late", "collected", "feedback")
    yield [
        "username",
        "first_name",
        "last_name",
        "section",
        *(f"{one.name}: {what}" for one in columns for what in of_each),
    ]
    for line in lines:
        cells = [line.username, line.first_name, line.last_name, line.section]
        for one in columns:
            cells += _cells(line.work.get(one.pk))
        yield cells


def _cells(work: AssignmentProgress | None) -> list[str]:
    if work is None or work.last is None:
        return ["", "0", "", "", ""]
    marks = ["yes" if mark else "no" for mark in (work.late, work.collected, work.feedback)]
    return [f"{work.last:%Y-%m-%d %H:%M:%S}", str(work.attempts), *marks]


def text_lines(lines: Sequence[MemberProgress], assignments: Iterable[Assignment]) -> Iterator[str]:
    """The status for a terminal: a line for each member, a column for each assignment; times are in UTC."""
    columns = list(assignments)
    rows = [["username", "name", "section", *(one.name for one in columns)]]
    for line in lines:
        name = line.full_name if line.on_roster else "(not on the roster)"
        rows.append([line.username, name, line.section, *(_in_words(line.work.get(one.pk)) for one in columns)])
    counts = [sum(one.pk in line.work for line in lines) for one in columns]
    rows.append(["handed in", "", "", *(f"{count} of {len(lines)}" for count in counts)])
    # What a terminal would act on is not written.
    rows = [["".join(char if char.isprintable() else "?" for char in cell) for cell in row] for row in rows]
    widths = [max(map(len, cells)) for cells in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() + "\n"


def _in_words(work: AssignmentProgress | None) -> str:
    if work is None or work.last is None:
        return "-"
    said = [f"{work.last:%Y-%m-%d %H:%M}"]
    said += ["late"] if work.late else []
    said += [f"{work.attempts} attempts"] if work.attempts > 1 else []
    said += ["feedback"] if work.feedback else ["collected"] if work.collected else []
    return ", ".join(said)
