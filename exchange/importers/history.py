"""Writing what happened elsewhere: releases, submissions and feedback with the times that they had there.

exchange/services.py decides in the present: whether an assignment is released, which instant a submission gets, whether
a student may submit at all. None of that holds for the past, so these functions write the same rows without it. Each
may be repeated: what exists stays as it is, and only what an earlier import left incomplete is completed.
"""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import Model
from django.utils import timezone

from courses import audit
from courses.errors import Conflict
from courses.models import STAFF_ROLES, Course, Membership, User
from courses.permissions import SERVER, SERVER_ROLE
from exchange import quotas, services
from exchange.importers.report import ImportOutcome
from exchange.models import Assignment, Feedback, FileSet, Submission
from exchange.storage import file_sets, manifests
from exchange.storage.file_sets import Upload
from exchange.storage.manifests import ManifestEntry


class DiffersHere(Conflict):
    """Something else is in its place here; it is left alone."""


def compare(existing: FileSet | None, entries: Sequence[ManifestEntry]) -> ImportOutcome:
    """Return whether importing these files is new, done already, or completes what exists. Errors: DiffersHere."""
    if existing is None:
        return ImportOutcome.NEW
    if existing.digest == manifests.digest(entries):
        return ImportOutcome.EXISTING
    here = {(entry.path, entry.sha256) for entry in file_sets.manifest_of(existing)}
    there = {(entry.path, entry.sha256) for entry in entries}
    if there <= here:
        return ImportOutcome.EXISTING
    if here < there:
        return ImportOutcome.COMPLETED
    raise DiffersHere("other files are here in this place; they were left as they are")


def compare_release(assignment: Assignment, entries: Sequence[ManifestEntry]) -> ImportOutcome:
    """Compare with all releases, and for completing with the latest. Errors: DiffersHere."""
    return _compare_all([release.file_set for release in assignment.releases.select_related("file_set")], entries)


def compare_feedback(submission: Submission, entries: Sequence[ManifestEntry]) -> ImportOutcome:
    """Compare with all feedback, and for completing with the newest. Errors: DiffersHere."""
    rows = submission.feedbacks.select_related("file_set").order_by("pk")
    return _compare_all([feedback.file_set for feedback in rows], entries)


def _compare_all(existing: Sequence[FileSet], entries: Sequence[ManifestEntry]) -> ImportOutcome:
    if any(file_set.digest == manifests.digest(entries) for file_set in existing):
        return ImportOutcome.EXISTING
    return compare(existing[-1] if existing else None, entries)


def import_assignment(
    course: Course, name: str, *, due: datetime | None, is_unreleased: bool
) -> tuple[Assignment, bool]:
    """Return the assignment and whether it is new. One that exists is not changed."""
    withdrawn_at = timezone.now() if is_unreleased else None
    with transaction.atomic():
        assignment, is_new = Assignment.objects.get_or_create(
            course=course, name=name, defaults={"due": due, "withdrawn_at": withdrawn_at}
        )
        if is_new:
            _record("import assignment", assignment, about=assignment)
    return assignment, is_new


def import_release(assignment: Assignment, upload: Upload, *, created: datetime) -> None:
    """Add the next release. Errors: those of file_sets.store_upload."""
    (entries,) = upload.manifests
    with file_sets.store_upload(upload, by=SERVER) as stored, transaction.atomic():
        rows = Assignment.objects.filter(pk=assignment.pk)
        rows.select_for_update(no_key=True).get()
        release = services.add_release(assignment, entries, stored, created=created, by=SERVER)
        rows.update(latest_release=release)
        _record("import release", assignment, about=assignment, number=release.number)
        quotas.count(assignment.course, release.new_bytes)


def import_submission(assignment: Assignment, student: User, upload: Upload, *, created: datetime) -> Submission:
    """Add the submission of that instant, or complete the files of the one that exists.

    Errors: those of file_sets.store_upload.
    """
    (entries,) = upload.manifests
    is_staff = Membership.objects.filter(course=assignment.course, user=student, role__in=STAFF_ROLES).exists()
    with file_sets.store_upload(upload, by=SERVER) as stored, transaction.atomic():
        file_set, new_bytes = file_sets.create_file_set(entries, stored)
        submission, _ = Submission.objects.update_or_create(
            assignment=assignment,
            student=student,
            created=created,
            defaults={"file_set": file_set, "receipt": ""},
            create_defaults={
                "file_set": file_set,
                "new_bytes": new_bytes,
                "own_bytes": new_bytes,
                "submitted_by": student,
                "due": assignment.due,
                "release": assignment.releases.order_by("number").first(),
                "trial": is_staff,
            },
        )
        student_name = student.username
        _record("import submission", assignment, about=submission, submission=submission.pk, student=student_name)
        quotas.count(assignment.course, new_bytes)
    return submission


def import_feedback(submission: Submission, upload: Upload, *, created: datetime) -> None:
    """Add the newest feedback on a submission. Errors: those of file_sets.store_upload."""
    (entries,) = upload.manifests
    with file_sets.store_upload(upload, by=SERVER) as stored, transaction.atomic():
        file_set, new_bytes = file_sets.create_file_set(entries, stored)
        Feedback.objects.create(submission=submission, file_set=file_set, new_bytes=new_bytes, created=created)
        _record("import feedback", submission.assignment, about=submission, submission=submission.pk)
        quotas.count(submission.assignment.course, new_bytes)


def _record(action: str, assignment: Assignment, *, about: Model, **details: str | int) -> None:
    course, target = assignment.course, assignment.name
    audit.record(action, by=SERVER, role=SERVER_ROLE, about=about, course=course, target=target, **details)
