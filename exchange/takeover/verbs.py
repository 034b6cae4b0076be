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
from exchange import filesets
from exchange.filesets import FileLine, Upload
from exchange.models import Assignment, Feedback, FileSet, Release, Submission
from exchange.takeover.report import Outcome

SERVER = "server"


class AnotherIsHere(Conflict):
    """Something else is in its place by now; it is left alone."""


def standing(there: FileSet | None, lines: Sequence[FileLine]) -> Outcome:
    """Would taking over these files be new, is it done, or does it complete what is there? Errors: AnotherIsHere."""
    if there is None:
        return Outcome.NEW
    if there.digest == filesets.digest(lines):
        return Outcome.THERE
    known, told = ({(line.path, line.sha256) for line in tree} for tree in (filesets.lines_of(there), lines))
    if told <= known:
        return Outcome.THERE
    if known < told:
        return Outcome.COMPLETED
    raise AnotherIsHere("other files are here in this place; they were left as they are")


def release_standing(assignment: Assignment, lines: Sequence[FileLine]) -> Outcome:
    """Errors: AnotherIsHere."""
    releases = list(assignment.releases.select_related("file_set"))
    if any(release.file_set.digest == filesets.digest(lines) for release in releases):
        return Outcome.THERE
    return standing(releases[-1].file_set if releases else None, lines)


def feedback_standing(submission: Submission, lines: Sequence[FileLine]) -> Outcome:
    """Errors: AnotherIsHere."""
    given = list(submission.feedbacks.select_related("file_set").order_by("pk"))
    if any(one.file_set.digest == filesets.digest(lines) for one in given):
        return Outcome.THERE
    return standing(given[-1].file_set if given else None, lines)


def keep_assignment(course: Course, name: str, *, due: datetime | None, is_hidden: bool) -> tuple[Assignment, bool]:
    """The assignment, and whether it is new. Of one that is there nothing is changed."""
    withdrawn_at = timezone.now() if is_hidden else None
    with transaction.atomic():
        assignment, is_new = Assignment.objects.get_or_create(
            course=course, name=name, defaults={"due": due, "withdrawn_at": withdrawn_at}
        )
        if is_new:
            audit.record("take over assignment", by=None, role=SERVER, course=course, target=name)
    return assignment, is_new


def keep_release(assignment: Assignment, upload: Upload, *, created: datetime) -> None:
    """Add the tree as the next release. Errors: those of filesets.settled."""
    (lines,) = upload.trees
    with filesets.settled(upload, by=None), transaction.atomic():
        newest = assignment.releases.select_for_update().order_by("number").last()
        made = Release.objects.create(
            assignment=assignment,
            number=newest.number + 1 if newest else 1,
            file_set=filesets.keep(lines),
            created=created,
        )
        course = assignment.course
        audit.record(
            "take over release", by=None, role=SERVER, course=course, target=assignment.name, number=made.number
        )


def keep_submission(assignment: Assignment, student: User, upload: Upload, *, created: datetime) -> Submission:
    """Write down a hand-in of that instant, or complete the files of the one that is there.

    Errors: those of filesets.settled.
    """
    (lines,) = upload.trees
    course = assignment.course
    is_staff = Membership.objects.filter(course=course, user=student, role__in=STAFF_ROLES).exists()
    with filesets.settled(upload, by=None), transaction.atomic():
        submission, _ = Submission.objects.update_or_create(
            assignment=assignment,
            student=student,
            created=created,
            defaults={"file_set": filesets.keep(lines)},
            create_defaults={
                "file_set": filesets.keep(lines),
                "submitted_by": student,
                "release": assignment.releases.order_by("number").first(),
                "trial": is_staff,
            },
        )
        named = {"submission": submission.pk, "student": student.username}
        audit.record("take over submission", by=None, role=SERVER, course=course, target=assignment.name, **named)
    return submission


def keep_feedback(submission: Submission, upload: Upload, *, created: datetime) -> None:
    """Errors: those of filesets.settled."""
    (lines,) = upload.trees
    assignment = submission.assignment
    with filesets.settled(upload, by=None), transaction.atomic():
        Feedback.objects.create(submission=submission, file_set=filesets.keep(lines), created=created)
        audit.record(
            "take over feedback",
            by=None,
            role=SERVER,
            course=assignment.course,
            target=assignment.name,
            submission=submission.pk,
        )
