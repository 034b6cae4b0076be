"""A course as one zip, which people can read without ngshare and `import_course` reads back.

README.txt, roster.csv, audit.csv
release/ps1/…                      the latest release; earlier ones in `earlier releases/ps1/<number>/`
solution/ps1/…                     the present solution; withdrawn ones in `earlier solutions/ps1/<time>/`
submitted/bob/ps1/…                the latest attempt; earlier ones in `earlier attempts/bob/ps1/<time>/`
feedback/bob/ps1/…                 the newest on the latest attempt; others in `earlier feedback/bob/ps1/<time>/`
receipts/bob/ps1/<time>.json
records.jsonl                      one JSON object a line, the last file: everything of the above, with the names of
                                   files in this zip, their hashes, times and who did it
"""

import json
import tempfile
from collections.abc import Generator, Iterable, Iterator
from datetime import datetime
from typing import IO, TypeVar

from django.db.models import Model, QuerySet
from django.utils import timezone

from courses import audit
from courses.csv_writer import write_rows
from courses.models import AuditEntry, Course
from courses.permissions import Actor, Permission
from courses.roster_export import COLUMNS, export_roster
from courses.services import RULE_FIELDS
from courses.timestamps import format_timestamp
from exchange import receipts
from exchange.models import Assignment, Feedback, FileSet, Submission
from exchange.storage import batches
from exchange.storage.archives import ArchiveFolder, ZipStream

FORMAT = 1
RECORDS = "records.jsonl"
BATCH = 200  # rows
AUDIT_COLUMNS = ("at", "actor", "role", "action", "object", "details")
README = """The course {course} of ngshare, as it was at {now} (UTC).

release/, submitted/ and feedback/ are laid out as nbgrader has them, and hold the latest release, attempt and feedback.
Everything earlier is beside them. receipts/ has the signed receipt of each attempt. records.jsonl has everything again
for programs, with all hashes (SHA-256) and times; `ngshare import_course` reads it.
"""
Record = dict[str, object]
Row = TypeVar("Row", bound=Model)


def export_course(course: Course, *, by: Actor) -> Iterator[bytes]:
    """Yield the zip in chunks, with flat memory, after noting the export in the audit log. Errors: PermissionDenied."""
    role = by.require(Permission.RELEASE, course)
    audit.record("export course", by=by, role=role, about=course, course=course, target=course.name)
    return _Export(course).stream()


def _in_batches(rows: QuerySet[Row]) -> Iterator[Row]:
    """Yield the rows, read a few at a time: no query is open while a slow client reads."""
    return batches.read_rows(rows, list(rows.values_list("pk", flat=True)), BATCH)


class _Export:
    def __init__(self, course: Course) -> None:
        self._course = course
        self._now = timezone.now()
        self._zip = ZipStream()

    def stream(self) -> Iterator[bytes]:
        course, now = self._course, self._now
        with tempfile.TemporaryFile() as records:
            self._records: IO[bytes] = records
            limits = {"max_bytes": course.max_bytes, "max_person_bytes": course.max_person_bytes}
            limits["max_submissions_per_hour"] = course.max_submissions_per_hour
            rules = {name: getattr(course, name) for name in RULE_FIELDS}
            self._write("course", format=FORMAT, name=course.name, created=course.created, limits=limits, rules=rules)
            readme = README.format(course=course.name, now=f"{now:%Y-%m-%d %H:%M}")
            yield from self._zip.write(self._zip.unique("README.txt"), [readme.encode()], now)
            members = course.memberships.all()
            yield from self._text("roster.csv", export_roster(members))
            columns = ("user__username", *COLUMNS[1:], "created")
            for member in members.order_by("user__username").values_list(*columns):
                self._write("member", **dict(zip((*COLUMNS, "joined"), member, strict=True)))
            for assignment in course.assignments.order_by("name"):
                yield from self._assignment(assignment)
            yield from self._text("audit.csv", write_rows(self._audit_rows()))
            records.seek(0)
            yield from self._zip.write(RECORDS, iter(lambda: records.read(2**18), b""), now, is_large=True)
        yield from self._zip.close()

    def _assignment(self, assignment: Assignment) -> Iterator[bytes]:
        names = ("release_at", "due", "cut_off", "max_attempts", "withdrawn_at", "created")
        self._write("assignment", name=assignment.name, **{name: getattr(assignment, name) for name in names})
        self._extensions(assignment)
        newest = True
        for release in assignment.releases.select_related("file_set", "released_by").order_by("-number"):
            folder = f"release/{assignment.name}" if newest else f"earlier releases/{assignment.name}/{release.number}"
            files = yield from self._files(release.file_set, folder, release.created)
            person = release.released_by.username if release.released_by else None
            who = {"number": release.number, "released_by": person, "created": release.created}
            self._write("release", assignment=assignment.name, **who, **files)
            newest = False
        yield from self._solutions(assignment)
        yield from self._submissions(assignment)

    def _extensions(self, assignment: Assignment) -> None:
        for extension in assignment.extensions.select_related("user", "granted_by").order_by("pk"):
            names = ("section", "due", "cut_off", "attempts", "reason", "created")
            values = {name: getattr(extension, name) for name in names}
            values["user"] = extension.user.username if extension.user else None
            values["granted_by"] = extension.granted_by.username if extension.granted_by else None
            self._write("extension", assignment=assignment.name, **values)

    def _solutions(self, assignment: Assignment) -> Iterator[bytes]:
        for solution in assignment.solutions.select_related("file_set", "added_by").order_by("pk"):
            earlier = f"earlier solutions/{assignment.name}/{solution.created:%Y-%m-%d %H.%M.%S.%f} UTC"
            folder = earlier if solution.withdrawn_at else f"solution/{assignment.name}"
            files = yield from self._files(solution.file_set, folder, solution.created)
            person = solution.added_by.username if solution.added_by else None
            who = {"added_by": person, "created": solution.created, "withdrawn_at": solution.withdrawn_at}
            self._write("solution", assignment=assignment.name, **who, **files)

    def _submissions(self, assignment: Assignment) -> Iterator[bytes]:
        rows = assignment.submissions.select_related("student", "submitted_by", "release", "file_set")
        latest: set[int] = set()
        ordered = rows.order_by("student__username", "-created", "-pk")
        for submission in _in_batches(ordered):
            submission.assignment = assignment
            is_latest = submission.student_id not in latest
            latest = {submission.student_id}
            yield from self._submission(submission, is_latest=is_latest)

    def _submission(self, submission: Submission, *, is_latest: bool) -> Iterator[bytes]:
        where = f"{submission.student.username}/{submission.assignment.name}"
        attempt = f"{submission.created:%Y-%m-%d %H.%M.%S.%f} UTC"
        folder = f"submitted/{where}" if is_latest else f"earlier attempts/{where}/{attempt}"
        files = yield from self._files(submission.file_set, folder, submission.created)
        receipt = receipts.receipt(submission)
        text = json.dumps(receipt, indent=2, ensure_ascii=False) + "\n"
        name = self._zip.unique(f"receipts/{where}/{attempt}.json")
        yield from self._zip.write(name, [text.encode()], submission.created)
        sender = submission.submitted_by.username if submission.submitted_by else None
        self._write(
            "submission",
            id=submission.pk,
            assignment=submission.assignment.name,
            student=submission.student.username,
            submitted_by=sender,
            release=submission.release.number if submission.release else None,
            trial=submission.trial,
            due=submission.due,
            code=submission.code,
            receipt=receipt,
            created=submission.created,
            collected_at=submission.collected_at,
            withdrawn_at=submission.withdrawn_at,
            idempotency_key=submission.idempotency_key,
            own_bytes=submission.own_bytes,
            **files,
        )
        feedbacks = submission.feedbacks.select_related("file_set", "returned_by").order_by("-pk")
        for place, feedback in enumerate(feedbacks):
            folder = f"feedback/{where}" if is_latest and not place else f"earlier feedback/{where}/{attempt}"
            yield from self._feedback(feedback, submission, folder)

    def _feedback(self, feedback: Feedback, submission: Submission, folder: str) -> Iterator[bytes]:
        files = yield from self._files(feedback.file_set, folder, feedback.created)
        person = feedback.returned_by.username if feedback.returned_by else None
        self._write("feedback", submission=submission.pk, returned_by=person, created=feedback.created, **files)

    def _files(self, file_set: FileSet, folder: str, moment: datetime) -> Generator[bytes, None, Record]:
        names = yield from self._zip.add(ArchiveFolder(file_set, folder, moment))
        files = [
            {"path": entry.path, "sha256": entry.blob.sha256, "size": entry.blob.size, "file": names[entry.path]}
            for entry in file_set.entries.all()
        ]
        file_set._prefetched_objects_cache = {}  # type: ignore[attr-defined]  # memory stays flat
        return {"digest": file_set.digest, "files": files}

    def _text(self, name: str, lines: Iterable[str]) -> Iterator[bytes]:
        return self._zip.write(self._zip.unique(name), (line.encode() for line in lines), self._now)

    def _audit_rows(self) -> Iterator[tuple[object, ...]]:
        yield AUDIT_COLUMNS
        for entry in _in_batches(AuditEntry.objects.filter(course_id=self._course.pk).order_by("pk")):
            self._write(
                "audit", at=entry.at, actor=entry.actor, role=entry.role, action=entry.action, target=entry.target,
                details=entry.details,
            )  # fmt: skip
            yield entry.at, entry.actor, entry.role, entry.action, entry.target, entry.summary

    def _write(self, kind: str, **fields: object) -> None:
        texts = {name: format_timestamp(value) for name, value in fields.items() if isinstance(value, datetime)}
        self._records.write(json.dumps({"kind": kind, **fields, **texts}, ensure_ascii=False).encode() + b"\n")
