"""What a take-over did: counts by kind, what is missing or broken, and notes."""

from collections import Counter
from collections.abc import Iterator
from enum import StrEnum


class Kind(StrEnum):
    COURSE = "courses"
    MEMBER = "members"
    ASSIGNMENT = "assignments"
    RELEASE = "releases"
    SUBMISSION = "submissions"
    FEEDBACK = "feedback"
    FILE = "files"


class ImportOutcome(StrEnum):
    NEW = "new"
    COMPLETED = "completed"
    THERE = "there already"
    LEFT_OUT = "left out"


class ImportReport:
    def __init__(self) -> None:
        self.counts: Counter[tuple[Kind, ImportOutcome]] = Counter()
        self.problems: list[str] = []
        self.notes: list[str] = []

    def count(self, kind: Kind, outcome: ImportOutcome, number: int = 1) -> None:
        self.counts[kind, outcome] += number

    def problem(self, message: str, *where: str) -> None:
        """Something is missing or broken. `where`: course, assignment, student, time, file, as far as it is known."""
        self.problems.append(_line(message, where))

    def left_out(self, kind: Kind, message: str, *where: str) -> None:
        self.count(kind, ImportOutcome.LEFT_OUT)
        self.problem(message, *where)

    def note(self, message: str, *where: str) -> None:
        """Something to know that is not broken."""
        self.notes.append(_line(message, where))

    def table(self) -> Iterator[str]:
        yield f"{'':12}" + "".join(f"{outcome:>15}" for outcome in ImportOutcome)
        for kind in Kind:
            yield f"{kind:12}" + "".join(f"{self.counts[kind, outcome]:>15}" for outcome in ImportOutcome)


def _line(message: str, where: tuple[str, ...]) -> str:
    shown = " / ".join(part if part.isprintable() else ascii(part) for part in where)
    return f"{shown}: {message}" if where else message
