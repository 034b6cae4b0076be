"""`nbgrader submit`: the student's folder travels to the server, and a receipt comes back.

"Submitted" is said when the receipt is here, and not before.
"""

import json
import os
from pathlib import Path
from typing import Any

from nbgrader.exchange.abc import ExchangeSubmit as ABCExchangeSubmit
from nbgrader.utils import find_all_notebooks
from traitlets import Bool

from ..client import manifest, paths, records, transfer
from ..client.bundle import Upload
from ..client.errors import Refused
from ..client.manifest import File, LocalFile
from ..client.progress import Progress, size_text
from ..client.records import Receipt
from . import cache as submitted
from . import folders as trees
from .base import FORBIDDEN, Exchange

LEFT_OUT = (submitted.TIMESTAMP, "submission_secret.txt", submitted.RECEIPT)  # nbgrader's own, not the student's


class ExchangeSubmit(Exchange, ABCExchangeSubmit):
    """A repeat after a lost answer gives the same receipt, not a second submission."""

    add_random_string = Bool(True, help="Has no meaning here: the server names submissions.").tag(config=True)

    def init_src(self) -> None:
        self.require_course()
        parts = [self.coursedir.assignment_id]
        if self.path_includes_course:
            parts.insert(0, self.coursedir.course_id)
        self.src_path = os.path.abspath(os.path.join(self.assignment_dir, *parts))
        self.coursedir.assignment_id = os.path.basename(self.src_path)
        if not os.path.isdir(self.src_path):
            others = map(str, sorted(Path(self.src_path).parent.glob("*")))
            self.assignment_not_found(f"Assignment not found at: {self.src_path}", self.src_path, others)

    def init_dest(self) -> None:
        self.require_access()
        self.on_behalf_of = self.student()
        course, assignment = self.coursedir.course_id, self.coursedir.assignment_id
        self.place = ("courses", course, "assignments", assignment)
        self.dest_path = self.client.address(*self.place, "submissions")

    def copy_files(self) -> None:
        released = self.released_files(f"Assignment not found: {self.client.address(*self.place)}")
        self.log.info(f"Source: {self.src_path}")
        self.log.info(f"Destination: {self.dest_path}")
        self._compare_notebooks(released)
        files = manifest.of_folder(Path(self.src_path), self.coursedir, leave_out=LEFT_OUT)
        receipt = self._hand_in(files)
        timestamp = self.timestamp_text(receipt.timestamp)
        self._keep(files, receipt, timestamp)
        self.log.info(f"Submitted as: {self.coursedir.course_id} {self.coursedir.assignment_id} {timestamp}")
        self._tell(receipt)

    def _compare_notebooks(self, released: list[File]) -> None:
        """What nbgrader says of missing and extra notebooks (nbgrader/exchange/default/submit.py)."""
        expected = sorted(file.path for file in released if file.path.endswith(".ipynb"))
        found = find_all_notebooks(self.src_path)
        missing, extra = set(expected) - set(found), set(found) - set(expected)
        if not missing and not extra:
            return
        of_release = "\n\t".join(f"{name}: {'MISSING' if name in missing else 'FOUND'}" for name in expected)
        of_work = "\n\t".join(f"{name}: {'EXTRA' if name in extra else 'OK'}" for name in found)
        comparison = f"Expected:\n\t{of_release}\nSubmitted:\n\t{of_work}"
        assignment = self.coursedir.assignment_id
        if missing and self.strict:
            self.fail(
                f"Assignment {assignment} not submitted. There are missing notebooks for the submission:\n{comparison}"
            )
        self.log.warning(
            f"Possible missing notebooks and/or extra notebooks submitted for assignment {assignment}:\n{comparison}"
        )

    def _hand_in(self, files: list[LocalFile]) -> Receipt:
        content: dict[str, Any] = {"files": manifest.as_json(files)}
        if self.on_behalf_of:
            content["student"] = self.on_behalf_of
        digest = manifest.digest(files)
        place = f"{self.dest_path} {self.on_behalf_of}"
        key = submitted.key_of_attempt(Path(self.cache), place, digest)
        try:
            missing = transfer.missing(self.client, files)
            to_send = [file for file in files if file.sha256 in missing]
            with Progress("Submitting", sum(file.size for file in to_send), self.log) as progress:
                upload = Upload(content, to_send, progress=progress.advance)
                answer = self.client.send(*self.place, "submissions", upload=upload, key=key)
        except Refused as error:
            submitted.answered(Path(self.cache), place, digest)
            if error.status == FORBIDDEN and not self.on_behalf_of:
                self.no_access(error)
            raise
        receipt = records.receipt(answer)
        if receipt.digest != digest:
            self.fail("The exchange has received other files than were sent. Submit again.")
        submitted.answered(Path(self.cache), place, digest)
        return receipt

    def _keep(self, files: list[LocalFile], receipt: Receipt, timestamp: str) -> None:
        """A copy in the cache, with the receipt. It is submitted already: trouble here is told, and is no failure."""
        course, assignment = self.coursedir.course_id, self.coursedir.assignment_id
        source = {file.sha256: file.source for file in files}
        texts = {submitted.TIMESTAMP: timestamp, submitted.RECEIPT: json.dumps(receipt.raw, indent=2) + "\n"}
        try:
            destination = submitted.folder(Path(self.cache), course, paths.name(receipt.student), assignment, timestamp)
            trees.write_tree(destination, files, source.__getitem__, texts=texts)
        except OSError as error:
            self.log.warning("It is submitted, but no copy could be kept in %s: %s", self.cache, error.strerror)

    def _tell(self, receipt: Receipt) -> None:
        notes = "".join(
            [" It is late." if receipt.late else "", " As a trial: it will not be collected." if receipt.trial else ""]
        )
        self.log.info(
            f"Receipt {receipt.id}: {receipt.file_count} files, {size_text(receipt.size)}, "
            f"digest {receipt.digest[:16]}, signature {str(receipt.raw.get('signature', ''))[:16]}.{notes}"
        )
