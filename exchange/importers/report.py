"""What an import did: counts by kind, what is missing or broken, and notes."""

from collections import Counter
from collections.abc import Iterator
from enum import StrEnum

from exchange.paths import UNSAFE


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
    EXISTING = "there already"
    LEFT_OUT = "left out"


class ImportReport:
    def __init__(self) -> None:
        self.counts: Counter[tuple[Kind, ImportOutcome]] = Counter()
        self.problems: list[str] = []
        self.notes: list[str] = []

    def count(self, kind: Kind, outcome: ImportOutcome, number: int = 1) -> None:
        self.counts[kind, outcome] += number

    def problem(self, message: str, *where: str) -> None:
        """Add something missing or broken; `where` is course, assignment, student, time, file, as far as known."""
        self.problems.append(_sentence(message, where))

    def leave_out(self, kind: Kind, message: str, *where: str) -> None:
        """Count something as left out, and add the problem."""
        self.count(kind, ImportOutcome.LEFT_OUT)
        self.problem(message, *where)

    def note(self, message: str, *where: str) -> None:
        """Add something worth knowing that is no problem."""
        self.notes.append(_sentence(message, where))

    def table(self) -> Iterator[str]:
        yield f"{'':12}" + "".join(f"{outcome:>15}" for outcome in ImportOutcome)
        for kind in Kind:
            yield f"{kind:12}" + "".join(f"{self.counts[kind, outcome]:>15}" for outcome in ImportOutcome)


def _sentence(message: str, where: tuple[str, ...]) -> str:
    """Return what is safe to print: names of files may hold anything."""
    place = " / ".join(part if part.isprintable() else ascii(part) for part in where)
    return UNSAFE.sub("?", f"{place}: {message}" if where else message)
