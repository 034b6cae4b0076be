"""Importing a course from the zip of `export_course`: the same digests and times, for the users of the same names.

The zip may come from anywhere. First all of it is read and verified; then its bytes are stored; then all rows are
written in one transaction. A name in the zip is only ever looked up there, never used as a path.
"""

import json
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db import IntegrityError, transaction

from courses import audit, roster
from courses import services as course_services
from courses.errors import AlreadyExists, Invalid
from courses.models import Course, User
from courses.permissions import SERVER, SERVER_ROLE
from courses.roster import Result
from courses.services import LIMIT_FIELDS, RosterEntry
from exchange import quotas, services
from exchange.course_archive import FORMAT, RECORDS
from exchange.models import Assignment, Blob, Fault, Feedback, FileSet, Release, Submission
from exchange.storage import blobs, file_sets, manifests
from exchange.storage.file_sets import Upload
from exchange.storage.manifests import ManifestEntry

MAX_LINE = 2**25  # bytes of one record: 10,000 files with long paths
MEMBER_FIELDS = ("username", "role", "first_name", "last_name", "email", "section")
Record = dict[str, Any]


class BadArchive(Invalid):
    """The zip is not one of `export_course`, or it was changed or damaged."""


@dataclass
class Files:
    """The files of one record, verified: the manifest, and where the bytes are in the zip, None where they are lost."""

    manifest: list[ManifestEntry]
    members: dict[str, str | None]  # by hash


@dataclass
class ImportedCourse:
    course: Course
    submissions: int = 0
    lost: set[str] = field(default_factory=set)  # hashes


class CourseArchive:
    """An open zip. Reading any part of it raises BadArchive where that is not what it should be."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._zip = archive
        names = archive.namelist()
        if len(set(names)) < len(names):
            raise BadArchive("The zip has the same name twice.")
        if RECORDS not in names:
            raise BadArchive(f"The zip has no {RECORDS}: it was not made by export_course.")
        self._verified: dict[str, tuple[str, int]] = {}  # hash and size by name

    def records(self, *kinds: str) -> Iterator[Record]:
        """Yield the records of these kinds, in their order."""
        with _readable("its records"), self._zip.open(RECORDS) as file:
            while line := file.readline(MAX_LINE):
                record = _parse(line)
                if record["kind"] in kinds:
                    yield record

    def course(self) -> Record:
        first = next(self.records("course"), None)
        if first is None or first.get("format") != FORMAT:
            raise BadArchive("The zip is of another version of ngshare, in a format unknown to this one.")
        return first

    def files(self, record: Record) -> Files:
        """Return the files of a record, after checking the manifest and its digest."""
        rows = _get(record, "files", list)
        if not all(isinstance(row, dict) for row in rows):
            raise BadArchive("A file of a record is no object.")
        manifest = [
            ManifestEntry(_get(row, "path", str), _get(row, "sha256", str), _get(row, "size", int)) for row in rows
        ]
        manifests.check_manifest(manifest)
        if manifests.digest(manifest) != record.get("digest"):
            raise BadArchive(f"The files of a {record['kind']} do not have the digest that it states.")
        members = {_get(row, "sha256", str): _get(row, "file", str, is_optional=True) for row in rows}
        return Files(manifest, members)

    def verify(self, files: Files) -> None:
        """Read the bytes of the files that were not read before, and compare them with the manifest."""
        with blobs.staging() as folder:
            for entry in files.manifest:
                name = files.members[entry.sha256]
                if name is None or self._verified.get(name) == (entry.sha256, entry.size):
                    continue
                with self.open(name, entry.size) as stream:
                    blobs.stage(stream, folder, sha256=entry.sha256, size=entry.size).path.unlink()
                self._verified[name] = (entry.sha256, entry.size)

    @contextmanager
    def open(self, name: str, size: int) -> Iterator[blobs.Readable]:
        """Open a file of the zip, which must say that it has this size. No more than that is ever read."""
        with _readable(name):
            if self._zip.getinfo(name).file_size != size:
                raise BadArchive(f"{name[:200]!r} in the zip is not of the size that is recorded.")
            with self._zip.open(name) as stream:
                yield stream


@contextmanager
def _readable(what: str) -> Iterator[None]:
    try:
        yield
    except (zipfile.BadZipFile, zlib.error, EOFError, KeyError, NotImplementedError, RuntimeError, OSError) as error:
        raise BadArchive(f"The zip is damaged: {what[:200]!r} cannot be read ({error}).") from error


def _parse(line: bytes) -> Record:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise BadArchive("A record in the zip is no JSON.") from error
    if not isinstance(record, dict) or not isinstance(record.get("kind"), str):
        raise BadArchive("A record in the zip has no kind.")
    return record


def _get(record: Record, name: str, kind: type, *, is_optional: bool = False) -> Any:
    value = record.get(name)
    if (value is None and is_optional) or (isinstance(value, kind) and not (kind is int and isinstance(value, bool))):
        return value
    raise BadArchive(f"A record in the zip has no right {name}.")


def _get_time(record: Record, name: str, *, is_optional: bool = False) -> Any:
    text = _get(record, name, str, is_optional=is_optional)
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadArchive(f"{text[:80]!r} in the zip is no time.") from error
    if moment.tzinfo is None:
        raise BadArchive(f"{text[:80]!r} in the zip is a time without a zone.")
    return moment


def import_course(path: Path, *, name: str = "", step: Callable[[], None] = lambda: None) -> ImportedCourse:
    """Import the course, under another `name` if one is given. Nothing is changed if anything is wrong with the zip.

    `step` is called after each file set that was verified. Errors: BadArchive, Invalid, TooLarge, AlreadyExists.
    """
    try:
        with open(path, "rb") as file, zipfile.ZipFile(file) as archive:
            return _Import(CourseArchive(archive), name).run(step)
    except (zipfile.BadZipFile, OSError) as error:
        raise BadArchive(f"{path} cannot be read as a zip: {error}.") from error


class _Import:
    def __init__(self, archive: CourseArchive, name: str) -> None:
        self._archive = archive
        self._header = archive.course()
        self._name = course_services.check_course_name(name or _get(self._header, "name", str))
        if Course.objects.filter(name=self._name).exists():
            raise AlreadyExists(f"There is a course {self._name} already, perhaps in the trash.")
        self._users: dict[str, User] = {}

    def run(self, step: Callable[[], None]) -> ImportedCourse:
        self._check(step)
        lost = self._store()
        try:
            with transaction.atomic():
                imported = self._write()
                imported.lost = self._mark_lost(lost)
                self._record(imported)
        except IntegrityError as error:
            raise BadArchive("The zip has something twice that must be there once.") from error
        return imported

    def _record(self, imported: ImportedCourse) -> None:
        course, details = imported.course, {"submissions": imported.submissions, "lost": len(imported.lost)}
        target = course.name
        audit.record(
            "import course", by=SERVER, role=SERVER_ROLE, about=course, course=course, target=target, **details
        )

    # Before anything is written

    def _check(self, step: Callable[[], None]) -> None:
        self._check_header()
        assignments: set[str] = set()
        submissions: set[int] = set()
        for record in self._archive.records("assignment", "member", "release", "submission", "feedback"):
            kind = record["kind"]
            if kind == "member":
                self._entry(record)
            elif kind == "assignment":
                services.check_assignment_name(_get(record, "name", str))
                _assignment_times(record)
                assignments.add(record["name"])
            else:
                self._check_files(record, assignments, submissions)
                step()

    def _check_header(self) -> None:
        _get_time(self._header, "created")
        limits = _get(self._header, "limits", dict)
        for limit in LIMIT_FIELDS:
            if (_get(limits, limit, int, is_optional=True) or 0) not in range(2**63):
                raise BadArchive(f"The limit {limit} in the zip is out of range.")

    def _check_files(self, record: Record, assignments: set[str], submissions: set[int]) -> None:
        if record["kind"] == "release":
            _get_person(record, "released_by")
            if _get(record, "number", int) not in range(1, 2**31):
                raise BadArchive("The number of a release in the zip is out of range.")
            known = _get(record, "assignment", str) in assignments
        elif record["kind"] == "submission":
            receipt = _Receipt(record)
            known = receipt.assignment in assignments and receipt.id not in submissions
            submissions.add(receipt.id)
        else:
            known = _get(record, "submission", int) in submissions
            _get_person(record, "returned_by")
        if not known:
            raise BadArchive(f"A {record['kind']} in the zip belongs to nothing in it, or comes twice.")
        _get_time(record, "created")
        self._archive.verify(self._archive.files(record))

    def _entry(self, record: Record) -> RosterEntry:
        fields = {name: _get(record, name, str, is_optional=name not in ("username", "role")) for name in MEMBER_FIELDS}
        entry = RosterEntry(**fields)
        course_services.check_name(entry.username)
        course_services.check_role(fields["role"])
        course_services.check_names(entry)
        return entry

    # Bytes

    def _store(self) -> dict[str, int]:
        """Store the bytes that are not here yet. Return what is lost and not here either, {hash: bytes}."""
        lost: dict[str, int] = {}
        for record in self._archive.records("release", "submission", "feedback"):
            files = self._archive.files(record)
            missing = set(file_sets.missing_blobs(files.manifest, by=SERVER))
            sizes = {entry.sha256: entry.size for entry in files.manifest}
            gone = {sha256 for sha256 in missing if files.members[sha256] is None}
            lost |= {sha256: sizes[sha256] for sha256 in gone}
            kept = [entry for entry in files.manifest if entry.sha256 not in gone]
            with file_sets.store_upload(Upload([kept], self._send(files, missing - gone, sizes)), by=SERVER):
                pass
        return lost

    def _send(self, files: Files, hashes: set[str], sizes: dict[str, int]) -> Iterator[tuple[str, blobs.Readable]]:
        for sha256 in sorted(hashes):
            with self._archive.open(str(files.members[sha256]), sizes[sha256]) as stream:
                yield sha256, stream

    # Rows

    def _write(self) -> ImportedCourse:
        course = course_services.create_course(self._name, by=SERVER)
        limits = {name: self._header["limits"].get(name) for name in LIMIT_FIELDS}
        Course.objects.filter(pk=course.pk).update(created=_get_time(self._header, "created"), **limits)
        members = [self._entry(record) for record in self._archive.records("member")]
        report = roster.apply_roster(course, members, by=SERVER, source="import of an archive")
        if report.count(Result.REFUSED):
            raise BadArchive("The roster in the zip names somebody twice.")
        assignments = {
            record["name"]: Assignment.objects.create(course=course, name=record["name"], **_assignment_times(record))
            for record in self._archive.records("assignment")
        }
        releases: dict[tuple[str, int | None], Release] = {}
        for record in self._archive.records("release"):
            release = self._add_release(assignments[record["assignment"]], record)
            releases[record["assignment"], release.number] = release
        imported, submissions = ImportedCourse(course), {}
        for record in self._archive.records("submission"):
            receipt = _Receipt(record)
            assignment, current = assignments[receipt.assignment], releases.get((receipt.assignment, receipt.release))
            submissions[receipt.id] = self._add_submission(assignment, current, receipt, record)
        imported.submissions = len(submissions)
        # The newest comes first in the zip, and must have the highest id.
        for record in sorted(self._archive.records("feedback"), key=lambda record: str(record["created"])):
            self._add_feedback(submissions[record["submission"]], record)
        return imported

    def _file_set(self, course: Course, record: Record) -> tuple[FileSet, int]:
        files = self._archive.files(record)
        _announce_lost(files)
        file_set, new_bytes = file_sets.create_file_set(files.manifest)
        quotas.count(course, new_bytes)
        return file_set, new_bytes

    def _add_release(self, assignment: Assignment, record: Record) -> Release:
        file_set, new_bytes = self._file_set(assignment.course, record)
        return Release.objects.create(
            assignment=assignment,
            number=record["number"],
            file_set=file_set,
            released_by=self._user(record["released_by"]),
            created=_get_time(record, "created"),
            new_bytes=new_bytes,
        )

    def _add_submission(
        self, assignment: Assignment, release: Release | None, receipt: "_Receipt", record: Record
    ) -> Submission:
        file_set, new_bytes = self._file_set(assignment.course, record)
        return Submission.objects.create(
            assignment=assignment,
            student=self._user(receipt.student),
            submitted_by=self._user(receipt.submitted_by),
            release=release,
            file_set=file_set,
            trial=receipt.is_trial,
            created=_get_time(record, "created"),
            collected_at=_get_time(record, "collected_at", is_optional=True),
            withdrawn_at=_get_time(record, "withdrawn_at", is_optional=True),
            idempotency_key=_get(record, "idempotency_key", str, is_optional=True),
            own_bytes=_get(record, "own_bytes", int),
            new_bytes=new_bytes,
        )

    def _add_feedback(self, submission: Submission, record: Record) -> None:
        file_set, new_bytes = self._file_set(submission.assignment.course, record)
        Feedback.objects.create(
            submission=submission,
            file_set=file_set,
            returned_by=self._user(record["returned_by"]),
            created=_get_time(record, "created"),
            new_bytes=new_bytes,
        )

    def _user(self, username: str | None) -> Any:
        if username is None:
            return None
        if username not in self._users:
            self._users |= course_services.known_users([username])
        return self._users[username]

    def _mark_lost(self, lost: dict[str, int]) -> set[str]:
        """Let no upload rely on what was lost before, so that the next one that sends it brings it back."""
        for batch in file_sets.in_batches(sorted(lost)):
            Blob.objects.filter(sha256__in=batch).update(stored=False, fault=Fault.MISSING)
        return set(lost)


class _Receipt:
    """What an import takes from the receipt in the record of a submission. Errors: BadArchive, Invalid."""

    def __init__(self, record: Record) -> None:
        receipt: Record = _get(record, "receipt", dict)
        self.id: int = _get(receipt, "id", int)
        self.assignment: str = _get(receipt, "assignment", str)
        self.student: str = course_services.check_name(_get(receipt, "student", str))
        self.submitted_by: str | None = _get_person(receipt, "submitted_by")
        self.release: int | None = _get(receipt, "release", int, is_optional=True)
        self.is_trial: bool = _get(receipt, "trial", bool)
        if receipt.get("timestamp") != record.get("created") or receipt.get("digest") != record.get("digest"):
            raise BadArchive("A submission in the zip does not fit its receipt.")
        _get_time(record, "collected_at", is_optional=True)
        _get_time(record, "withdrawn_at", is_optional=True)
        key = _get(record, "idempotency_key", str, is_optional=True) or ""
        if len(key) > 200 or not key.isprintable() or not 0 <= _get(record, "own_bytes", int) < 2**63:
            raise BadArchive("A submission in the zip has a value out of range.")


def _get_person(record: Record, name: str) -> str | None:
    """Return a user name, or None. Errors: BadArchive, Invalid."""
    username: str | None = _get(record, name, str, is_optional=True)
    return username if username is None else course_services.check_name(username)


def _assignment_times(record: Record) -> dict[str, Any]:
    optional = {name: _get_time(record, name, is_optional=True) for name in ("due", "withdrawn_at")}
    return {**optional, "created": _get_time(record, "created")}


def _announce_lost(files: Files) -> None:
    """Make the rows of blobs that have no bytes; a file set names them."""
    lost = [entry for entry in files.manifest if files.members[entry.sha256] is None]
    now = datetime.now().astimezone()
    rows = [Blob(sha256=entry.sha256, md5="", size=entry.size, touched=now) for entry in lost]
    Blob.objects.bulk_create(rows, file_sets.BATCH, ignore_conflicts=True)
