"""Students in nbgrader's gradebook on this computer, for the plugin's commands; see also gradebook.py."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from nbgrader.api import Gradebook, MissingEntry
from nbgrader.coursedir import CourseDirectory

from ..cli.output import CommandFailed
from . import due_dates as gradebook
from .roster import NAMES


@dataclass(frozen=True)
class Student:
    """A student as the gradebook has them."""

    names: Mapping[str, str]  # first_name, last_name, email, where they are not empty
    graded: int  # submissions that would be deleted with the student


class CourseGradebook:
    """The students of one gradebook. No authenticator: what happens here stays here."""

    def __init__(self, opened: Gradebook) -> None:
        self._gradebook = opened

    def students(self) -> dict[str, Student]:
        return {
            student.id: Student(
                {name: getattr(student, name) for name in NAMES if getattr(student, name)}, len(student.submissions)
            )
            for student in self._gradebook.students
        }

    def add(self, username: str, names: Mapping[str, str]) -> None:
        """Add or change a student; what is not said stays."""
        self._gradebook.update_or_create_student(username, **names)

    def remove(self, username: str, *, force: bool) -> None:
        """Delete a student; with grades only by `force`, CommandFailed without. One who is not there is no error."""
        try:
            student = self._gradebook.find_student(username)
        except MissingEntry:
            return
        if student.submissions and not force:
            raise CommandFailed(
                f"{username} has grades in the gradebook and stays in it. To delete them as well: --force."
            )
        self._gradebook.remove_student(username)


def unusable(coursedir: CourseDirectory, course: str, *, make: bool = False) -> str:
    """Why the gradebook of the folder one is in is not to be used for a course; empty if it is.

    With `make`, or where nbgrader_config.py names the course, one that is not there yet will be made.
    """
    if coursedir.course_id and coursedir.course_id != course:
        return f"The gradebook here is that of '{coursedir.course_id}'."
    if not (make or coursedir.course_id or gradebook.exists(coursedir)):
        return "There is no gradebook here."
    return ""


@contextmanager
def opened(coursedir: CourseDirectory, course: str) -> Iterator[CourseGradebook]:
    with Gradebook(coursedir.db_url, course) as found:
        yield CourseGradebook(found)
