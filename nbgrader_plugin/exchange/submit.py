"""`nbgrader submit`: the student's folder is sent to the server, and a receipt comes back.

"Submitted" is logged when the receipt has come, and not before.
"""

import json
import os
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timezone
from http import HTTPStatus
from pathlib import Path

from nbgrader.exchange.abc import ExchangeSubmit as ABCExchangeSubmit
from traitlets import Bool

from ..client import manifest, parts, recent, sending, times
from ..client.errors import ErrorResponse, ServiceError
from ..client.manifest import File, LocalFile
from ..client.paths import BadPath, check_name
from ..client.progress import files_text, size_text
from ..client.records import Deadline, Receipt, as_mapping, parse_deadline, parse_receipt
from ..translation import gettext as _
from . import cache, deadline_notes, folders, known
from .base import Exchange
from .known import Release
from .local_files import find_files, read_files

LEFT_OUT = (cache.TIMESTAMP, "submission_secret.txt", cache.RECEIPT)  # nbgrader's own, not the student's
MOST_RELEASES = 5  # that may be published while one submits


class ExchangeSubmit(Exchange, ABCExchangeSubmit):
    """A repeat after a lost response gives the same receipt, not a second submission."""

    add_random_string = Bool(True, help="Has no meaning here: the server names submissions.").tag(config=True)

    def init_src(self) -> None:
        self.choose_course()
        names = [self.coursedir.assignment_id]
        if self.path_includes_course:
            names.insert(0, self.coursedir.course_id)
        self.src_path = os.path.abspath(os.path.join(self.assignment_dir, *names))
        self.coursedir.assignment_id = os.path.basename(self.src_path)
        if not os.path.isdir(self.src_path):
            others = map(str, sorted(Path(self.src_path).parent.glob("[!.]*")))
            self.fail_not_found(
                _("Assignment not found at: %(folder)s.") % {"folder": self.src_path}, self.src_path, others
            )

    def init_dest(self) -> None:
        self.require_access()
        self.on_behalf_of = self.named_student()
        course, assignment = self.coursedir.course_id, self.coursedir.assignment_id
        self.place = ("courses", course, "assignments", assignment, "submissions")
        self.address = self.assignment_address()
        self.dest_path = self.client.address(*self.place)

    def copy_files(self) -> None:
        self.known = known.read(Path(self.cache), self.address)
        release = self.known.release
        sources = find_files(Path(self.src_path), self.coursedir, leave_out=LEFT_OUT)
        self.found = [path for path in sources if path.endswith(".ipynb")]  # that are sent: no checkpoints
        if release is None or _notebooks_in(release.files) != self.found:
            release = self.latest_release(release)  # what is said about notebooks must be true
        self.log.info(_("Source: %(folder)s") % {"folder": self.src_path})
        self.log.info(_("Destination: %(place)s") % {"place": self.place_in_exchange})
        self._compare_notebooks(release.files)
        files = read_files(sources)
        if release is self.known.release and self._has_much_to_send(files):
            release = self._compare_again(release)  # so that it is not sent in vain
        deadline, assignment, zone = self._deadline(), self.coursedir.assignment_id, self.reader_zone()
        for warning in deadline_notes.warnings_before(assignment, deadline, datetime.now(timezone.utc), zone):
            self.log.warning(warning)
        receipt = self._submit(files, release)
        timestamp = self.timestamp_text(receipt.timestamp)
        same = self._same_as(receipt)
        self._keep_copy(files, receipt, timestamp)
        self.log.info(
            _("Submitted as: %(course)s %(assignment)s %(timestamp)s")
            % {"course": self.coursedir.course_id, "assignment": assignment, "timestamp": timestamp}
        )
        self._log_receipt(receipt)
        if not receipt.trial:  # neither limit nor cut-off holds for those
            for sentence in deadline_notes.sentences_after(assignment, deadline, zone):
                self.log.info(sentence)
        if same:
            when = times.for_reader(same.timestamp, zone, today=receipt.timestamp.astimezone(zone).date())
            self.log.info(_("These are the same files as at %(when)s.") % {"when": when})
            if receipt.late and self._was_in_time(receipt):
                self.log.info(_("You submitted exactly these files in time, so they do not count as late."))

    def _has_much_to_send(self, files: list[LocalFile]) -> bool:
        """Return whether there are files that are sent before the submission, which may be refused."""
        hashes = self.known.hashes()
        return any(file.size >= parts.LARGE and file.sha256 not in hashes for file in files)

    def _deadline(self) -> Deadline:
        """Return one's own deadline; that there is none for somebody else, and where nobody reads the log."""
        if self.on_behalf_of or recent.is_click():
            return Deadline()
        try:
            return parse_deadline(self.client.get_recent_object(*self.place[:-1]))
        except ServiceError:  # submitting says what is wrong
            return Deadline()

    def _compare_again(self, release: Release) -> Release:
        """Return the latest release, compared with the notebooks as `release` was."""
        latest = self.latest_release(release)  # fails if the assignment is not released any more
        if latest != release:
            self._compare_notebooks(latest.files)
        return latest

    def _compare_notebooks(self, released: list[File]) -> None:
        """Warn of missing and extra notebooks, or fail, as nbgrader/exchange/default/submit.py does."""
        expected = _notebooks_in(released)
        missing, extra = set(expected) - set(self.found), set(self.found) - set(expected)
        if not missing and not extra:
            return
        comparison = _render_comparison(expected, missing, self.found, extra)
        assignment = self.coursedir.assignment_id
        if missing and self.strict:
            refusal = _("Assignment %(assignment)s not submitted. There are missing notebooks for the submission:")
            self.fail(f"{refusal % {'assignment': assignment}}\n{comparison}")
        warning = _("Possible missing notebooks and/or extra notebooks submitted for assignment %(assignment)s:")
        self.log.warning(f"{warning % {'assignment': assignment}}\n{comparison}")

    def _submit(self, files: list[LocalFile], release: Release) -> Receipt:
        digest = manifest.digest(files)
        attempt = f"{self.dest_path} {self.on_behalf_of}"
        key = cache.idempotency_key(Path(self.cache), attempt, digest)
        try:
            release, response = self._send_for_latest_release(files, release, key)
        except ErrorResponse as error:
            cache.forget_attempts(Path(self.cache), attempt)
            if error.status == HTTPStatus.FORBIDDEN and not self.on_behalf_of:
                self.fail_without_access(error)
            raise
        receipt = parse_receipt(response)
        if receipt.digest != digest:
            self.fail(_("The exchange has received other files than were sent. Submit again."))
        cache.forget_attempts(Path(self.cache), attempt)
        known.remember_release(Path(self.cache), self.address, release)
        known.remember_sent(Path(self.cache), self.address, files)
        return receipt

    def _send_for_latest_release(self, files: list[LocalFile], release: Release, key: str) -> tuple[Release, object]:
        """Return the release that the files were compared with, and the server's response.

        The server refuses what was compared with another release than the latest: then that is asked for.
        """
        for _attempt in range(MOST_RELEASES):
            try:
                return release, self._send(files, release, key)
            except ErrorResponse as error:
                if error.status not in (HTTPStatus.PRECONDITION_FAILED, HTTPStatus.NOT_FOUND):
                    raise
                latest = self._compare_again(release)
                if latest == release:
                    raise
            release = latest
        return release, self._send(files, release, key)

    def _send(self, files: list[LocalFile], release: Release, key: str) -> object:
        content: dict[str, object] = {"files": manifest.as_json(files)}
        if self.on_behalf_of:
            content["student"] = self.on_behalf_of
        return sending.send(
            self.client,
            self.place,
            content,
            files,
            known=replace(self.known, release=release).hashes(),
            label=_("Submitting"),
            log=self.log,
            key=key,
            if_match=release.etag,
        )

    def _same_as(self, receipt: Receipt) -> Receipt | None:
        """Return the latest earlier receipt for the same files of the same student, if this computer has one."""
        earlier = cache.earlier_receipts(
            Path(self.cache), course=self.coursedir.course_id, assignment=self.coursedir.assignment_id
        )
        same = [
            found
            for found in earlier
            if (found.student, found.digest) == (receipt.student, receipt.digest) and found.id != receipt.id
        ]
        return same[-1] if same else None

    def _was_in_time(self, receipt: Receipt) -> bool:
        """Return whether this late submission repeats the latest one in time, which the server knows."""
        try:
            return as_mapping(self.client.get("submissions", str(receipt.id))).get("repeats") is not None
        except ServiceError:  # it is submitted; this is only a remark
            return False

    def _keep_copy(self, files: list[LocalFile], receipt: Receipt, timestamp: str) -> None:
        """Keep a copy in the cache, with the receipt. It is submitted already: an error here is only a warning."""
        course, assignment = self.coursedir.course_id, self.coursedir.assignment_id
        source = {file.sha256: file.source for file in files}
        texts = {cache.TIMESTAMP: timestamp, cache.RECEIPT: json.dumps(receipt.raw, indent=2) + "\n"}
        try:
            folder = cache.copy_folder(Path(self.cache), course, check_name(receipt.student), assignment, timestamp)
            folders.write_folder(folder, files, folders.copy_from(source), texts=texts)
        except (BadPath, OSError) as error:
            self.log.warning(
                _("It is submitted, but no copy could be kept in %(folder)s: %(error)s")
                % {"folder": self.cache, "error": error}
            )

    def _log_receipt(self, receipt: Receipt) -> None:
        sentence = _("Receipt %(receipt)s: %(files)s, %(size)s, digest %(digest)s, signature %(signature)s.") % {
            "receipt": _("%(id)s, code %(code)s") % {"id": receipt.id, "code": receipt.code}
            if receipt.code
            else receipt.id,
            "files": files_text(receipt.file_count),
            "size": size_text(receipt.size),
            "digest": receipt.digest[:16],
            "signature": str(receipt.raw.get("signature", ""))[:16],
        }
        late = [_("It is late.")] if receipt.late else []
        if receipt.late and receipt.due:
            due = times.for_reader(receipt.due, self.reader_zone())
            late = [_("It is late: it was due %(due)s.") % {"due": due}]
        trial = [_("It is a trial, and will not be collected.")] if receipt.trial else []
        self.log.info(" ".join([sentence, *late, *trial]))


def _render_comparison(expected: list[str], missing: set[str], found: list[str], extra: set[str]) -> str:
    in_release = [": ".join([name, _("MISSING") if name in missing else _("FOUND")]) for name in expected]
    in_submission = [": ".join([name, _("EXTRA") if name in extra else _("OK")]) for name in found]
    parts = ([_("Expected:"), *in_release], [_("Submitted:"), *in_submission])
    return "\n".join("\n\t".join(lines) for lines in parts)


def _notebooks_in(files: Iterable[File]) -> list[str]:
    return sorted(file.path for file in files if file.path.endswith(".ipynb"))
