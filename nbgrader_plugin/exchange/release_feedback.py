"""`nbgrader release_feedback`: the pages that generate_feedback made are sent to the students, many in one request."""

import glob
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from nbgrader.exchange.abc import ExchangeReleaseFeedback as ABCExchangeReleaseFeedback

from ..client import manifest, sending, times
from ..client.errors import InvalidResponse, LocalFileError
from ..client.manifest import LocalFile
from ..client.paths import BadPath, check_paths
from ..client.records import as_list, as_mapping
from ..translation import gettext as _
from .base import Exchange
from .cache import TIMESTAMP
from .local_files import read_file

AT_ONCE = 100  # students in one request
ANYONE = "\0"  # stands for the student in a path; no real path has it


@dataclass(frozen=True)
class Feedback:
    """The pages for one submission."""

    student: str
    timestamp: str  # of the submission, as the server writes it
    pages: list[LocalFile]


class ExchangeReleaseFeedback(Exchange, ABCExchangeReleaseFeedback):
    """Only `.html` pages are sent, as in nbgrader's folder. Feedback that is refused does not stop the others."""

    def init_src(self) -> None:
        coursedir = self.coursedir
        student = coursedir.student_id or "*"
        self.src_path = coursedir.format_path(coursedir.feedback_directory, student, coursedir.assignment_id)

    def init_dest(self) -> None:
        self.require_course()
        self.place = ("courses", self.coursedir.course_id, "assignments", self.coursedir.assignment_id, "feedback")
        self.dest_path = self.client.address(*self.place)

    def copy_files(self) -> None:
        self.broken: list[str] = []
        feedback = list(self._read())
        for start in range(0, len(feedback), AT_ONCE):
            self._send(feedback[start : start + AT_ONCE])
        if self.broken:
            self.fail(
                _("Feedback was not released for %(count)s: %(reasons)s")
                % {"count": len(self.broken), "reasons": "; ".join(self.broken)}
            )

    def _read(self) -> Iterator[Feedback]:
        excluded = {name.strip() for name in self.coursedir.student_id_exclude.split(",")}
        for folder in self._folders():
            student = self._student_of(folder)
            pages = sorted(folder.glob("*.html"))
            if student in excluded or not pages:
                self.log.debug("Skipping student '%s'", student)
                continue
            timestamp = _read_timestamp(folder / TIMESTAMP)
            if timestamp is None:
                self.broken.append(
                    _("%(student)s: there is no usable %(file)s") % {"student": student, "file": folder / TIMESTAMP}
                )
                continue
            try:
                names = check_paths(page.name for page in pages)
            except BadPath as error:
                self.broken.append(f"{student}: {error}")
                continue
            yield Feedback(student, timestamp, [read_file(*named) for named in zip(names, pages, strict=True)])

    def _folders(self) -> list[Path]:
        """Return the feedback folders; of the whole path only the student's part is a pattern, `*` for all."""
        coursedir = self.coursedir
        path = coursedir.format_path(coursedir.feedback_directory, ANYONE, coursedir.assignment_id)
        pattern = glob.escape(path).replace(ANYONE, coursedir.student_id or "*")
        return sorted(Path(path) for path in glob.glob(pattern) if os.path.isdir(path))

    def _student_of(self, folder: Path) -> str:
        coursedir = self.coursedir
        pattern = coursedir.format_path(
            coursedir.feedback_directory, "(?P<student>[^/]+)", coursedir.assignment_id, escape=True
        )
        match = re.fullmatch(pattern, str(folder))
        if not match:
            raise LocalFileError(_("%(folder)s is not the feedback folder of a student.") % {"folder": folder})
        return match["student"]

    def _send(self, feedback: list[Feedback]) -> None:
        content = {
            "feedback": [
                {"student": given.student, "timestamp": given.timestamp, "files": manifest.as_json(given.pages)}
                for given in feedback
            ]
        }
        # Different students have pages of the same name: the question which are missing keeps them apart.
        questioned = [
            replace(page, path=f"{number}/{page.path}") for number, given in enumerate(feedback) for page in given.pages
        ]
        response = sending.send(
            self.client,
            self.place,
            content,
            [page for given in feedback for page in given.pages],
            known=(),
            label=_("Releasing feedback"),
            log=self.log,
            questioned=questioned,
        )
        reasons = _reasons(response)
        for given in feedback:
            if reason := reasons.get((given.student, given.timestamp)):
                self.broken.append(f"{given.student}: {reason}")
            else:
                self._log_release(given)

    def _log_release(self, feedback: Feedback) -> None:
        when = self.timestamp_text(times.from_server(feedback.timestamp))
        for page in feedback.pages:
            name = f"{self.coursedir.course_id}/{self.coursedir.assignment_id}/{Path(page.path).stem}"
            self.log.info(
                _("Releasing feedback for student '%(student)s' on assignment '%(name)s' (%(when)s)")
                % {"student": feedback.student, "name": name, "when": when}
            )


def _reasons(response: object) -> dict[tuple[str, str], str]:
    """Return why feedback was refused, by student and timestamp."""
    refused = [as_mapping(row) for row in as_list(as_mapping(response).get("refused"))]
    reasons = {(str(row.get("student")), str(row.get("timestamp"))): str(row.get("message")) for row in refused}
    if len(reasons) != len(refused):
        raise InvalidResponse(_("The exchange did not say whose feedback it refused."))
    return reasons


def _read_timestamp(path: Path) -> str | None:
    """Return the time in a timestamp.txt as the server writes it; None if it is not usable."""
    try:
        instant = times.from_nbgrader(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        return None
    return None if instant is None else times.to_server(instant)
