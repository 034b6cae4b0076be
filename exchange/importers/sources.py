"""What a source tells: courses, who is in them, and the trees that were handed around. Read lazily, in order."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol

from courses.services import RosterEntry


@dataclass(frozen=True)
class SourceFile:
    """A file as the source knows it. None says that the source knows no place, or no checksum (MD5)."""

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
        """How many assignments and submissions there are, for the progress bar."""

    def courses(self) -> Iterable[SourceCourse]:
        """What cannot be read is told to the source's report and left out. Errors: CannotRead."""


class CannotRead(Exception):
    """The source as a whole cannot be read; says why."""
