"""What both protocols can do, as the benchmarks need it."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Protocol

from benchmarks.http import Http
from benchmarks.work import FileSet

Submit = Callable[[], object]  # sends what was made beforehand, so that a run measures the server; raises Refused


class Client(Protocol):
    http: Http

    def start_course(self) -> None:
        """Make the course with its instructor."""

    def add_students(self, names: Iterable[str]) -> None:
        """All of them in one request."""

    def release(self, assignment: str, files: FileSet) -> None: ...

    def submit(self, student: str, assignment: str, files: FileSet) -> Submit: ...

    def submit_file(self, student: str, assignment: str, file: Path) -> Submit: ...

    def list_released(self, student: str) -> int:
        """What `nbgrader list` asks; returns how many assignments there are."""

    def list_submissions(self, assignment: str) -> int:
        """What `nbgrader list --inbound` asks; returns how many submissions there are."""

    def collect(self, assignment: str) -> dict[str, FileSet]:
        """What `nbgrader collect` asks: each student's latest submission, with its files."""
