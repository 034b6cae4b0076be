"""`nbgrader collect`: the chosen submission of each student becomes `submitted/<student>/<assignment>`.

One request brings every manifest; only blobs that this computer has not are fetched. One student's broken hand-in does
not stop the others: the summary at the end names it.
"""

from functools import partial
from pathlib import Path
from typing import Any

from nbgrader.exchange.abc import ExchangeCollect as ABCExchangeCollect

from ..client import paths, records
from ..client.errors import BadPath, Refused, ServiceError
from ..client.manifest import File
from ..client.records import Submission
from ..client.times import from_nbgrader
from ..client.transfer import Blobs
from ..gradebook import due_dates as gradebook
from . import folders as trees
from .base import FORBIDDEN, Exchange
from .cache import TIMESTAMP

IDS_AT_ONCE = 200  # ids in one address


class ExchangeCollect(Exchange, ABCExchangeCollect):
    """Each folder is made whole beside its place and then swapped in: a broken download leaves the old one."""

    def init_src(self) -> None:
        self.require_course()
        course, assignment = self.coursedir.course_id, self.coursedir.assignment_id
        student = "" if self.coursedir.student_id in ("", "*") else self.coursedir.student_id
        self.question: dict[str, Any] = {"course": course, "assignment": assignment, "student": student}
        try:
            if records.mapping(self.client.get("courses", course)).get("role") == "student":
                self.fail(
                    f"You do not have access to what others handed in: as a student of {course} you may not collect."
                )
            self.chosen = self._chosen()
        except Refused as error:
            if error.status == FORBIDDEN:
                self.no_access(error)
            raise

    def _chosen(self) -> list[Submission]:
        """The submission to collect of each student, newest or newest in time, sorted by student."""
        due = gradebook.due_dates(self.coursedir) if self.before_duedate else gradebook.DueDates()
        if due.due is None:
            question = {**self.question, "latest": True, "before_due": self.before_duedate, "files": True}
            rows = map(records.submission, self.client.pages("submissions", **question))
            return sorted(rows, key=lambda one: one.student)
        by_student: dict[str, list[Submission]] = {}
        for one in map(records.submission, self.client.pages("submissions", **self.question)):
            by_student.setdefault(one.student, []).append(one)
        picked = []
        for student, attempts in sorted(by_student.items()):
            limit = due.of(student)
            in_time = [one for one in attempts if limit is None or one.timestamp <= limit]
            picked.append(max(in_time or attempts, key=lambda one: one.timestamp))
        return self._with_files(picked)

    def _with_files(self, picked: list[Submission]) -> list[Submission]:
        found: list[Submission] = []
        for start in range(0, len(picked), IDS_AT_ONCE):
            ids = ",".join(str(one.id) for one in picked[start : start + IDS_AT_ONCE])
            found += map(records.submission, self.client.pages("submissions", id=ids, files=True))
        return sorted(found, key=lambda one: one.student)

    def init_dest(self) -> None:
        """Every student has a place of their own."""

    def copy_files(self) -> None:
        course, assignment = self.coursedir.course_id, self.coursedir.assignment_id
        if not self.chosen:
            self.log.warning(f"No submissions of '{assignment}' for course '{course}' to collect")
            return
        self.log.info(f"Processing {len(self.chosen)} submissions of '{assignment}' for course '{course}'")
        self.broken: dict[str, str] = {}
        wanted = [(one, place) for one in self.chosen if (place := self._place(one)) and self._is_wanted(one, place)]
        trees_of = {one.id: files for one, _ in wanted if (files := self._files(one)) is not None}
        done = []
        if trees_of:
            root = Path(self.coursedir.root)
            with trees.temporary_folder(root / "submitted") as folder:
                blobs = self._fetch(wanted, trees_of, folder)
                done = [one for one, place in wanted if one.id in trees_of and self._write(one, place, trees_of, blobs)]
        if done:
            self.client.post("submissions", "collected", body={"ids": [one.id for one in done]})
        if self.broken:
            named = "; ".join(f"{student}: {reason}" for student, reason in sorted(self.broken.items()))
            self.fail(f"Collected all but {len(self.broken)} of {len(self.chosen)} submissions. {named}")

    def _place(self, submission: Submission) -> Path | None:
        coursedir = self.coursedir
        try:
            student = paths.name(submission.student, "student's name")
        except BadPath as error:
            self.broken[submission.student] = str(error)
            return None
        return Path(coursedir.format_path(coursedir.submitted_directory, student, coursedir.assignment_id))

    def _is_wanted(self, submission: Submission, place: Path) -> bool:
        names = f"{submission.student} {self.coursedir.assignment_id}"
        if not place.is_dir():
            self.log.info(f"Collecting submission: {names}")
            return True
        there = _timestamp_of(place)
        is_newer = there is None or submission.timestamp > there
        if (self.update and is_newer) or (self.before_duedate and there != submission.timestamp):
            self.log.info(f"Updating submission: {names}")
            return True
        if self.update:
            self.log.info(f"No newer submission to collect: {names}")
        else:
            self.log.info(f"Submission already exists, use --update to update: {names}")
        return False

    def _files(self, submission: Submission) -> list[File] | None:
        try:
            return submission.files()
        except (ServiceError, BadPath) as error:
            self.broken[submission.student] = str(error)
            return None

    def _fetch(
        self, wanted: list[tuple[Submission, Path]], trees_of: dict[int | str, list[File]], folder: Path
    ) -> Blobs:
        """Have all blobs; those that the folders to be replaced hold already are not asked for."""
        blobs = Blobs(self.client, folder, self.log)
        for one, place in wanted:
            if one.id in trees_of and place.is_dir():
                blobs.look_locally(trees_of[one.id], partial(_copy_in, place))
        blobs.fetch([file for files in trees_of.values() for file in files], "Collecting")
        return blobs

    def _write(self, submission: Submission, place: Path, trees_of: dict[int | str, list[File]], blobs: Blobs) -> bool:
        try:
            trees.write_tree(
                place,
                trees_of[submission.id],
                blobs.place,
                texts={TIMESTAMP: self.timestamp_text(submission.timestamp)},
                groupshared=self.coursedir.groupshared,
            )
        except (ServiceError, OSError) as error:
            self.broken[submission.student] = str(error)
            return False
        return True


def _timestamp_of(place: Path) -> Any:
    try:
        return from_nbgrader((place / TIMESTAMP).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        return None


def _copy_in(place: Path, file: File) -> list[Path]:
    return [place / file.path]
