"""Due dates in the service and in nbgrader's gradebook side by side: where they differ, and how to make them agree.

nbgrader's gradebook knows a due date of the assignment, and for students who have something in it an extension, which
is a length of time. The service knows more (docs/deadlines.md), of which a student's due date in force is compared.
"""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from nbgrader.api import Assignment, Gradebook
from nbgrader.coursedir import CourseDirectory

from .deadlines import CourseDeadlines, MemberDeadline, StateChange
from .due_dates import due_dates_of, set_due_date, set_due_date_of
from .sync import BOTH, TO_GRADEBOOK

TO_SERVICE = "to-service"
FROM_GRADEBOOK = "granted in nbgrader's gradebook"  # the reason of an extension that has no other


@dataclass(frozen=True)
class Side:
    """The due date of one assignment on one side, and of the students who have another one."""

    due: datetime | None
    others: Mapping[str, datetime | None] = field(default_factory=dict)

    def of(self, student: str) -> datetime | None:
        return self.others.get(student, self.due)


@dataclass(frozen=True)
class Difference:
    """What the sides say of an assignment, or of a student of it, where they differ."""

    assignment: str
    student: str  # empty: everybody
    in_service: datetime | None
    in_gradebook: datetime | None
    is_extended: bool = False  # whether the service has another due date for the student than for everybody


@dataclass(frozen=True)
class Step:
    """One due date that is written on one side."""

    assignment: str
    student: str  # empty: everybody
    side: str  # TO_GRADEBOOK or TO_SERVICE; where the change is made
    due: datetime | None


def compare(
    name: str, deadlines: CourseDeadlines, gradebook: Gradebook, coursedir: CourseDirectory
) -> list[Difference]:
    """Return the differences of an assignment that both sides have."""
    local, members = gradebook.find_assignment(name), deadlines.members(name)
    service = service_side(deadlines.assignment(name).terms.due, members, having_work(local, members, coursedir))
    return find_differences(name, service, gradebook_side(local, members))


def service_side(due: datetime | None, members: Iterable[MemberDeadline], with_work: set[str]) -> Side:
    """Return the service's side. The gradebook cannot know of students who have nothing in it."""
    others = {member.username: member.terms.due for member in members if member.terms.due != due}
    return Side(due, {name: own for name, own in others.items() if name in with_work})


def gradebook_side(assignment: Assignment, members: Iterable[MemberDeadline]) -> Side:
    """Return the gradebook's side. An extension of somebody who is not on the roster concerns nobody."""
    dates = due_dates_of(assignment)
    names = {member.username for member in members} & dates.extensions.keys()
    return Side(dates.due, {name: dates.of(name) for name in names})


def having_work(assignment: Assignment, members: Iterable[MemberDeadline], coursedir: CourseDirectory) -> set[str]:
    """Return who has something in the gradebook, or will have with the next autograde.

    nbgrader takes the penalty for late work from the extension that it finds while it autogrades.
    """
    known = {submission.student_id for submission in assignment.submissions}
    collected = set()
    if assignment.notebooks:
        place = coursedir.submitted_directory
        for member in members:
            if os.path.isdir(coursedir.format_path(place, member.username, assignment.name)):
                collected.add(member.username)
    return known | collected


def find_differences(name: str, service: Side, gradebook: Side) -> list[Difference]:
    """Return the differences, the assignment's own first.

    Where that differs, everybody who has another due date is listed: nbgrader's extensions move with it.
    """
    moves = service.due != gradebook.due
    found = [Difference(name, "", service.due, gradebook.due)] if moves else []
    for student in sorted(service.others.keys() | gradebook.others.keys()):
        sides = service.of(student), gradebook.of(student)
        if moves or sides[0] != sides[1]:
            found.append(Difference(name, student, *sides, is_extended=student in service.others))
    return found


def plan_steps(differences: Sequence[Difference], direction: str) -> list[Step]:
    """Return what to do. In both directions each side gets what it lacks, and students the later of two due dates.

    Which of two due dates of the assignment itself is right, only a person can say: then nothing is done in both
    directions. No extension in the service becomes shorter.
    """
    own = {found.assignment: found for found in differences if not found.student}
    steps: list[Step] = []
    for found in differences:
        of_assignment = own.get(found.assignment)
        if direction == BOTH and of_assignment and of_assignment.in_service and of_assignment.in_gradebook:
            continue
        steps += _steps_of_student(found, direction) if found.student else _steps_of_assignment(found, direction)
    return steps


def _steps_of_assignment(found: Difference, direction: str) -> list[Step]:
    to_gradebook = found.in_gradebook is None if direction == BOTH else direction == TO_GRADEBOOK
    side, due = (TO_GRADEBOOK, found.in_service) if to_gradebook else (TO_SERVICE, found.in_gradebook)
    return [Step(found.assignment, "", side, due)]


def _steps_of_student(found: Difference, direction: str) -> list[Step]:
    in_service, in_gradebook = found.in_service, found.in_gradebook
    is_longer = in_gradebook is not None and (in_service is None or in_gradebook > in_service)
    if direction == TO_GRADEBOOK or (direction == BOTH and not is_longer):
        return [Step(found.assignment, found.student, TO_GRADEBOOK, in_service)]
    return [Step(found.assignment, found.student, TO_SERVICE, in_gradebook)] if is_longer else []


def preview(steps: Iterable[Step], deadlines: CourseDeadlines) -> dict[str, list[StateChange]]:
    """Return whose state the due dates of assignments change in the service, if anybody's. Nothing is changed."""
    changes = {
        step.assignment: deadlines.change(step.assignment, {"due": step.due}, dry_run=True)
        for step in steps
        if step.side == TO_SERVICE and not step.student
    }
    return {assignment: found for assignment, found in changes.items() if found}


def apply_steps(steps: Sequence[Step], deadlines: CourseDeadlines, gradebook: Gradebook) -> None:
    """Make the changes; the due dates of assignments first, since extensions are longer than those."""
    for step in sorted(steps, key=lambda step: bool(step.student)):
        if step.side == TO_SERVICE and not step.student:
            deadlines.change(step.assignment, {"due": step.due})
        elif step.side == TO_SERVICE:
            deadlines.grant(step.assignment, [_grant(step, deadlines)])
        elif step.student:
            set_due_date_of(gradebook, step.assignment, step.student, step.due)
        else:
            set_due_date(gradebook, step.assignment, step.due)


def _grant(step: Step, deadlines: CourseDeadlines) -> dict[str, object]:
    """Return the extension for a step, with what the student's present one has besides a due date."""
    grant: dict[str, object] = {"student": step.student, "due": step.due, "reason": FROM_GRADEBOOK}
    for found in deadlines.extensions(step.assignment):
        if found.student == step.student:
            cut_off = found.cut_off if found.cut_off and step.due and found.cut_off >= step.due else None
            grant |= {"cut_off": cut_off, "attempts": found.attempts, "reason": found.reason or FROM_GRADEBOOK}
    return grant
