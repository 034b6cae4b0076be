"""What each protocol can do, as the benchmarks need it."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Protocol

from benchmarks.crowd import Visit
from benchmarks.http import Http
from benchmarks.work import FileSet


class Client(Protocol):
    http: Http

    def start_course(self) -> None:
        """Make the course with its instructor."""

    def add_students(self, names: Iterable[str]) -> None:
        """Add all of them, in one request if the protocol has it."""

    def release(self, assignment: str, files: FileSet) -> None: ...

    def submission(self, student: str, assignment: str, files: FileSet, unchanged: FileSet) -> Visit:
        """Return what the plugin sends to submit; `unchanged` are those of the files that the release has."""

    def list_of(self, student: str) -> Visit:
        """Return what the plugin sends for `nbgrader list`."""

    def submit_file(self, student: str, assignment: str, file: Path) -> Callable[[], object]:
        """Return what submits one large file; it raises Refused."""

    def list_submissions(self, assignment: str) -> int:
        """Do what `nbgrader list --inbound` does; return how many submissions there are."""

    def collect(self, assignment: str) -> dict[str, FileSet]:
        """Do what `nbgrader collect` does; return each student's latest submission."""

    def give_feedback(self, assignment: str, page: bytes) -> int:
        """Do what `nbgrader release_feedback` does, with the same page for everybody; return for how many."""
