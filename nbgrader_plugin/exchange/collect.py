"""`nbgrader collect`: the chosen submission of each student becomes `submitted/<student>/<assignment>`.

One request brings every manifest; only blobs that are not on this computer are fetched. One student's broken submission
does not stop the others: the summary at the end names it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from http import HTTPStatus
from pathlib import Path

from nbgrader.exchange.abc import ExchangeCollect as ABCExchangeCollect

from ..client.errors import ErrorResponse, ServiceError
from ..client.manifest import BadManifest, File
from ..client.paths import BadPath, check_name
from ..client.printing import printable_line
from ..client.records import Submission, as_mapping, parse_submission
from ..client.times import from_nbgrader
from ..client.transfer import Blobs
from ..gradebook.due_dates import read_due_dates
from ..translation import gettext as _
from . import folders
from .base import Exchange
from .cache import TIMESTAMP

IDS_AT_ONCE = 200  # ids in one address


@dataclass(frozen=True)
class Planned:
    """A submission that is to be written to a folder."""

    submission: Submission
    files: list[File]
    folder: Path


class ExchangeCollect(Exchange, ABCExchangeCollect):
    """Each folder is made whole beside its place and then swapped in: a broken download leaves the old one."""

    def init_src(self) -> None:
        self.require_course()
        course, assignment = self.coursedir.course_id, self.coursedir.assignment_id
        student = "" if self.coursedir.student_id in ("", "*") else self.coursedir.student_id
        self.filters: Mapping[str, str | bool] = {
            "course": course,
            "assignment": assignment,
            "student": student,
            "trials": bool(student),  # somebody who is named may be staff who tries the assignment
        }
        try:
            self.chosen = self._choose_submissions()
            if len(self.chosen) < 2:  # students see their own submissions; those of several people are for staff alone
                self._require_staff(course)
        except ErrorResponse as error:
            if error.status == HTTPStatus.FORBIDDEN:
                self.fail_without_access(error)
            raise

    def _require_staff(self, course: str) -> None:
        if as_mapping(self.client.get("courses", course)).get("role") == "student":
            self.fail(
                _("You do not have access to the submissions of others: students of %(course)s cannot collect.")
                % {"course": course}
            )

    def _choose_submissions(self) -> list[Submission]:
        """Return the submission to collect of each student, newest or newest in time, sorted by student.

        In time is what the gradebook's due date or that of the service allows, each with its extensions.
        """
        self.due_dates = read_due_dates(self.coursedir)
        if self.due_dates.due is None or not self.before_duedate:
            rows = self.client.get_all(
                "submissions", **self.filters, latest=True, before_due=self.before_duedate, files=True
            )
            return self._in_time_for_repeated(list(map(parse_submission, rows)))
        place = ("courses", self.coursedir.course_id, "assignments", self.coursedir.assignment_id)
        has_due = as_mapping(self.client.get(*place)).get("due") is not None  # the service knows a due date, too
        by_student: dict[str, list[Submission]] = {}
        for submission in map(parse_submission, self.client.get_all("submissions", **self.filters)):
            by_student.setdefault(submission.student, []).append(submission)
        chosen = []
        for student in sorted(by_student):
            attempts = by_student[student]
            in_time = [
                attempt
                for attempt in attempts
                if not self._is_late_in_gradebook(attempt) or (has_due and not attempt.late)
            ]
            chosen.append(max(in_time or attempts, key=lambda attempt: attempt.timestamp))
        return self._with_files(chosen)

    def _in_time_for_repeated(self, chosen: list[Submission]) -> list[Submission]:
        """Take for a late submission that of the same files which was in time: nothing new came late."""
        repeated = [replace(found, id=found.repeats) for found in chosen if found.repeats is not None]
        others = [found for found in chosen if found.repeats is None]
        return sorted(others + self._with_files(repeated), key=lambda submission: submission.student)

    def _is_late_in_gradebook(self, submission: Submission) -> bool:
        limit = self.due_dates.of(submission.student)
        return limit is not None and submission.timestamp > limit

    def _with_files(self, chosen: list[Submission]) -> list[Submission]:
        complete: list[Submission] = []
        for start in range(0, len(chosen), IDS_AT_ONCE):
            ids = ",".join(str(submission.id) for submission in chosen[start : start + IDS_AT_ONCE])
            complete += map(
                parse_submission, self.client.get_all("submissions", id=ids, files=True, trials=self.filters["trials"])
            )
        return sorted(complete, key=lambda submission: submission.student)

    def init_dest(self) -> None:
        """Do nothing: every student has a folder of their own."""

    def copy_files(self) -> None:
        course, assignment = self.coursedir.course_id, self.coursedir.assignment_id
        self._tell_of_trials()
        if not self.chosen:
            self.log.warning(
                _("No submissions of '%(assignment)s' for course '%(course)s' to collect")
                % {"assignment": assignment, "course": course}
            )
            return
        self._tell_of_disagreement()
        self.log.info(
            _("Processing %(count)s submissions of '%(assignment)s' for course '%(course)s'")
            % {"count": len(self.chosen), "assignment": assignment, "course": course}
        )
        self.broken: dict[str, str] = {}  # by student: why the submission was not collected
        planned = [plan for submission in self.chosen if (plan := self._plan(submission))]
        collected = []
        if planned:
            with folders.temporary_folder(Path(self.coursedir.root) / "submitted") as folder:
                blobs = self._fetch(planned, folder)
                collected = [plan.submission.id for plan in planned if self._write(plan, blobs)]
        if collected:
            self.client.post("submissions", "collected", body={"ids": collected})
        if self.broken:
            reasons = "; ".join(
                f"{printable_line(student)}: {reason}" for student, reason in sorted(self.broken.items())
            )
            self.fail(
                _("Collected all but %(failed)s of %(count)s submissions. %(reasons)s")
                % {"failed": len(self.broken), "count": len(self.chosen), "reasons": reasons}
            )

    def _tell_of_trials(self) -> None:
        """Say in one line which trials of staff are not collected, and how to take them."""
        if self.filters["student"]:
            return
        try:
            trials = self.client.get_all("submissions", **{**self.filters, "trials": "only"}, latest=True)
        except ErrorResponse as error:
            if error.status != HTTPStatus.BAD_REQUEST:
                raise
            return  # an older service does not know `only`
        names = sorted({printable_line(parse_submission(row).student) for row in trials})
        if names:
            self.log.info(
                _("Not collected: trials of staff (%(names)s). To collect one, add `--student %(name)s`.")
                % {"names": ", ".join(names), "name": names[0]}
            )

    def _tell_of_disagreement(self) -> None:
        """Say in one line whose work nbgrader would call late although the server does not, or the other way round."""
        if self.due_dates.due is None:
            return
        course, assignment = self.coursedir.course_id, self.coursedir.assignment_id
        names = [each.student for each in self.chosen if each.late != self._is_late_in_gradebook(each)]
        if names:
            self.log.warning(
                _(
                    "The exchange and the gradebook do not agree whether this is late: %(students)s. "
                    "Before you autograde, run `%(command)s`."
                )
                % {
                    "students": printable_line(", ".join(names)),
                    "command": f'ngshare-course-management sync_deadlines "{course}" {assignment}',
                }
            )

    def _plan(self, submission: Submission) -> Planned | None:
        """Return what is to be written for a submission; None if nothing is, or it is broken."""
        coursedir = self.coursedir
        try:
            student = check_name(submission.student, _("student's name"))
            folder = Path(coursedir.format_path(coursedir.submitted_directory, student, coursedir.assignment_id))
            return Planned(submission, submission.files(), folder) if self._is_wanted(submission, folder) else None
        except (BadPath, BadManifest) as error:
            self.broken[submission.student] = str(error)
            return None

    def _is_wanted(self, submission: Submission, folder: Path) -> bool:
        names = f"{submission.student} {self.coursedir.assignment_id}"
        if not folder.is_dir():
            self.log.info(_("Collecting submission: %(names)s") % {"names": names})
            return True
        existing = _timestamp_of(folder)
        is_newer = existing is None or submission.timestamp > existing
        if (self.update and is_newer) or (self.before_duedate and existing != submission.timestamp):
            self.log.info(_("Updating submission: %(names)s") % {"names": names})
            return True
        if self.update:
            self.log.info(_("No newer submission to collect: %(names)s") % {"names": names})
        else:
            self.log.info(_("Submission already exists, use --update to update: %(names)s") % {"names": names})
        return False

    def _fetch(self, planned: list[Planned], folder: Path) -> Blobs:
        """Fetch all blobs; those that the folders to be replaced already hold are not requested."""
        blobs = Blobs(self.client, folder, self.log)
        for plan in planned:
            if plan.folder.is_dir():
                blobs.use_local_copies(plan.files, partial(_place_in, plan.folder))
        blobs.fetch([file for plan in planned for file in plan.files], _("Collecting"))
        return blobs

    def _write(self, plan: Planned, blobs: Blobs) -> bool:
        try:
            folders.write_folder(
                plan.folder,
                plan.files,
                blobs.write,
                texts={TIMESTAMP: self.timestamp_text(plan.submission.timestamp)},
                groupshared=self.coursedir.groupshared,
            )
        except (ServiceError, OSError) as error:
            self.broken[plan.submission.student] = str(error)
            return False
        return True


def _timestamp_of(folder: Path) -> datetime | None:
    try:
        return from_nbgrader((folder / TIMESTAMP).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        return None


def _place_in(folder: Path, file: File) -> list[Path]:
    return [folder / file.path]
