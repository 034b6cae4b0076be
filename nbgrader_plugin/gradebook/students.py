"""Students in nbgrader's gradebook on this computer."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from nbgrader.api import Gradebook, MissingEntry, Student
from nbgrader.coursedir import CourseDirectory

from ..translation import gettext as _
from .due_dates import gradebook_exists
from .roster import NAMES, NotRemoved


class CourseGradebook:
    """The students of one gradebook. It has no authenticator: changes here do not reach the roster."""

    def __init__(self, gradebook: Gradebook) -> None:
        self._gradebook = gradebook

    def students(self) -> dict[str, dict[str, str]]:
        """Return the names of each student (first_name, last_name, email, where not empty), by user name."""
        return {
            student.id: {name: getattr(student, name) for name in NAMES if getattr(student, name)}
            for student in self._gradebook.students
        }

    def add(self, username: str, names: Mapping[str, str]) -> None:
        """Add or change a student; names that are not given stay."""
        self._gradebook.update_or_create_student(username, **names)

    def add_all(self, people: Mapping[str, Mapping[str, str]]) -> None:
        """Add or change many students at once; names that are not given stay."""
        known = {student.id: student for student in self._gradebook.students} if people else {}
        for username, names in people.items():
            student = known.get(username)
            if student is None:
                self._gradebook.db.add(Student(id=username, **names))
                continue
            for name, value in names.items():
                setattr(student, name, value)
        self._gradebook.db.commit()

    def remove(self, username: str, *, force: bool) -> None:
        """Delete a student, if there is one; raise NotRemoved for one with grades, unless `force`."""
        try:
            student = self._gradebook.find_student(username)
        except MissingEntry:
            return
        if student.submissions and not force:
            raise NotRemoved(
                _("%(username)s has grades in the gradebook and stays in it. To delete them as well: --force.")
                % {"username": username}
            )
        self._gradebook.remove_student(username)


def reason_not_to_use(coursedir: CourseDirectory, course: str, *, create: bool = False) -> str:
    """Return why the gradebook of the current folder must not be used for a course; empty if it may.

    With `create`, or where nbgrader_config.py names the course, a gradebook that does not exist will be created.
    """
    if coursedir.course_id and coursedir.course_id != course:
        return _("The gradebook here is that of '%(course)s'.") % {"course": coursedir.course_id}
    if not (create or coursedir.course_id or gradebook_exists(coursedir)):
        return _("There is no gradebook here.")
    return ""


@contextmanager
def open_gradebook(coursedir: CourseDirectory, course: str) -> Iterator[CourseGradebook]:
    with Gradebook(coursedir.db_url, course) as gradebook:
        yield CourseGradebook(gradebook)
