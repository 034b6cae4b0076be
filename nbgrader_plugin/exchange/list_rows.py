"""The rows of `nbgrader list` as nbgrader's server extensions read them (nbgrader/exchange/default/list.py)."""

import hashlib
from collections.abc import Iterable
from datetime import tzinfo
from pathlib import Path
from typing import TypedDict

from ..client import times
from ..client.manifest import File
from ..translation import gettext as _


class ReleasedNotebook(TypedDict):
    notebook_id: str
    path: str


class _ReleasedRow(TypedDict, total=False):
    due: str  # ISO 8601, in UTC; not in nbgrader's own rows
    extended: bool


class ReleasedRow(_ReleasedRow):
    course_id: str
    assignment_id: str
    status: str  # released, fetched, removed
    path: str
    notebooks: list[ReleasedNotebook]


class SubmittedNotebook(TypedDict):
    notebook_id: str
    path: str
    has_local_feedback: bool
    has_exchange_feedback: bool
    local_feedback_path: str | None
    feedback_updated: bool


class _AttemptRow(TypedDict, total=False):
    random_string: str  # of `inbound` alone
    late: bool  # only if it is; not in nbgrader's own rows


class AttemptRow(_AttemptRow):
    """One submission."""

    course_id: str
    student_id: str
    assignment_id: str
    timestamp: str
    status: str  # submitted, removed
    path: str
    notebooks: list[SubmittedNotebook]
    has_local_feedback: bool
    has_exchange_feedback: bool
    feedback_updated: bool
    local_feedback_path: str | None


class SubmittedRow(TypedDict):
    """All submissions of one student for one assignment."""

    course_id: str
    student_id: str
    assignment_id: str
    status: str
    submissions: list[AttemptRow]


def group_by_student(rows: Iterable[AttemptRow]) -> list[SubmittedRow]:
    """Group by course, student and assignment, and sort by these; inside, by time."""
    groups: dict[tuple[str, str, str], list[AttemptRow]] = {}
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


def submitted_notebook(name: str, path: str, feedback_folder: Path | None, feedback: File | None) -> SubmittedNotebook:
    """Return the row of one notebook; `feedback` is the page that the exchange has for it."""
    page = feedback_folder / f"{name}.html" if feedback_folder and "/" not in name else None
    local = page if page is not None and page.is_file() else None
    return {
        "notebook_id": name,
        "path": path,
        "has_local_feedback": local is not None,
        "has_exchange_feedback": feedback is not None,
        "local_feedback_path": str(local) if local else None,
        "feedback_updated": local is not None and feedback is not None and _sha256(local) != feedback.sha256,
    }


def _sha256(page: Path) -> str:
    return hashlib.sha256(page.read_bytes()).hexdigest()


def line_of_release(row: ReleasedRow, zone: tzinfo | None) -> str:
    """Return nbgrader's log line for a released assignment, with the due date if there is one."""
    line = f"{row['course_id']} {row['assignment_id']}"
    line = _("%(assignment)s (already downloaded)") % {"assignment": line} if row["status"] == "fetched" else line
    if "due" not in row:
        return line
    due = times.for_reader(times.from_server(row["due"]), zone)
    sentence = _("%(assignment)s, due %(due)s (extended)") if row["extended"] else _("%(assignment)s, due %(due)s")
    return sentence % {"assignment": line, "due": due}


def line_of_attempt(row: AttemptRow) -> str:
    """Return nbgrader's log line for a submission."""
    state = _("no feedback available")
    if row["has_local_feedback"] and not row["feedback_updated"]:
        state = _("feedback already fetched")
    elif row["has_exchange_feedback"]:
        state = _("feedback ready to be fetched")
    return f"{row['course_id']} {row['student_id']} {row['assignment_id']} {row['timestamp']} ({state})"
