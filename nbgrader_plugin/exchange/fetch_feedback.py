"""`nbgrader fetch_feedback`: the feedback on each of one's submissions becomes `feedback/<timestamp>/<notebook>.html`.

The server knows what was submitted, so this works from an emptied home directory, too.
"""

from functools import partial
from pathlib import Path

from nbgrader.exchange.abc import ExchangeFetchFeedback as ABCExchangeFetchFeedback

from ..client import records
from ..client.errors import BadPath, ServiceError
from ..client.manifest import File
from ..client.records import Submission
from ..client.transfer import Blobs
from . import folders as trees
from .base import Exchange


class ExchangeFetchFeedback(Exchange, ABCExchangeFetchFeedback):
    """One error among many does not keep the rest."""

    def init_src(self) -> None:
        self.require_course()
        course, assignment = self.coursedir.course_id, self.coursedir.assignment_id
        student = self.student()
        self.src_path = self.client.address("submissions")
        question = {"course": course, "assignment": assignment, "student": student, "mine": not student}
        self.attempts = [records.submission(row) for row in self.client.pages("submissions", **question)]

    def init_dest(self) -> None:
        self.dest_path = self.local_folder(self.coursedir.course_id, self.coursedir.assignment_id) / "feedback"

    def copy_files(self) -> None:
        self.log.info(f"Source: {self.src_path}")
        self.log.info(f"Destination: {self.dest_path}")
        self.broken: list[str] = []
        returned = [(one, files) for one in self.attempts if (files := self._feedback(one))]
        if returned:
            with trees.temporary_folder(self.dest_path.parent) as folder:
                blobs = Blobs(self.client, folder, self.log)
                for one, files in returned:
                    blobs.look_locally(files, partial(self._pages_here, one))
                blobs.fetch([file for _, files in returned for file in files], "Fetching feedback")
                for one, files in returned:
                    self._write(one, files, blobs)
        if self.broken:
            self.fail(f"Some feedback could not be fetched. {'; '.join(self.broken)}")

    def _feedback(self, submission: Submission) -> list[File]:
        try:
            files = submission.feedback()
        except (ServiceError, BadPath) as error:
            self.broken.append(f"{self.timestamp_text(submission.timestamp)}: {error}")
            return []
        names = {file.path for file in files}
        for notebook in submission.notebooks:
            name = f"'{submission.course}/{submission.assignment}/{notebook.notebook_id}'"
            when = self.timestamp_text(submission.timestamp)
            if f"{notebook.notebook_id}.html" in names:
                self.log.info(f"Found feedback for {name} submitted at {when}")
            else:
                self.log.warning(f"Could not find feedback for {name} submitted at {when}")
        return files

    def _pages_here(self, submission: Submission, file: File) -> list[Path]:
        return [self._page(submission, file)]

    def _page(self, submission: Submission, file: File) -> Path:
        return self.dest_path / self.timestamp_text(submission.timestamp) / file.path

    def _write(self, submission: Submission, files: list[File], blobs: Blobs) -> None:
        for file in files:
            page = self._page(submission, file)
            try:
                source = blobs.place(file.sha256)
                if source != page:
                    trees.write_file(page, source)
            except ServiceError as error:
                self.broken.append(f"{file.path}: {error}")
                continue
            self.log.info(f"Fetched feedback: {page}")
