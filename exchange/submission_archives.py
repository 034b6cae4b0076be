"""Many submissions as one zip, which is made while it is sent: as nbgrader collects them, for plagiarism checks, or as
they are.

submitted/bob/ps1/…, timestamp.txt                  unpacked in a course folder, what `nbgrader collect` makes
ps1/submissions/7K3MQ0ZD4X/…, ps1/base/…            for JPlag, MOSS and Dolos: nobody's name; the release as base code

Files themselves may name their authors. A person's pseudonym is the same for all assignments of a course, as long
as the server has its secret key.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime

from django.db.models import QuerySet
from django.utils.crypto import salted_hmac

from courses.models import Course
from courses.permissions import Actor
from exchange import services, short_codes
from exchange.models import Assignment, Submission
from exchange.storage import batches
from exchange.storage.archives import ArchiveFolder, stream_zip

BATCH = 50  # rows read at once
TIMESTAMP = "timestamp.txt"  # nbgrader's name for the time of a submission
PSEUDONYM_LENGTH = 10  # characters, which make 49 bits
TIMELESS = datetime(1980, 1, 1, tzinfo=UTC)  # of files whose time would tell whose they are
KEY_COLUMNS = ("pseudonym", "username", "first_name", "last_name", "section")

Layout = Callable[[Submission], ArchiveFolder]


def export_submissions(rows: QuerySet[Submission], layout: Layout, *, by: Actor) -> Iterator[bytes]:
    """Yield a zip of the submissions in chunks, with flat memory, after noting the download in the audit log.

    Errors: PermissionDenied.
    """
    pks = _record(rows, by=by)
    return stream_zip(map(layout, _read(pks)))


def export_anonymously(assignment: Assignment, rows: QuerySet[Submission], *, by: Actor) -> Iterator[bytes]:
    """The same for submissions of one assignment under pseudonyms, sorted by these. Errors: PermissionDenied."""
    pks = _record(rows, by=by)
    students = dict(rows.order_by().values_list("pk", "student"))
    pks.sort(key=lambda pk: pseudonym_of(assignment.course, students[pk]))
    return stream_zip(_anonymous_folders(assignment, pks))


def _record(rows: QuerySet[Submission], *, by: Actor) -> list[int]:
    chosen = list(rows.select_related("assignment__course").only("assignment"))
    services.record_download(chosen, by=by)
    return [submission.pk for submission in chosen]


def _read(pks: list[int]) -> Iterator[Submission]:
    rows = Submission.objects.select_related("assignment__course", "student", "file_set")
    return batches.read_rows(rows, pks, BATCH)


def as_collected(submission: Submission) -> ArchiveFolder:
    """Return where `nbgrader collect` puts a submission, with the file that tells its time."""
    student, assignment = submission.student.username, submission.assignment.name
    texts = {TIMESTAMP: f"{submission.created:%Y-%m-%d %H:%M:%S.%f} UTC"}
    return ArchiveFolder(submission.file_set, f"submitted/{student}/{assignment}", submission.created, texts)


def as_attempt(submission: Submission) -> ArchiveFolder:
    """Return a folder that no other attempt of the student has."""
    name = f"{submission.student.username}/{submission.assignment.name} {submission.created:%Y-%m-%d %H.%M.%S.%f}"
    return ArchiveFolder(submission.file_set, name, submission.created)


def _anonymous_folders(assignment: Assignment, pks: list[int]) -> Iterator[ArchiveFolder]:
    root = assignment.name
    if assignment.latest_release is not None:
        yield ArchiveFolder(assignment.latest_release.file_set, f"{root}/base", TIMELESS)
    for submission in _read(pks):
        pseudonym = pseudonym_of(assignment.course, submission.student_id)
        yield ArchiveFolder(submission.file_set, f"{root}/submissions/{pseudonym}", TIMELESS)


def pseudonym_of(course: Course, user_id: int) -> str:
    """Return what stands for a person in a course: nobody without the server's secret key can compute it."""
    digest = salted_hmac("ngshare.pseudonyms", f"{course.pk}/{user_id}", algorithm="sha256").digest()
    number, base = int.from_bytes(digest[:16]), len(short_codes.ALPHABET)
    return "".join(short_codes.ALPHABET[number // base**place % base] for place in range(PSEUDONYM_LENGTH))


def key_rows(assignment: Assignment, rows: QuerySet[Submission], *, by: Actor) -> Iterable[tuple[str, ...]]:
    """Return who is behind the pseudonyms, after noting in the audit log that somebody asked.

    Errors: PermissionDenied.
    """
    services.record_pseudonyms_download(assignment, by=by)
    course = assignment.course
    people = dict(rows.order_by().values_list("student", "student__username"))
    members = course.memberships.filter(user__in=people).order_by()
    names = {row[0]: row[1:] for row in members.values_list("user", "first_name", "last_name", "section")}
    nobody = ("", "", "")
    found = [
        (pseudonym_of(course, pk), username, *(name or "" for name in names.get(pk, nobody)))
        for pk, username in people.items()
    ]
    return [KEY_COLUMNS, *sorted(found)]
