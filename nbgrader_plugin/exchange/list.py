"""`nbgrader list`, and the lists in JupyterLab and formgrader: one request each.

Released assignments come from the server. Of the submissions, instructors see those that the server has (`inbound`); a
student sees the union of the local cache and the server's (`cached`): an emptied home loses nothing.
"""

import json
import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import datetime
from http import HTTPStatus
from pathlib import Path
from typing import TypeVar

from nbgrader.exchange.abc import ExchangeList as ABCExchangeList
from traitlets import Bool

from ..client import times
from ..client.errors import ErrorResponse, ServiceError
from ..client.manifest import BadManifest
from ..client.paths import BadPath
from ..client.printing import printable_line
from ..client.records import Assignment, Submission, parse_assignment, parse_submission
from ..translation import gettext as _
from . import cache, list_rows
from .base import Exchange
from .cache import LocalCopy
from .list_rows import AttemptRow, ReleasedRow, SubmittedRow

Rows = list[ReleasedRow] | list[SubmittedRow]
InCourse = TypeVar("InCourse", Assignment, Submission, LocalCopy)


class ExchangeList(ABCExchangeList, Exchange):
    """nbgrader's rows, with its status, paths and feedback flags."""

    as_json = Bool(False, help="Print the list as JSON (nbgrader list --json).").tag(config=True)

    def start(self) -> Rows:
        with self.raising_exchange_errors():
            rows: Rows = super().start()
            return rows

    def init_src(self) -> None:
        """Do nothing: there is no folder to read."""

    def init_dest(self) -> None:
        """Do nothing: there is no folder to write."""

    def copy_files(self) -> None:
        """Do nothing: nothing is copied."""

    def list_files(self) -> Rows:
        if self.inbound or self.cached:
            return self._show_submitted(_("Submitted assignments:"), self._submitted_rows())
        return self._show_released(_("Released assignments:"), self._released_rows())

    def remove_files(self) -> Rows:
        if not (self.inbound or self.cached):
            released = self._released_rows()
            for assignment in self._assignments:
                self.client.post("courses", assignment.course, "assignments", assignment.name, "withdraw", body={})
            return self._show_released(_("Removing released assignments:"), released)
        submitted = self._submitted_rows()
        if self.cached:
            cache.hide(Path(self.cache), self._submissions)
            cache.remove_copies(self._copies)
        else:
            self._remove_submissions()
        return self._show_submitted(_("Removing submitted assignments:"), submitted)

    def _remove_submissions(self) -> None:
        if not self._submissions:
            return
        try:
            self.client.post("submissions", "withdraw", body={"ids": [found.id for found in self._submissions]})
        except ErrorResponse as error:
            if error.status == HTTPStatus.FORBIDDEN:
                self.fail(_("Only instructors can remove submissions. %(error)s") % {"error": error})
            raise

    # Log

    def _show_released(self, heading: str, rows: list[ReleasedRow]) -> list[ReleasedRow]:
        zone = self.reader_zone()
        self._show(heading, rows, (list_rows.line_of_release(row, zone) for row in rows))
        return rows

    def _show_submitted(self, heading: str, rows: list[SubmittedRow]) -> list[SubmittedRow]:
        attempts = (attempt for row in rows for attempt in row["submissions"])
        self._show(heading, rows, map(list_rows.line_of_attempt, attempts))
        return rows

    def _show(self, heading: str, rows: Rows, lines: Iterable[str]) -> None:
        if self.as_json:
            print(json.dumps(rows, indent=2))
            return
        self.log.info(heading)
        for line in lines:
            self.log.info(printable_line(line))

    # Released

    def load_for_this_click(self) -> None:
        """Ask for the released assignments: whoever lists them in this click (client/recent.py) gets this answer."""
        with suppress(ServiceError):  # they get it as well
            self._released_response()

    def own_due_dates(self) -> dict[str, datetime | None]:
        """Return the due dates of the released assignments of the course, without anybody's extension, by name."""
        assignments = map(parse_assignment, self._released_response())
        return {found.name: found.own_due for found in assignments if found.course == self.coursedir.course_id}

    def _released_response(self) -> list[object]:
        return self.client.get_recent("assignments", **self._filters())

    def _released_rows(self) -> list[ReleasedRow]:
        response = self._released_response()
        assignments = self._in_known_courses([parse_assignment(row) for row in response])
        self._assignments = sorted(assignments, key=lambda assignment: (assignment.course, assignment.name))
        return [self._released_row(assignment) for assignment in self._assignments]

    def _released_row(self, assignment: Assignment) -> ReleasedRow:
        folder = self._folder(assignment.course, assignment.name)
        row: ReleasedRow = {
            "course_id": assignment.course,
            "assignment_id": assignment.name,
            "status": "released",
            "path": self.client.address("courses", assignment.course, "assignments", assignment.name),
            "notebooks": [{"notebook_id": found.notebook_id, "path": found.path} for found in assignment.notebooks],
        }
        if due := assignment.deadline.due:
            row["due"], row["extended"] = times.to_server(due), assignment.deadline.extended
        if folder and folder.exists():
            row["status"], row["path"] = "fetched", str(folder)
            row["notebooks"] = [
                {"notebook_id": path.stem, "path": str(path)} for path in sorted(folder.glob("*.ipynb"))
            ]
        if self.remove:
            row["status"] = "removed"
        return row

    # Submitted

    def _submitted_rows(self) -> list[SubmittedRow]:
        return list_rows.group_by_student(self._cached_rows() if self.cached else self._inbound_rows())

    def _inbound_rows(self) -> list[AttemptRow]:
        response = self.client.get_recent("submissions", **self._filters(), student=self._student())
        self._submissions = self._in_known_courses([parse_submission(row) for row in response])
        return [self._row_of_submission(submission) for submission in self._submissions]

    def _cached_rows(self) -> list[AttemptRow]:
        response = self.client.get_recent("submissions", **self._filters(), mine=True)
        folder, student = Path(self.cache), self._student()
        submissions = [found for found in map(parse_submission, response) if student in ("", found.student)]
        copies = [copy for copy in cache.local_copies(folder, **self._filters()) if student in ("", copy.student)]
        hidden = cache.hidden_ids(folder)
        self._submissions = self._in_known_courses([found for found in submissions if str(found.id) not in hidden])
        self._copies = self._in_known_courses(copies)
        listed = {cache.find_folder(folder, found, self.timestamp_text(found.timestamp)) for found in submissions}
        rows = [self._row_of_submission(submission) for submission in self._submissions]
        return rows + [self._row_of_copy(copy) for copy in self._copies if copy.folder not in listed]

    def _row_of_submission(self, submission: Submission) -> AttemptRow:
        timestamp = self.timestamp_text(submission.timestamp)
        place = self.client.address("submissions", submission.id)
        if self.cached:
            copy = cache.find_folder(Path(self.cache), submission, timestamp)
            place = str(copy) if copy and copy.is_dir() else place
        try:
            feedback = submission.feedback()
        except BadManifest:
            feedback = []
        pages = {file.path: file for file in feedback}
        folder = self._feedback_folder(submission.course, submission.assignment, timestamp)
        notebooks = [
            list_rows.submitted_notebook(
                found.notebook_id, os.path.join(place, found.path), folder, pages.get(f"{found.notebook_id}.html")
            )
            for found in submission.notebooks
        ]
        row = self._row(submission, timestamp, place, notebooks, folder)
        if self.inbound:
            row["random_string"] = str(submission.id)
        if submission.late and submission.repeats is None:
            row["late"] = True
        return row

    def rows_of_copies(self) -> list[SubmittedRow]:
        """Return what was submitted from this computer, without the server."""
        copies = cache.local_copies(Path(self.cache), **self._filters())
        return list_rows.group_by_student([self._row_of_copy(copy) for copy in copies])

    def _row_of_copy(self, copy: LocalCopy) -> AttemptRow:
        folder = self._feedback_folder(copy.course, copy.assignment, copy.timestamp)
        notebooks = [
            list_rows.submitted_notebook(path.stem, str(path), folder, None)
            for path in sorted(copy.folder.glob("*.ipynb"))
        ]
        return self._row(copy, copy.timestamp, str(copy.folder), notebooks, folder)

    def _row(
        self,
        found: Submission | LocalCopy,
        timestamp: str,
        place: str,
        notebooks: list[list_rows.SubmittedNotebook],
        feedback_folder: Path | None,
    ) -> AttemptRow:
        has_local = bool(notebooks) and all(notebook["has_local_feedback"] for notebook in notebooks)
        return {
            "course_id": found.course,
            "student_id": found.student,
            "assignment_id": found.assignment,
            "timestamp": timestamp,
            "status": "removed" if self.remove else "submitted",
            "path": place,
            "notebooks": notebooks,
            "has_local_feedback": has_local,
            "has_exchange_feedback": bool(notebooks) and all(page["has_exchange_feedback"] for page in notebooks),
            "feedback_updated": any(notebook["feedback_updated"] for notebook in notebooks),
            "local_feedback_path": str(feedback_folder) if has_local else None,
        }

    # Filters and folders

    def _filters(self) -> dict[str, str]:
        course = self.coursedir.course_id
        return {"course": "" if course == "*" else course, "assignment": self.coursedir.assignment_id}

    def _student(self) -> str:
        student = self.coursedir.student_id
        return "" if student == "*" else str(student)

    def _in_known_courses(self, found: Sequence[InCourse]) -> list[InCourse]:
        """Leave out what is in courses that another authenticator than ours does not know."""
        courses = self.courses_of_other_authenticator()
        return [item for item in found if courses is None or item.course in courses]

    def _folder(self, course: str, assignment: str) -> Path | None:
        """Return the student's folder; None for a name that cannot be a folder here."""
        try:
            return self.local_folder(course, assignment)
        except BadPath:
            return None

    def _feedback_folder(self, course: str, assignment: str, timestamp: str) -> Path | None:
        folder = self._folder(course, assignment)
        return folder / "feedback" / timestamp if folder else None
