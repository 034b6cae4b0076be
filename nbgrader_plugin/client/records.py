"""The server's answers as values with types; what is not as docs/api.md says raises BadAnswer.

Names in them are still just text: whoever joins one to a path asks `paths` first. The files of a submission are
looked at only when they are needed, so that one damaged hand-in does not spoil a list.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from . import manifest, times
from .errors import BadAnswer
from .manifest import File


@dataclass(frozen=True)
class Notebook:
    """A notebook at the top level of a tree, as nbgrader counts them."""

    notebook_id: str  # the name without `.ipynb`
    path: str


@dataclass(frozen=True)
class Assignment:
    course: str
    name: str
    released: bool
    notebooks: tuple[Notebook, ...]


@dataclass(frozen=True)
class Submission:
    id: int | str
    course: str
    assignment: str
    student: str
    timestamp: datetime
    collected: bool
    notebooks: tuple[Notebook, ...]
    raw_files: object  # the manifest as it came; None if it was not asked for
    raw_feedback: object  # the manifest of the feedback as it came; None if there is none

    def files(self) -> list[File]:
        """BadAnswer or BadPath if they are not usable."""
        return manifest.from_server(self.raw_files)

    def feedback(self) -> list[File]:
        """Empty if there is none; BadAnswer or BadPath if it is not usable."""
        return [] if self.raw_feedback is None else manifest.from_server(self.raw_feedback)


@dataclass(frozen=True)
class Receipt:
    id: int | str
    student: str
    timestamp: datetime
    digest: str
    file_count: int
    size: int  # bytes
    late: bool
    trial: bool
    raw: Mapping[str, Any]  # as the server signed it


def assignment(row: object) -> Assignment:
    fields = mapping(row)
    return Assignment(
        course=text(fields, "course"),
        name=text(fields, "name"),
        released=fields.get("status") == "released",
        notebooks=_notebooks(fields),
    )


def submission(row: object) -> Submission:
    fields = mapping(row)
    feedback = fields.get("feedback")
    return Submission(
        id=_id(fields),
        course=text(fields, "course"),
        assignment=text(fields, "assignment"),
        student=text(fields, "student"),
        timestamp=times.from_server(fields.get("timestamp")),
        collected=fields.get("collected") is not None,
        notebooks=_notebooks(fields),
        raw_files=fields.get("files"),
        raw_feedback=feedback.get("files") if isinstance(feedback, dict) else None,
    )


def receipt(answer: object) -> Receipt:
    fields = mapping(answer)
    return Receipt(
        id=_id(fields),
        student=text(fields, "student"),
        timestamp=times.from_server(fields.get("timestamp")),
        digest=text(fields, "digest"),
        file_count=_count(fields, "file_count"),
        size=_count(fields, "size"),
        late=fields.get("late") is True,
        trial=fields.get("trial") is True,
        raw=fields,
    )


def mapping(answer: object) -> Mapping[str, Any]:
    if not isinstance(answer, dict):
        raise BadAnswer("The exchange sent an answer that is not of the expected form.")
    return answer


def rows(answer: object) -> list[Any]:
    if not isinstance(answer, list):
        raise BadAnswer("The exchange sent a list that is none.")
    return answer


def text(fields: Mapping[str, Any], key: str) -> str:
    value = fields.get(key)
    if not isinstance(value, str) or not value:
        raise BadAnswer(f"The exchange sent an answer without '{key}'.")
    return value


def _count(fields: Mapping[str, Any], key: str) -> int:
    value = fields.get(key)
    if type(value) is not int or value < 0:
        raise BadAnswer(f"The exchange sent an answer without '{key}'.")
    return value


def _id(fields: Mapping[str, Any]) -> int | str:
    value = fields.get("id")
    if type(value) is int or (isinstance(value, str) and value):
        return value
    raise BadAnswer("The exchange sent an answer without 'id'.")


def _notebooks(fields: Mapping[str, Any]) -> tuple[Notebook, ...]:
    return tuple(
        Notebook(text(notebook, "notebook_id"), text(notebook, "path"))
        for notebook in map(mapping, rows(fields.get("notebooks")))
    )
