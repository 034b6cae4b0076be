"""Service functions of submissions that are there: withdraw, restore, collect, permanent deletion."""

from collections.abc import Sequence
from operator import attrgetter

from django.db import transaction
from django.utils import timezone

from courses import audit, trash
from courses.models import Course
from courses.permissions import Actor, Permission
from exchange import quotas
from exchange.models import Assignment, Submission


def withdraw_submissions(submissions: Sequence[Submission], *, by: Actor) -> int:
    """Hide submissions from staff; their students keep them. Return how many changed. Errors: PermissionDenied."""
    return _mark(submissions, Permission.WITHDRAW_SUBMISSIONS, "withdrawn_at", "withdraw submission", by=by)


def restore_submissions(submissions: Sequence[Submission], *, by: Actor) -> int:
    """Show withdrawn submissions to staff again. Return how many changed. Errors: PermissionDenied."""
    return _mark(submissions, Permission.WITHDRAW_SUBMISSIONS, "withdrawn_at", "restore submission", by=by, undo=True)


def mark_collected(submissions: Sequence[Submission], *, by: Actor) -> int:
    """Note when these were first collected. Return how many changed. Errors: PermissionDenied."""
    return _mark(submissions, Permission.SEE_SUBMISSIONS, "collected_at", "collect", by=by)


def _mark(
    submissions: Sequence[Submission],
    permission: Permission,
    column: str,
    action: str,
    *,
    by: Actor,
    undo: bool = False,
) -> int:
    """Write the time, or None, into a column where it is not yet so, with one audit entry for each assignment."""
    courses = {submission.assignment.course for submission in submissions}
    roles = {course: by.require(permission, course) for course in courses}
    count = 0
    with transaction.atomic():
        for assignment, pks in _group_by_assignment(submissions).items():
            rows = Submission.objects.select_for_update().filter(pk__in=pks, **{f"{column}__isnull": not undo})
            changed = list(rows.order_by("created", "pk").values_list("pk", flat=True))
            if not changed:
                continue
            Submission.objects.filter(pk__in=changed).update(**{column: None if undo else timezone.now()})
            course = assignment.course
            audit.record(
                action,
                by=by,
                role=roles[course],
                about=assignment,
                course=course,
                target=assignment.name,
                submissions=changed,
            )
            count += len(changed)
    return count


def record_download(submissions: Sequence[Submission], *, by: Actor) -> None:
    """Note in the audit log that staff downloaded these submissions together. Errors: PermissionDenied."""
    with transaction.atomic():
        for assignment, pks in _group_by_assignment(submissions).items():
            course, action = assignment.course, "download submissions"
            role, target = by.require(Permission.SEE_SUBMISSIONS, course), assignment.name
            audit.record(action, by=by, role=role, about=assignment, course=course, target=target, submissions=pks)


def _group_by_assignment(submissions: Sequence[Submission]) -> dict[Assignment, list[int]]:
    """Return the ids of the submissions of each assignment; everybody locks assignments in the order of their ids."""
    by_assignment: dict[Assignment, list[int]] = {}
    for submission in sorted(submissions, key=attrgetter("assignment_id")):
        by_assignment.setdefault(submission.assignment, []).append(submission.pk)
    return by_assignment


def record_progress_download(course: Course, *, by: Actor) -> None:
    """Note in the audit log that the progress of a course's members was downloaded. Errors: PermissionDenied."""
    role = by.require(Permission.SEE_SUBMISSIONS, course)
    audit.record("download progress", by=by, role=role, about=course, course=course, target=course.name)


def record_pseudonyms_download(assignment: Assignment, *, by: Actor) -> None:
    """Note in the audit log that somebody asked who is behind the pseudonyms. Errors: PermissionDenied."""
    course, role = assignment.course, by.require(Permission.SEE_SUBMISSIONS, assignment.course)
    audit.record("download pseudonyms", by=by, role=role, about=assignment, course=course, target=assignment.name)


def delete_submission_permanently(submission: Submission, *, by: Actor) -> dict[str, int]:
    """Delete a submission that is in the trash, with its feedback. Return how many rows of each kind.

    The student stands in the entry of the audit log by itself, so that it can be anonymised.
    Errors: PermissionDenied, Conflict when it is not in the trash.
    """
    role = by.require_administrator()
    with transaction.atomic():
        locked = Submission.objects.select_for_update(of=("self",)).filter(pk=submission.pk).first()
        quotas.discount_submission(submission)
        return trash.delete_row(
            locked or submission,
            is_in_trash=locked is not None and locked.withdrawn_at is not None,
            by=by,
            role=role,
            course=submission.assignment.course,
            target=f"{submission.assignment}, {submission.created:%Y-%m-%d %H:%M:%S.%f} UTC",
            student=submission.student.username,
        )
