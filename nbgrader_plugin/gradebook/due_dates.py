"""Reading nbgrader's gradebook where there is one; none is ever made here by looking."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from nbgrader.api import Gradebook, MissingEntry
from nbgrader.coursedir import CourseDirectory

SQLITE = "sqlite:///"


@dataclass(frozen=True)
class DueDates:
    """When an assignment is due, and who has longer."""

    due: datetime | None = None
    extensions: Mapping[str, timedelta] = field(default_factory=dict)

    def of(self, student: str) -> datetime | None:
        """The due date of one student, aware, in UTC; None if there is none."""
        return None if self.due is None else self.due + self.extensions.get(student, timedelta())


def exists(coursedir: CourseDirectory) -> bool:
    """Whether there is a gradebook. A database server's counts as there: nbgrader has made it before."""
    url = coursedir.db_url
    if not url.startswith(SQLITE):
        return not url.startswith("sqlite:")  # what is left of those is in memory
    return os.path.isfile(url.removeprefix(SQLITE).split("?")[0])


def due_dates(coursedir: CourseDirectory) -> DueDates:
    """The due date of the assignment, and the extensions granted (on SubmittedAssignment, after autograding)."""
    if not exists(coursedir):
        return DueDates()
    with Gradebook(coursedir.db_url, coursedir.course_id) as gradebook:
        try:
            assignment = gradebook.find_assignment(coursedir.assignment_id)
        except MissingEntry:
            return DueDates()
        if assignment.duedate is None:
            return DueDates()
        extensions = {work.student_id: work.extension for work in assignment.submissions if work.extension}
        return DueDates(assignment.duedate.replace(tzinfo=UTC), extensions)


def due_date(coursedir: CourseDirectory) -> datetime | None:
    return due_dates(coursedir).due
