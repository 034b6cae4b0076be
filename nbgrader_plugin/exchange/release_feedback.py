"""`nbgrader release_feedback`: what generate_feedback made goes to the students, many in one request."""

import glob
import os
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from nbgrader.exchange.abc import ExchangeReleaseFeedback as ABCExchangeReleaseFeedback

from ..client import manifest, times, transfer
from ..client.bundle import Upload
from ..client.errors import BadAnswer, LocalTrouble
from ..client.manifest import LocalFile
from ..client.progress import Progress
from ..client.records import mapping, rows
from .base import Exchange
from .cache import TIMESTAMP

AT_ONCE = 100  # students in one request
ANYONE = "\0"  # stands for the student in a path; no real path has it
Given = tuple[str, str, list[LocalFile]]  # student, timestamp as the server writes it, pages


class ExchangeReleaseFeedback(Exchange, ABCExchangeReleaseFeedback):
    """Only the `.html` pages go, as with nbgrader's folder. One that cannot be placed does not stop the others."""

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
        given = list(self._given())
        for start in range(0, len(given), AT_ONCE):
            self._send(given[start : start + AT_ONCE])
        if self.broken:
            self.fail(f"Feedback was not released for {len(self.broken)}: {'; '.join(self.broken)}")

    def _given(self) -> Iterator[Given]:
        left_out = {name.strip() for name in self.coursedir.student_id_exclude.split(",")}
        for folder in self._folders():
            student = self._student_of(folder)
            pages = sorted(folder.glob("*.html"))
            if student in left_out or not pages:
                self.log.debug("Skipping student '%s'", student)
                continue
            instant = _instant(folder / TIMESTAMP)
            if instant is None:
                self.broken.append(f"{student}: there is no usable {folder / TIMESTAMP}")
                continue
            yield student, instant, [manifest.local_file(page.name, page) for page in pages]

    def _folders(self) -> list[Path]:
        """The feedback folders; of the whole path only the student's part is a pattern, `*` where all are meant."""
        coursedir = self.coursedir
        path = coursedir.format_path(coursedir.feedback_directory, ANYONE, coursedir.assignment_id)
        pattern = glob.escape(path).replace(ANYONE, coursedir.student_id or "*")
        return sorted(Path(one) for one in glob.glob(pattern) if os.path.isdir(one))

    def _student_of(self, folder: Path) -> str:
        coursedir = self.coursedir
        pattern = coursedir.format_path(
            coursedir.feedback_directory, "(?P<student>[^/]+)", coursedir.assignment_id, escape=True
        )
        match = re.fullmatch(pattern, str(folder))
        if not match:
            raise LocalTrouble(f"{folder} is not the feedback folder of a student.")
        return match["student"]

    def _send(self, given: list[Given]) -> None:
        files = [file for _, _, pages in given for file in pages]
        content: dict[str, Any] = {
            "feedback": [
                {"student": student, "timestamp": instant, "files": manifest.as_json(pages)}
                for student, instant, pages in given
            ]
        }
        # Different students have pages of the same name: the question keeps them apart.
        apart = [
            replace(page, path=f"{place}/{page.path}") for place, (_, _, pages) in enumerate(given) for page in pages
        ]
        known = transfer.missing(self.client, apart)
        with Progress("Releasing feedback", sum(file.size for file in files), self.log) as progress:
            to_send = [file for file in files if file.sha256 in known]
            answer = self.client.send(*self.place, upload=Upload(content, to_send, progress=progress.advance))
        refused = [mapping(one) for one in rows(mapping(answer).get("refused"))]
        reasons = {(str(one.get("student")), str(one.get("timestamp"))): str(one.get("message")) for one in refused}
        if len(reasons) != len(refused):
            raise BadAnswer("The exchange did not say whose feedback it refused.")
        for student, instant, pages in given:
            if reason := reasons.get((student, instant)):
                self.broken.append(f"{student}: {reason}")
                continue
            for page in pages:
                self._tell(student, page, instant)

    def _tell(self, student: str, page: LocalFile, instant: str) -> None:
        name = f"{self.coursedir.course_id}/{self.coursedir.assignment_id}/{Path(page.path).stem}"
        when = self.timestamp_text(times.from_server(instant))
        self.log.info(f"Releasing feedback for student '{student}' on assignment '{name}' ({when})")


def _instant(path: Path) -> str | None:
    try:
        instant = times.from_nbgrader(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        return None
    return None if instant is None else times.to_server(instant)
