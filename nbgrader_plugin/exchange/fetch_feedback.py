"""`nbgrader fetch_feedback`: the feedback on each of one's submissions becomes `feedback/<timestamp>/<notebook>.html`.

The server knows all submissions, so this works from an emptied home directory, too.
"""

from functools import partial
from pathlib import Path

from nbgrader.exchange.abc import ExchangeFetchFeedback as ABCExchangeFetchFeedback

from ..client.errors import ServiceError
from ..client.manifest import BadManifest, File
from ..client.records import Submission, parse_submission
from ..client.transfer import Blobs
from ..translation import gettext as _
from . import folders
from .base import Exchange


class ExchangeFetchFeedback(Exchange, ABCExchangeFetchFeedback):
    """Feedback that cannot be fetched does not keep the rest."""

    def init_src(self) -> None:
        self.choose_course()
        course, assignment = self.coursedir.course_id, self.coursedir.assignment_id
        student = self.named_student()
        self.src_path = self.client.address("submissions")
        rows = self.client.get_all(
            "submissions", course=course, assignment=assignment, student=student, mine=not student
        )
        self.attempts = [parse_submission(row) for row in rows]

    def init_dest(self) -> None:
        self.dest_path = self.local_folder(self.coursedir.course_id, self.coursedir.assignment_id) / "feedback"

    def copy_files(self) -> None:
        self.log.info(_("Source: %(place)s") % {"place": self.place_in_exchange})
        self.log.info(_("Destination: %(folder)s") % {"folder": self.dest_path})
        self.broken: list[str] = []
        feedback = [(submission, files) for submission in self.attempts if (files := self._files(submission))]
        if feedback:
            with folders.temporary_folder(self.dest_path.parent) as folder:
                blobs = Blobs(self.client, folder, self.log)
                for submission, files in feedback:
                    blobs.use_local_copies(files, partial(self._candidates, submission))
                blobs.fetch([file for _, files in feedback for file in files], _("Fetching feedback"))
                for submission, files in feedback:
                    self._write(submission, files, blobs)
        if self.broken:
            self.fail(_("Some feedback could not be fetched. %(reasons)s") % {"reasons": "; ".join(self.broken)})

    def _files(self, submission: Submission) -> list[File]:
        """Return the files of the feedback, after logging which notebooks have some."""
        try:
            files = submission.feedback()
        except BadManifest as error:
            self.broken.append(f"{self.timestamp_text(submission.timestamp)}: {error}")
            return []
        names = {file.path for file in files}
        for notebook in submission.notebooks:
            name = f"'{submission.course}/{submission.assignment}/{notebook.notebook_id}'"
            when = self.timestamp_text(submission.timestamp)
            if f"{notebook.notebook_id}.html" in names:
                self.log.info(_("Found feedback for %(name)s submitted at %(when)s") % {"name": name, "when": when})
            else:
                self.log.warning(
                    _("Could not find feedback for %(name)s submitted at %(when)s") % {"name": name, "when": when}
                )
        return files

    def _candidates(self, submission: Submission, file: File) -> list[Path]:
        return [self._page(submission, file)]

    def _page(self, submission: Submission, file: File) -> Path:
        return self.dest_path / self.timestamp_text(submission.timestamp) / file.path

    def _write(self, submission: Submission, files: list[File], blobs: Blobs) -> None:
        for file in files:
            page = self._page(submission, file)
            try:
                source = blobs.place(file.sha256)
                if source != page:
                    folders.write_file(page, source)
            except ServiceError as error:
                self.broken.append(f"{file.path}: {error}")
                continue
            self.log.info(_("Fetched feedback: %(page)s") % {"page": page})
