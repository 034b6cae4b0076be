"""Everything that one person submitted, in all courses, as one zip: files, receipts and feedback.

submissions.csv
NBG 101/ps1/2026-11-27 12.00.00.000000 UTC/files/…, receipt.json, feedback 1/…
"""

import json
from collections.abc import Iterable, Iterator

from django.utils import timezone
from django.utils.translation import gettext as _

from courses import audit
from courses.csv_writer import write_rows
from courses.errors import PermissionDenied
from courses.models import User
from courses.permissions import Actor
from exchange import receipts, states
from exchange.models import Submission
from exchange.storage import batches
from exchange.storage.archives import ArchiveFolder, ZipStream

BATCH = 50  # rows read at once, before their bytes are sent: no query is open while a slow client reads
COLUMNS = ("course", "assignment", "submitted", "late", "trial", "files", "bytes", "digest", "receipt")


def export_person(person: User, *, by: Actor) -> Iterator[bytes]:
    """Yield the zip in chunks, with flat memory, after noting the download in the audit log.

    Courses that they left or that are in the trash, and unreleased assignments, are in it.
    Errors: PermissionDenied, unless it is the person who asks, or the server.
    """
    if by.user != person and not by.is_server:
        raise PermissionDenied(_("Only the person may download everything that they submitted."))
    order = ("assignment__course__name", "assignment__course", "assignment__name", "created")
    ordered = Submission.objects.filter(student=person).order_by(*order)
    pks = list(ordered.values_list("pk", flat=True))
    role = "server" if by.is_server else ""
    action, target = "download everything submitted", person.username
    audit.record(action, by=by, role=role, about=person, target=target, count=len(pks))
    return _stream(pks)


def _stream(pks: list[int]) -> Iterator[bytes]:
    archive, now = ZipStream(), timezone.now()
    lines = (line.encode() for line in write_rows(_table(pks)))
    yield from archive.write(archive.unique("submissions.csv"), lines, now)
    for submission in _load(pks):
        yield from _add(archive, submission)
    yield from archive.close()


def _add(archive: ZipStream, submission: Submission) -> Iterator[bytes]:
    created, assignment = submission.created, submission.assignment
    folder = f"{assignment.course.name}/{assignment.name}/{created:%Y-%m-%d %H.%M.%S.%f} UTC"
    yield from archive.add(ArchiveFolder(submission.file_set, f"{folder}/files", created))
    text = json.dumps(receipts.receipt(submission), indent=2, ensure_ascii=False) + "\n"
    yield from archive.write(archive.unique(f"{folder}/receipt.json"), [text.encode()], created)
    for number, feedback in enumerate(submission.feedbacks.select_related("file_set").order_by("pk"), 1):
        yield from archive.add(ArchiveFolder(feedback.file_set, f"{folder}/feedback {number}", feedback.created))


def _table(pks: list[int]) -> Iterator[tuple[object, ...]]:
    yield COLUMNS
    for submission in _load(pks):
        assignment, file_set = submission.assignment, submission.file_set
        late: bool = submission.late  # type: ignore[attr-defined]  # annotated
        what = (late, submission.trial, file_set.file_count, file_set.size, file_set.digest, submission.pk)
        yield assignment.course.name, assignment.name, submission.created, *what


def _load(pks: list[int]) -> Iterable[Submission]:
    rows = Submission.objects.select_related("assignment__course", "student", "submitted_by", "release", "file_set")
    return batches.read_rows(rows.annotate(late=states.IS_LATE), pks, BATCH)
