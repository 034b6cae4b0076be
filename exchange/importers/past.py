"""The verbs of a take-over: like those of services.py, but they write down a past that happened elsewhere.

The actor is the server itself: a command that an operator types. Each may be repeated: what is there stays as it is.
Only what an earlier run took over without some of its files is completed by a later one that finds them.
"""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from courses import audit
from courses.errors import Conflict
from courses.models import STAFF_ROLES, Course, Membership, User
from courses.permissions import SERVER, SERVER_ROLE
from exchange.importers.report import ImportOutcome
from exchange.models import Assignment, Feedback, FileSet, Release, Submission
from exchange.storage import file_sets
from exchange.storage.file_sets import ManifestEntry, Upload


class AnotherIsHere(Conflict):
    """Something else is in its place by now; it is left alone."""


def standing(there: FileSet | None, lines: Sequence[ManifestEntry]) -> ImportOutcome:
    """Would taking over these files be new, is it done, or does it complete what is there? Errors: AnotherIsHere."""
    if there is None:
        return ImportOutcome.NEW
    if there.digest == file_sets.digest(lines):
        return ImportOutcome.THERE
    known, told = ({(line.path, line.sha256) for line in tree} for tree in (file_sets.manifest_of(there), lines))
    if told <= known:
        return ImportOutcome.THERE
    if known < told:
        return ImportOutcome.COMPLETED
    raise AnotherIsHere("other files are here in this place; they were left as they are")


def release_standing(assignment: Assignment, lines: Sequence[ManifestEntry]) -> ImportOutcome:
    """Errors: AnotherIsHere."""
    releases = list(assignment.releases.select_related("file_set"))
    if any(release.file_set.digest == file_sets.digest(lines) for release in releases):
        return ImportOutcome.THERE
    return standing(releases[-1].file_set if releases else None, lines)


def feedback_standing(submission: Submission, lines: Sequence[ManifestEntry]) -> ImportOutcome:
    """Errors: AnotherIsHere."""
    given = list(submission.feedbacks.select_related("file_set").order_by("pk"))
    if any(one.file_set.digest == file_sets.digest(lines) for one in given):
        return ImportOutcome.THERE
    return standing(given[-1].file_set if given else None, lines)


def keep_assignment(course: Course, name: str, *, due: datetime | None, is_hidden: bool) -> tuple[Assignment, bool]:
    """The assignment, and whether it is new. Of one that is there nothing is changed."""
    withdrawn_at = timezone.now() if is_hidden else None
    with transaction.atomic():
        assignment, is_new = Assignment.objects.get_or_create(
            course=course, name=name, defaults={"due": due, "withdrawn_at": withdrawn_at}
        )
        if is_new:
            audit.record("take over assignment", by=SERVER, role=SERVER_ROLE, course=course, target=name)
    return assignment, is_new


def keep_release(assignment: Assignment, upload: Upload, *, created: datetime) -> None:
    """Add the tree as the next release. Errors: those of file_sets.store_upload."""
    (lines,) = upload.manifests
    with file_sets.store_upload(upload, by=SERVER), transaction.atomic():
        newest = assignment.releases.select_for_update().order_by("number").last()
        made = Release.objects.create(
            assignment=assignment,
            number=newest.number + 1 if newest else 1,
            file_set=file_sets.create_file_set(lines),
            created=created,
        )
        course = assignment.course
        audit.record(
            "take over release", by=SERVER, role=SERVER_ROLE, course=course, target=assignment.name, number=made.number
        )


def keep_submission(assignment: Assignment, student: User, upload: Upload, *, created: datetime) -> Submission:
    """Write down a hand-in of that instant, or complete the files of the one that is there.

    Errors: those of file_sets.store_upload.
    """
    (lines,) = upload.manifests
    course = assignment.course
    is_staff = Membership.objects.filter(course=course, user=student, role__in=STAFF_ROLES).exists()
    with file_sets.store_upload(upload, by=SERVER), transaction.atomic():
        submission, _ = Submission.objects.update_or_create(
            assignment=assignment,
            student=student,
            created=created,
            defaults={"file_set": file_sets.create_file_set(lines)},
            create_defaults={
                "file_set": file_sets.create_file_set(lines),
                "submitted_by": student,
                "release": assignment.releases.order_by("number").first(),
                "trial": is_staff,
            },
        )
        named = {"submission": submission.pk, "student": student.username}
        audit.record(
            "take over submission", by=SERVER, role=SERVER_ROLE, course=course, target=assignment.name, **named
        )
    return submission


def keep_feedback(submission: Submission, upload: Upload, *, created: datetime) -> None:
    """Errors: those of file_sets.store_upload."""
    (lines,) = upload.manifests
    assignment = submission.assignment
    with file_sets.store_upload(upload, by=SERVER), transaction.atomic():
        Feedback.objects.create(submission=submission, file_set=file_sets.create_file_set(lines), created=created)
        audit.record(
            "take over feedback",
            by=SERVER,
            role=SERVER_ROLE,
            course=assignment.course,
            target=assignment.name,
            submission=submission.pk,
        )
