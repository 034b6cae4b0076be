"""What a source contains: courses, their members, and the files of releases, submissions and feedback.

It is read lazily and in order.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol

from courses.services import RosterEntry


@dataclass(frozen=True)
class SourceFile:
    """A file as the source describes it. `place` or `md5` is None where the source does not know it."""

    path: str
    place: Path | None
    md5: str | None = None


@dataclass(frozen=True)
class SourceSubmission:
    student: str
    created: datetime
    files: list[SourceFile]
    feedback: list[SourceFile] = field(default_factory=list)


@dataclass(frozen=True)
class SourceAssignment:
    """`release` is None where the assignment is known by its submissions alone."""

    name: str
    release: list[SourceFile] | None
    submissions: Iterable[SourceSubmission]
    due: datetime | None = None


@dataclass(frozen=True)
class SourceCourse:
    name: str
    members: list[RosterEntry]
    assignments: Iterable[SourceAssignment]


class Source(Protocol):
    def count(self) -> int:
        """Return the number of assignments and submissions, for the progress bar."""

    def courses(self) -> Iterable[SourceCourse]:
        """Yield the courses. What cannot be read is left out and reported. Errors: CannotRead."""


class CannotRead(Exception):
    """The source as a whole cannot be read; the message says why."""
