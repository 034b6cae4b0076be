"""The server's responses as typed values; a response that is not as docs/api.md says raises InvalidResponse.

Names in them are still just text: whoever joins one to a path checks it with `paths` first. The files of a submission
are parsed only when they are needed, so that one damaged submission does not spoil a list.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from ..translation import gettext as _
from . import manifest, times
from .errors import InvalidResponse, OlderService
from .manifest import File


@dataclass(frozen=True)
class Notebook:
    """A notebook at the top level of a file set, as nbgrader counts them."""

    notebook_id: str  # the name without `.ipynb`
    path: str


@dataclass(frozen=True)
class Deadline:
    """What is in force for the person who asks."""

    due: datetime | None = None
    cut_off: datetime | None = None  # nothing is accepted after it
    attempts_left: int | None = None  # None: as many as one likes
    extended: bool = False  # whether it is another than the assignment's own


@dataclass(frozen=True)
class Assignment:
    course: str
    name: str
    notebooks: tuple[Notebook, ...]
    own_due: datetime | None  # without anybody's extension
    deadline: Deadline


@dataclass(frozen=True)
class Submission:
    id: int | str
    course: str
    assignment: str
    student: str
    timestamp: datetime
    late: bool  # by the due date that is in force for the student now; False if there is none
    repeats: int | None  # of a late one: the id of the one in time that has exactly its files
    notebooks: tuple[Notebook, ...]
    raw_files: object  # the manifest as it came; None if it was not requested
    raw_feedback: object  # the manifest of the feedback as it came; None if there is none

    def files(self) -> list[File]:
        """Raises BadManifest if they are not usable."""
        return manifest.from_server(self.raw_files)

    def feedback(self) -> list[File]:
        """Return the files of the feedback, none if there is no feedback. Raises BadManifest if not usable."""
        return [] if self.raw_feedback is None else manifest.from_server(self.raw_feedback)


@dataclass(frozen=True)
class Receipt:
    id: int | str
    code: str  # that a person can read out; empty from an older server
    student: str
    timestamp: datetime
    digest: str
    file_count: int
    size: int  # bytes
    due: datetime | None  # in force for the student at that moment
    late: bool
    trial: bool
    raw: Mapping[str, object]  # as the server signed it


def parse_assignment(row: object) -> Assignment:
    fields = as_mapping(row)
    return Assignment(
        course=text(fields, "course"),
        name=text(fields, "name"),
        notebooks=_notebooks(fields),
        own_due=optional_time(fields, "due"),
        deadline=parse_deadline(fields),
    )


def parse_deadline(assignment: object) -> Deadline:
    """Return the deadline in an assignment as the server describes it. A server before extensions has `due` alone."""
    fields = as_mapping(assignment)
    own = as_mapping(fields.get("deadline") or {"due": fields.get("due")})
    return Deadline(
        due=optional_time(own, "due"),
        cut_off=optional_time(own, "cut_off"),
        attempts_left=None if own.get("attempts_left") is None else _count(own, "attempts_left"),
        extended=optional_time(own, "due") != optional_time(fields, "due"),
    )


def parse_submission(row: object) -> Submission:
    fields = as_mapping(row)
    feedback, repeats = fields.get("feedback"), fields.get("repeats")
    return Submission(
        id=_id(fields),
        course=text(fields, "course"),
        assignment=text(fields, "assignment"),
        student=text(fields, "student"),
        timestamp=times.from_server(fields.get("timestamp")),
        late=fields.get("late") is True,
        repeats=repeats if isinstance(repeats, int) else None,
        notebooks=_notebooks(fields),
        raw_files=fields.get("files"),
        raw_feedback=feedback.get("files") if isinstance(feedback, dict) else None,
    )


def parse_receipt(response: object) -> Receipt:
    fields = as_mapping(response)
    timestamp = times.from_server(fields.get("timestamp"))
    due = optional_time(fields, "due")
    code = fields.get("code")
    return Receipt(
        id=_id(fields),
        code=code if isinstance(code, str) else "",
        student=text(fields, "student"),
        timestamp=timestamp,
        digest=text(fields, "digest"),
        file_count=_count(fields, "file_count"),
        size=_count(fields, "size"),
        due=due,
        late=fields.get("late") is True or (due is not None and timestamp > due),
        trial=fields.get("trial") is True,
        raw=fields,
    )


def parse_status(response: object) -> Mapping[str, object]:
    """Return a page of `courses/{course}/status/`. Raises OlderService for one from before deadlines."""
    fields = as_mapping(response)
    if "next_page" not in fields:
        raise OlderService
    return fields


def as_mapping(response: object) -> Mapping[str, object]:
    if not isinstance(response, dict):
        raise InvalidResponse(_("The exchange sent a response that is not of the expected form."))
    return response


def as_list(response: object) -> list[object]:
    if not isinstance(response, list):
        raise InvalidResponse(_("The exchange sent something else than a list."))
    return response


def text(fields: Mapping[str, object], key: str) -> str:
    """Return a text that must be present and not empty."""
    value = fields.get(key)
    if not isinstance(value, str) or not value:
        raise InvalidResponse(_("The exchange sent a response without '%(key)s'.") % {"key": key})
    return value


def optional_time(fields: Mapping[str, object], key: str) -> datetime | None:
    return None if fields.get(key) is None else times.from_server(fields[key])


def _count(fields: Mapping[str, object], key: str) -> int:
    value = fields.get(key)
    if type(value) is not int or value < 0:
        raise InvalidResponse(_("The exchange sent a response without '%(key)s'.") % {"key": key})
    return value


def _id(fields: Mapping[str, object]) -> int | str:
    value = fields.get("id")
    if type(value) is int or (isinstance(value, str) and value):
        return value
    raise InvalidResponse(_("The exchange sent a response without 'id'."))


def _notebooks(fields: Mapping[str, object]) -> tuple[Notebook, ...]:
    return tuple(
        Notebook(text(notebook, "notebook_id"), text(notebook, "path"))
        for notebook in map(as_mapping, as_list(fields.get("notebooks")))
    )


def role_text(role: str) -> str:
    """Return a role in a course in a word, for a sentence."""
    words = {"student": _("student"), "grader": _("grader"), "instructor": _("instructor")}
    return words.get(role, role)
