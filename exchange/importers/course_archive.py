"""Importing a course from the zip of `export_course`: the same digests and times, for the users of the same names.

First all of it is read and verified (course_records.py); then its bytes are stored; then all rows are written in one
transaction.
"""

import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db import IntegrityError, transaction

from courses import audit, roster
from courses import services as course_services
from courses.errors import AlreadyExists
from courses.models import Course, Membership, User
from courses.permissions import SERVER, SERVER_ROLE
from courses.roster import Result
from courses.services import LIMIT_FIELDS
from exchange import quotas, receipts, services, short_codes
from exchange.importers.course_records import (
    UNREADABLE,
    BadArchive,
    CourseArchive,
    Files,
    Record,
    SubmissionRecord,
    assignment_values,
    course_rules,
    extension_values,
    get,
    get_person,
    get_time,
    roster_entry,
)
from exchange.models import Assignment, Blob, Extension, Fault, Feedback, FileSet, Release, Solution, Submission
from exchange.storage import batches, blobs, file_sets
from exchange.storage.file_sets import Upload


@dataclass
class ImportedCourse:
    course: Course
    submissions: int = 0
    lost: set[str] = field(default_factory=set)  # hashes


def import_course(path: Path, *, name: str = "", step: Callable[[], None] = lambda: None) -> ImportedCourse:
    """Import the course, under another `name` if one is given. Nothing is changed if anything is wrong with the zip.

    `step` is called after each file set that was verified. Errors: BadArchive, Invalid, TooLarge, AlreadyExists.
    """
    try:
        with open(path, "rb") as file, zipfile.ZipFile(file) as archive:
            return _Import(CourseArchive(archive), name).run(step)
    except UNREADABLE as error:
        raise BadArchive(f"{path} cannot be read as a zip: {error}.") from error


class _Import:
    def __init__(self, archive: CourseArchive, name: str) -> None:
        self._archive = archive
        self._header = archive.course()
        self._name = course_services.check_course_name(name or get(self._header, "name", str))
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
        kinds = ("assignment", "extension", "member", "release", "solution", "submission", "feedback")
        for record in self._archive.records(*kinds):
            kind = record["kind"]
            if kind == "member":
                roster_entry(record)
                get_time(record, "joined", is_optional=True)
            elif kind == "extension":
                extension_values(record)
                if get(record, "assignment", str) not in assignments:
                    raise BadArchive("An extension in the zip belongs to nothing in it.")
            elif kind == "assignment":
                services.check_assignment_name(get(record, "name", str))
                assignment_values(record)
                assignments.add(record["name"])
            else:
                self._check_files(record, assignments, submissions)
                step()

    def _check_header(self) -> None:
        get_time(self._header, "created")
        course_rules(self._header)
        limits = get(self._header, "limits", dict)
        for limit in LIMIT_FIELDS:
            if (get(limits, limit, int, is_optional=True) or 0) not in range(2**63):
                raise BadArchive(f"The limit {limit} in the zip is out of range.")

    def _check_files(self, record: Record, assignments: set[str], submissions: set[int]) -> None:
        if record["kind"] == "release":
            get_person(record, "released_by")
            if get(record, "number", int) not in range(1, 2**31):
                raise BadArchive("The number of a release in the zip is out of range.")
            known = get(record, "assignment", str) in assignments
        elif record["kind"] == "solution":
            get_person(record, "added_by")
            get_time(record, "withdrawn_at", is_optional=True)
            known = get(record, "assignment", str) in assignments
        elif record["kind"] == "submission":
            submission = SubmissionRecord(record)
            known = submission.assignment in assignments and submission.id not in submissions
            submissions.add(submission.id)
        else:
            known = get(record, "submission", int) in submissions
            get_person(record, "returned_by")
        if not known:
            raise BadArchive(f"A {record['kind']} in the zip belongs to nothing in it, or comes twice.")
        get_time(record, "created")
        self._archive.verify(self._archive.files(record))

    # Bytes

    def _store(self) -> dict[str, int]:
        """Store the bytes that are not here yet. Return what is lost and not here either, {hash: bytes}."""
        lost: dict[str, int] = {}
        for record in self._archive.records("release", "solution", "submission", "feedback"):
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
        settings = {**limits, **course_rules(self._header)}
        Course.objects.filter(pk=course.pk).update(created=get_time(self._header, "created"), **settings)
        members = [roster_entry(record) for record in self._archive.records("member")]
        report = roster.apply_roster(course, members, by=SERVER, source="import of an archive")
        if report.count(Result.REFUSED):
            raise BadArchive("The roster in the zip names somebody twice.")
        self._set_joined(course)
        assignments = {
            record["name"]: Assignment.objects.create(course=course, name=record["name"], **assignment_values(record))
            for record in self._archive.records("assignment")
        }
        releases: dict[tuple[str, int | None], Release] = {}
        for record in self._archive.records("release"):
            release = self._add_release(assignments[record["assignment"]], record)
            releases[record["assignment"], release.number] = release
        for (name, _), release in sorted(releases.items()):  # the highest number comes last
            assignments[name].latest_release = release
        Assignment.objects.bulk_update(assignments.values(), ["latest_release"], batches.BATCH)
        for record in self._archive.records("extension"):
            self._add_extension(assignments[record["assignment"]], record)
        for record in self._archive.records("solution"):
            self._add_solution(assignments[record["assignment"]], record)
        imported, submissions = ImportedCourse(course), {}
        for record in self._archive.records("submission"):
            facts = SubmissionRecord(record)
            assignment, current = assignments[facts.assignment], releases.get((facts.assignment, facts.release))
            submissions[facts.id] = self._add_submission(assignment, current, facts, record)
        imported.submissions = len(submissions)
        # The newest comes first in the zip, and must have the highest id.
        for record in sorted(self._archive.records("feedback"), key=lambda record: str(record["created"])):
            self._add_feedback(submissions[record["submission"]], record)
        return imported

    def _set_joined(self, course: Course) -> None:
        """Give the members back when they joined, on which deadlines may depend; an older archive does not say."""
        records = [record for record in self._archive.records("member") if record.get("joined")]
        joined = {record["username"]: get_time(record, "joined") for record in records}
        members = [member for member in course.memberships.select_related("user") if member.user.username in joined]
        for member in members:
            member.created = joined[member.user.username]
        Membership.objects.bulk_update(members, ["created"], batches.BATCH)

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
            created=get_time(record, "created"),
            new_bytes=new_bytes,
        )

    def _add_extension(self, assignment: Assignment, record: Record) -> None:
        people = {"user": self._user(record["user"]), "granted_by": self._user(record["granted_by"])}
        Extension.objects.create(assignment=assignment, **people, **extension_values(record))

    def _add_solution(self, assignment: Assignment, record: Record) -> None:
        file_set, new_bytes = self._file_set(assignment.course, record)
        Solution.objects.create(
            assignment=assignment,
            file_set=file_set,
            added_by=self._user(record["added_by"]),
            created=get_time(record, "created"),
            withdrawn_at=get_time(record, "withdrawn_at", is_optional=True),
            new_bytes=new_bytes,
        )

    def _add_submission(
        self, assignment: Assignment, release: Release | None, facts: SubmissionRecord, record: Record
    ) -> Submission:
        file_set, new_bytes = self._file_set(assignment.course, record)
        code, receipt = _own_receipt(facts)
        return Submission.objects.create(
            assignment=assignment,
            student=self._user(facts.student),
            submitted_by=self._user(facts.submitted_by),
            release=release,
            file_set=file_set,
            trial=facts.is_trial,
            # An older archive does not say: what was due then is what the assignment has now.
            due=facts.due if facts.has_due else assignment.due,
            code=code,
            receipt=receipt,
            created=get_time(record, "created"),
            collected_at=get_time(record, "collected_at", is_optional=True),
            withdrawn_at=get_time(record, "withdrawn_at", is_optional=True),
            idempotency_key=get(record, "idempotency_key", str, is_optional=True),
            own_bytes=get(record, "own_bytes", int),
            new_bytes=new_bytes,
        )

    def _add_feedback(self, submission: Submission, record: Record) -> None:
        file_set, new_bytes = self._file_set(submission.assignment.course, record)
        Feedback.objects.create(
            submission=submission,
            file_set=file_set,
            returned_by=self._user(record["returned_by"]),
            created=get_time(record, "created"),
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
        for batch in batches.in_batches(sorted(lost)):
            Blob.objects.filter(sha256__in=batch).update(stored=False, fault=Fault.MISSING)
        return set(lost)


def _own_receipt(facts: SubmissionRecord) -> tuple[str, str]:
    """Return the short code and the receipt of a submission in the zip, if the code is free and the receipt genuine.

    Otherwise return another code, and no receipt: this server signs one when it is asked for.
    """
    code = facts.code
    if code is None or Submission.objects.filter(code=code).exists():
        return short_codes.new_code(), ""
    is_ours = facts.receipt.get("code") == short_codes.grouped(code) and receipts.is_genuine(facts.receipt)
    return code, receipts.to_text(facts.receipt) if is_ours else ""


def _announce_lost(files: Files) -> None:
    """Make the rows of blobs that have no bytes; a file set names them."""
    lost = [entry for entry in files.manifest if files.members[entry.sha256] is None]
    now = datetime.now().astimezone()
    rows = [Blob(sha256=entry.sha256, size=entry.size, touched=now) for entry in lost]
    Blob.objects.bulk_create(rows, batches.BATCH, ignore_conflicts=True)
