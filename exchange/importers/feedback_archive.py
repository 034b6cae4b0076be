"""Feedback from a zip of nbgrader's folder `feedback`: whose it is, for which attempt, and what would be returned.

Only the pages (`.html`) at the top of feedback/STUDENT/ASSIGNMENT/ count, as in nbgrader. Its `timestamp.txt`, which
nbgrader copies along, says for which attempt they are; without one they are for the attempt that was collected last,
or else for the latest.
"""

import hashlib
import tempfile
import zipfile
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import IO, Any

from django.conf import settings
from django.db.models import OuterRef, Subquery
from django.utils.translation import gettext as _

from courses.errors import DomainError, Invalid, NotFound, TooLarge
from courses.models import Course
from courses.permissions import Actor, Permission
from courses.sizes import readable_size
from exchange import services
from exchange.importers.exchange_directory import parse_time
from exchange.models import Assignment, Feedback, Submission
from exchange.services import FeedbackItem
from exchange.storage import batches, blobs, manifests, parts, zip_files
from exchange.storage.file_sets import Upload
from exchange.storage.manifests import ManifestEntry
from exchange.storage.zip_files import UNREADABLE

TIMESTAMP = "timestamp.txt"
MAX_TIMESTAMP = 200  # bytes
MAX_FILES = 100_000  # in a zip, of any kind
AT_ONCE = 100  # students in one transaction
KEPT_MARK = b"feedback to be confirmed"


class BadArchive(Invalid):
    code = "bad_archive"


@dataclass
class Folder:
    """What the zip has of one student."""

    pages: dict[str, zipfile.ZipInfo] = field(default_factory=dict)  # by file name
    timestamp: zipfile.ZipInfo | None = None


@dataclass(frozen=True)
class Row:
    """The feedback of one student, and where it goes."""

    student: str
    entries: list[ManifestEntry]
    submission: Submission | None = None
    how: str = ""  # the attempt was chosen
    problem: str = ""  # why it is not returned
    is_repeat: bool = False  # exactly these pages are the newest feedback on the attempt already

    @property
    def is_returned(self) -> bool:
        return self.submission is not None and not self.is_repeat and not self.problem


class FeedbackArchive:
    """A zip with the feedback of one assignment."""

    def __init__(self, file: IO[bytes], assignment: Assignment) -> None:
        """Read which files there are. Errors: BadArchive, TooLarge."""
        self.assignment = assignment
        self.ignored = 0  # files that are no feedback of this assignment
        try:
            self._zip = zip_files.open_bounded(file, MAX_FILES)
        except UNREADABLE as error:
            raise BadArchive(_("This is no zip file.")) from error
        self._folders = self._find_folders()
        self._sources: dict[str, zipfile.ZipInfo] = {}  # by hash

    def _find_folders(self) -> dict[str, Folder]:
        members = self._zip.infolist()
        if len(members) > MAX_FILES:
            raise TooLarge(
                _("The zip has %(count)s files, the limit is %(limit)s.") % {"count": len(members), "limit": MAX_FILES}
            )
        folders: dict[str, Folder] = {}
        total = 0
        for member in members:
            if zip_files.is_folder(member):
                continue
            student, name = self._place(member.filename)
            if student and name == TIMESTAMP and member.compress_type in zip_files.METHODS:
                folders.setdefault(student, Folder()).timestamp = member
            elif student and name.endswith(".html") and not name.startswith("."):
                if member.flag_bits & zip_files.ENCRYPTED or member.compress_type not in zip_files.METHODS:
                    raise BadArchive(
                        _("%(file)s is encrypted, or packed in a way that is not read here.")
                        % {"file": member.filename[:200]}
                    )
                folders.setdefault(student, Folder()).pages[name] = member
                total += member.file_size
            else:
                self.ignored += 1
        if total > (limit := settings.NGSHARE_MAX_SUBMISSION_SIZE):
            raise TooLarge(
                _("The pages are %(size)s, the limit is %(limit)s.")
                % {"size": readable_size(total), "limit": readable_size(limit)}
            )
        return {student: folder for student, folder in folders.items() if folder.pages}

    def _place(self, path: str) -> tuple[str, str]:
        """Return the student and the file name of a path in the zip; nothing if it is not of this assignment."""
        parts = path.split("/")
        if "feedback" in parts[:-3]:
            parts = parts[parts.index("feedback") + 1 :]
        if len(parts) == 3 and parts[1] == self.assignment.name:
            return parts[0], parts[2]
        return "", ""

    def rows(self) -> list[Row]:
        """Return what the zip has, by student, with where it goes. Errors: BadArchive."""
        attempts = self._read_attempts()
        return [
            self._row(student, folder, attempts.get(student, [])) for student, folder in sorted(self._folders.items())
        ]

    def _read_attempts(self) -> dict[str, list[Any]]:
        """Return the attempts of these students, the newest first. One query."""
        newest = Feedback.objects.filter(submission=OuterRef("pk")).order_by("-id").values("file_set__digest")
        rows = self.assignment.submissions.present().select_related("student").order_by("-created")
        attempts: dict[str, list[Any]] = {}
        for row in rows.annotate(newest_digest=Subquery(newest[:1])):
            if row.student.username in self._folders:
                attempts.setdefault(row.student.username, []).append(row)
        return attempts

    def _row(self, student: str, folder: Folder, attempts: list[Any]) -> Row:
        entries = [self._entry(name, member) for name, member in sorted(folder.pages.items())]
        try:
            manifests.check_manifest(entries)
            submission, how = self._choose(folder, attempts)
        except DomainError as error:
            return Row(student, entries, problem=error.message)
        is_repeat = submission.newest_digest == manifests.digest(entries)
        return Row(student, entries, submission, how, is_repeat=is_repeat)

    def _entry(self, name: str, member: zipfile.ZipInfo) -> ManifestEntry:
        sha256 = hashlib.sha256()
        try:
            with self._zip.open(member) as stream:
                while chunk := stream.read(blobs.CHUNK):
                    sha256.update(chunk)
        except UNREADABLE as error:
            raise BadArchive(_("%(file)s in the zip is broken.") % {"file": member.filename[:200]}) from error
        self._sources[sha256.hexdigest()] = member
        return ManifestEntry(name, sha256.hexdigest(), member.file_size)

    def _choose(self, folder: Folder, attempts: list[Any]) -> tuple[Any, str]:
        """Return the attempt that the pages are for, and how it was chosen. Errors: Invalid."""
        if not attempts:
            raise Invalid(_("This student has not submitted."))
        if moment := self._read_time(folder):
            found = [each for each in attempts if each.created == moment]
            if not moment.microsecond:
                found = found or [each for each in attempts if each.created.replace(microsecond=0) == moment]
            if len(found) != 1:
                raise Invalid(
                    _("There is no attempt of %(time)s UTC, the time in %(file)s.")
                    % {"time": f"{moment:%Y-%m-%d %H:%M:%S}", "file": TIMESTAMP}
                )
            return found[0], _("the time in %(file)s") % {"file": TIMESTAMP}
        collected = [each for each in attempts if each.collected_at]
        if collected:
            return max(collected, key=lambda each: (each.collected_at, each.created)), _("collected last")
        return attempts[0], _("the latest")

    def _read_time(self, folder: Folder) -> datetime | None:
        if folder.timestamp is None:
            return None
        try:
            with self._zip.open(folder.timestamp) as stream:
                return parse_time(stream.read(MAX_TIMESTAMP).decode())
        except UNREADABLE as error:
            raise Invalid(_("The time in %(file)s cannot be read.") % {"file": TIMESTAMP}) from error

    def upload(self, rows: Sequence[Row]) -> Upload:
        """Return the pages of these rows as service functions take them."""
        needed = {entry.sha256 for row in rows for entry in row.entries}
        return Upload([row.entries for row in rows], self._sent(needed))

    def _sent(self, needed: Collection[str]) -> Iterator[tuple[str, blobs.Readable]]:
        for sha256, member in self._sources.items():
            if sha256 in needed:
                with self._zip.open(member) as stream:
                    yield sha256, stream


def return_rows(archive: FeedbackArchive, rows: Sequence[Row], *, by: Actor) -> int:
    """Return the feedback of those rows that have an attempt, some at a time, and return of how many it was.

    Errors: those of services.return_feedback. What was returned before an error is not returned again by a repeat.
    """
    count = 0
    for batch in batches.in_batches([row for row in rows if row.is_returned], AT_ONCE):
        items = [FeedbackItem(row.entries, submission=row.submission.pk) for row in batch if row.submission]
        returned, _refused = services.return_feedback(archive.assignment, items, archive.upload(batch), by=by)
        count += len(returned)
    return count


# A zip waits for its confirmation as an upload in parts that is never completed: every process that shares the store
# finds it, for a day.


def keep_archive(file: IO[bytes], size: int, course: Course, *, by: Actor) -> str:
    """Keep a zip until it is confirmed, and return the id under which its sender finds it again.

    Errors: PermissionDenied, TooLarge, QuotaExceeded, TryAgain.
    """
    by.require(Permission.RETURN_FEEDBACK, course)
    sha256 = hashlib.sha256(KEPT_MARK)  # not the hash of a file that anybody may have submitted
    while chunk := file.read(blobs.CHUNK):
        sha256.update(chunk)
    file.seek(0)
    upload, _is_new = services.begin_upload(course, sha256.hexdigest(), size, by=by)
    for number in range(1, upload.part_count + 1):
        services.store_part(upload, number, file, by=by)
    return str(upload.pk)


@contextmanager
def open_kept(course: Course, upload_id: str, *, by: Actor) -> Iterator[IO[bytes]]:
    """Open a zip that was kept. Errors: NotFound, TryAgain."""
    upload = services.find_upload(course, upload_id, by=by)
    stream = parts.Parts(upload)
    with tempfile.TemporaryFile() as file:
        try:
            while chunk := stream.read(blobs.CHUNK):
                file.write(chunk)
        except parts.PartGone as error:
            raise NotFound(_("The zip is not here any more. Send it again.")) from error
        file.seek(0)
        yield file
