"""Due dates in nbgrader's gradebook, if there is one; reading never makes one."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone

from nbgrader.api import Gradebook, MissingEntry
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
            assignment = gradebook.find_assignment(coursedir.assignment_id)
        except MissingEntry:
            return DueDates()
        if assignment.duedate is None:
            return DueDates()
        extensions = {found.student_id: found.extension for found in assignment.submissions if found.extension}
        return DueDates(assignment.duedate.replace(tzinfo=timezone.utc), extensions)
