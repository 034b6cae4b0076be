"""What a source contains: courses, their members, and the files of releases, submissions and feedback.

It is read lazily and in order.
"""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol

from courses.services import RosterEntry
from exchange.importers.places import Place

TICK = timedelta(microseconds=1)
LAST_YEAR = datetime.max.year  # no submission can be imported from it, because later ones must find an instant after it


@dataclass(frozen=True)
class SourceFile:
    """A file as the source describes it. `place` or `md5` is None where the source does not know it."""

    path: str
    place: Place | None
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


class Instants:
    """Gives each submission an instant of its own: of two at one instant, the second comes just after the first."""

    def __init__(self) -> None:
        self._taken: set[tuple[Hashable, datetime]] = set()
        self._next: dict[tuple[Hashable, datetime], datetime] = {}

    def claim(self, key: Hashable, created: datetime) -> datetime:
        """Return the first free instant from `created` on; `key` stands for the student and the assignment."""
        free = self._next.get((key, created), created)
        while (key, free) in self._taken:
            free += TICK
        self._taken.add((key, free))
        self._next[key, created] = free + TICK
        return free


def to_utc(moment: datetime) -> datetime:
    """Return an aware time in UTC. Errors: ValueError, where that is outside of the calendar."""
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError(f"{moment} is outside of the calendar in UTC") from error


class CannotRead(Exception):
    """The source as a whole cannot be read; the message says why."""
