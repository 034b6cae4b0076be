"""`nbgrader list`, and the lists in JupyterLab and formgrader: one request each.

What is released comes from the server. Of what was submitted, instructors see what the server has (`inbound`); a
student sees the union of the local cache and what the server knows (`cached`): an emptied home loses nothing.
"""

import hashlib
import json
import os
from pathlib import Path
from typing import Any

from nbgrader.exchange.abc import ExchangeList as ABCExchangeList
from traitlets import Bool

from ..client import records
from ..client.errors import BadPath, Refused, ServiceError
from ..client.manifest import File
from ..client.records import Assignment, Submission
from . import cache as submitted
from .base import FORBIDDEN, Exchange

Row = dict[str, Any]  # as nbgrader's server extensions read it


class ExchangeList(ABCExchangeList, Exchange):
    """nbgrader's rows, with its status, paths and feedback flags."""

    as_json = Bool(False, help="Print the list as JSON (nbgrader list --json).").tag(config=True)

    def start(self) -> list[Row]:
        with self.failing_well():
            found: list[Row] = super().start()
            return found

    def init_src(self) -> None:
        """Nothing is read before it is listed."""

    def init_dest(self) -> None:
        """Nothing is written."""

    def copy_files(self) -> None:
        """Nothing is copied."""

    def list_files(self) -> list[Row]:
        rows = self._rows()
        heading = "Submitted assignments:" if self.inbound or self.cached else "Released assignments:"
        return self._tell(heading, rows)

    def remove_files(self) -> list[Row]:
        rows = self._rows()
        heading = "Removing submitted assignments:" if self.inbound or self.cached else "Removing released assignments:"
        if self.cached:
            submitted.hide(Path(self.cache), self._found)
            submitted.remove(copy.folder for copy in self._copies)
        elif self.inbound:
            self._withdraw_submissions()
        else:
            for assignment in self._found:
                self.client.post("courses", assignment.course, "assignments", assignment.name, "withdraw", body={})
        return self._tell(heading, rows)

    def _withdraw_submissions(self) -> None:
        if not self._found:
            return
        try:
            self.client.post("submissions", "withdraw", body={"ids": [found.id for found in self._found]})
        except Refused as error:
            if error.status == FORBIDDEN:
                self.fail(f"What was handed in can be removed by instructors alone. {error}")
            raise

    def _tell(self, heading: str, rows: list[Row]) -> list[Row]:
        if self.as_json:
            print(json.dumps(rows, indent=2))
            return rows
        self.log.info(heading)
        for row in rows:
            for one in row.get("submissions", [row]):
                self.log.info(self._line(one))
        return rows

    def _line(self, row: Row) -> str:
        if "timestamp" not in row:
            line = f"{row['course_id']} {row['assignment_id']}"
            return f"{line} (already downloaded)" if row["status"] == "fetched" else line
        state = "no feedback available"
        if row.get("has_local_feedback") and not row.get("feedback_updated"):
            state = "feedback already fetched"
        elif row.get("has_exchange_feedback"):
            state = "feedback ready to be fetched"
        return f"{row['course_id']} {row['student_id']} {row['assignment_id']} {row['timestamp']} ({state})"

    # Rows

    def _filters(self) -> dict[str, str]:
        course = self.coursedir.course_id
        return {"course": "" if course == "*" else course, "assignment": self.coursedir.assignment_id}

    def _rows(self) -> list[Row]:
        if self.cached:
            return self._cached_rows()
        if self.inbound:
            return self._inbound_rows()
        answer = self.client.recent_pages("assignments", **self._filters())
        found = self._mine([records.assignment(row) for row in answer])
        self._found: list[Any] = sorted(found, key=lambda one: (one.course, one.name))
        return [self._released_row(one) for one in self._found]

    def _mine(self, found: list[Any]) -> list[Any]:
        """Those of the courses that another authenticator than ours knows of."""
        courses = self.foreign_courses()
        return [one for one in found if courses is None or one.course in courses]

    def _released_row(self, assignment: Assignment) -> Row:
        row: Row = {"course_id": assignment.course, "assignment_id": assignment.name}
        folder = self._folder(assignment.course, assignment.name)
        if folder and folder.exists():
            notebooks = sorted(folder.glob("*.ipynb"))
            row |= {"status": "fetched", "path": str(folder)}
            row["notebooks"] = [{"notebook_id": one.stem, "path": str(one)} for one in notebooks]
        else:
            place = self.client.address("courses", assignment.course, "assignments", assignment.name)
            row |= {"status": "released", "path": place}
            row["notebooks"] = [{"notebook_id": one.notebook_id, "path": one.path} for one in assignment.notebooks]
        return row | {"status": "removed"} if self.remove else row

    def _folder(self, course: str, assignment: str) -> Path | None:
        try:
            return self.local_folder(course, assignment)
        except BadPath:
            return None  # a name that cannot be a folder here has none

    def _student_filter(self) -> str:
        student = self.coursedir.student_id
        return "" if student == "*" else str(student)

    def _inbound_rows(self) -> list[Row]:
        answer = self.client.recent_pages("submissions", **self._filters(), student=self._student_filter())
        self._found = self._mine([records.submission(row) for row in answer])
        return _grouped([self._submitted_row(one) for one in self._found])

    def _cached_rows(self) -> list[Row]:
        answer = self.client.recent_pages("submissions", **self._filters(), mine=True)
        cache, student = Path(self.cache), self._student_filter()
        known = [one for one in map(records.submission, answer) if student in ("", one.student)]
        hidden = submitted.hidden(cache)
        copies = [one for one in submitted.local_copies(cache, **self._filters()) if student in ("", one.student)]
        self._found = self._mine([one for one in known if str(one.id) not in hidden])
        self._copies = self._mine(copies)
        rows = [self._submitted_row(one) for one in self._found]
        there = {submitted.copy_folder(cache, one, self.timestamp_text(one.timestamp)) for one in known}
        return _grouped(rows + [self._local_row(copy) for copy in self._copies if copy.folder not in there])

    def _submitted_row(self, submission: Submission) -> Row:
        timestamp = self.timestamp_text(submission.timestamp)
        place = self.client.address("submissions", submission.id)
        if self.cached:
            copy = submitted.copy_folder(Path(self.cache), submission, timestamp)
            place = str(copy) if copy and copy.is_dir() else place
        row: Row = {
            "course_id": submission.course,
            "student_id": submission.student,
            "assignment_id": submission.assignment,
            "timestamp": timestamp,
            "status": "submitted",
            "path": place,
        }
        if self.inbound:
            row["random_string"] = str(submission.id)
        try:
            feedback = {file.path: file for file in submission.feedback()}
        except (ServiceError, BadPath):
            feedback = {}
        names = [(one.notebook_id, os.path.join(place, one.path)) for one in submission.notebooks]
        return self._with_feedback(row, names, feedback)

    def _local_row(self, local: submitted.LocalCopy) -> Row:
        row: Row = {
            "course_id": local.course,
            "student_id": local.student,
            "assignment_id": local.assignment,
            "timestamp": local.timestamp,
            "status": "submitted",
            "path": str(local.folder),
        }
        names = [(path.stem, str(path)) for path in sorted(local.folder.glob("*.ipynb"))]
        return self._with_feedback(row, names, {})

    def _with_feedback(self, row: Row, names: list[tuple[str, str]], feedback: dict[str, File]) -> Row:
        folder = self._folder(row["course_id"], row["assignment_id"])
        local = folder / "feedback" / row["timestamp"] if folder else None
        notebooks = [_notebook(name, path, local, feedback.get(f"{name}.html")) for name, path in names]
        has_local = bool(notebooks) and all(one["has_local_feedback"] for one in notebooks)
        row |= {
            "notebooks": notebooks,
            "has_local_feedback": has_local,
            "has_exchange_feedback": bool(notebooks) and all(one["has_exchange_feedback"] for one in notebooks),
            "feedback_updated": any(one["feedback_updated"] for one in notebooks),
            "local_feedback_path": str(local) if has_local else None,
        }
        return row | {"status": "removed"} if self.remove else row


def _grouped(rows: list[Row]) -> list[Row]:
    groups: dict[tuple[str, str, str], list[Row]] = {}
    for row in rows:
        groups.setdefault((row["course_id"], row["student_id"], row["assignment_id"]), []).append(row)
    return [
        {
            "course_id": course,
            "student_id": student,
            "assignment_id": assignment,
            "status": group[0]["status"],
            "submissions": sorted(group, key=lambda row: row["timestamp"]),
        }
        for (course, student, assignment), group in sorted(groups.items())
    ]


def _notebook(name: str, path: str, local: Path | None, feedback: File | None) -> Row:
    page = local / f"{name}.html" if local and "/" not in name else None
    is_here = page is not None and page.is_file()
    return {
        "notebook_id": name,
        "path": path,
        "has_local_feedback": is_here,
        "has_exchange_feedback": feedback is not None,
        "local_feedback_path": str(page) if is_here else None,
        "feedback_updated": is_here and feedback is not None and _sha256(page) != feedback.sha256,
    }


def _sha256(page: Path | None) -> str:
    return hashlib.sha256(page.read_bytes()).hexdigest() if page else ""
