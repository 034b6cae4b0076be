"""Due dates in nbgrader's gradebook, if there is one; reading never makes one."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone

from nbgrader.api import Assignment, Gradebook, MissingEntry
from nbgrader.coursedir import CourseDirectory

SQLITE = "sqlite:///"


@dataclass(frozen=True)
class DueDates:
    """When an assignment is due, and who has longer."""

    due: datetime | None = None
    extensions: Mapping[str, timedelta] = field(default_factory=dict)

    def of(self, student: str) -> datetime | None:
        """Return the due date of one student, aware, in UTC; None if there is none."""
        if self.due is None:
            return None
        try:
            return self.due + self.extensions.get(student, timedelta())
        except OverflowError:  # an extension to the end of time
            return datetime.max.replace(tzinfo=timezone.utc)


def gradebook_exists(coursedir: CourseDirectory) -> bool:
    """Return whether there is a gradebook. One on a database server counts as existing: nbgrader made it before."""
    url = coursedir.db_url
    if not url.startswith(SQLITE):
        return not url.startswith("sqlite:")  # the other SQLite addresses are in memory
    return os.path.isfile(url.removeprefix(SQLITE).split("?")[0])


def read_due_dates(coursedir: CourseDirectory) -> DueDates:
    """Return the due date of the assignment, and the extensions (on SubmittedAssignment, after autograding)."""
    if not gradebook_exists(coursedir):
        return DueDates()
    with Gradebook(coursedir.db_url, coursedir.course_id) as gradebook:
        try:
            return due_dates_of(gradebook.find_assignment(coursedir.assignment_id))
        except MissingEntry:
            return DueDates()


def read_all_due_dates(coursedir: CourseDirectory) -> dict[str, datetime | None]:
    """Return the due dates of all assignments of the gradebook, aware, in UTC, by name."""
    if not gradebook_exists(coursedir):
        return {}
    with Gradebook(coursedir.db_url, coursedir.course_id) as gradebook:
        return {assignment.name: _aware(assignment.duedate) for assignment in gradebook.assignments}


def due_dates_of(assignment: Assignment) -> DueDates:
    if assignment.duedate is None:
        return DueDates()
    extensions = {found.student_id: found.extension for found in assignment.submissions if found.extension}
    return DueDates(_aware(assignment.duedate), extensions)


def set_due_date(gradebook: Gradebook, assignment: str, due: datetime | None) -> None:
    gradebook.update_or_create_assignment(assignment, duedate=due)  # nbgrader makes it naive UTC


def set_due_date_of(gradebook: Gradebook, assignment: str, student: str, due: datetime | None) -> None:
    """Give a student another due date, with nbgrader's `grant_extension`; none where it is not later.

    A student without a submission in the gradebook gets one, as from autograde, for that is where nbgrader keeps it.
    """
    own = _aware(gradebook.find_assignment(assignment).duedate)
    longer = due - own if due and own and due > own else timedelta()
    gradebook.update_or_create_student(student)
    gradebook.update_or_create_submission(assignment, student)
    gradebook.grant_extension(assignment, student, minutes=longer / timedelta(minutes=1))


def _aware(moment: datetime | None) -> datetime | None:
    return moment and moment.replace(tzinfo=timezone.utc)
