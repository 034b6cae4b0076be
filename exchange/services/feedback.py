"""Service functions of feedback."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from courses import audit
from courses.errors import DomainError, NotFound
from courses.permissions import Actor, Permission
from exchange import quotas
from exchange.models import Assignment, Feedback, Submission
from exchange.quotas import Quota
from exchange.storage import file_sets
from exchange.storage.file_sets import Upload
from exchange.storage.manifests import ManifestEntry


@dataclass(frozen=True)
class FeedbackItem:
    """Feedback for one submission, which is given by its id, or by its student and its time."""

    entries: list[ManifestEntry]
    submission: int | None = None
    student: str | None = None
    timestamp: datetime | None = None


def find_submission(assignment: Assignment, item: FeedbackItem) -> Submission:
    """Return the submission that `item` is for. A time without microseconds finds the only one of that second.

    Errors: NotFound.
    """
    rows = assignment.submissions.select_related("student", "assignment__course")
    if item.submission is not None:
        matches = list(rows.filter(pk=item.submission))
    else:
        rows = rows.filter(student__username=item.student)
        matches = list(rows.filter(created=item.timestamp)) if item.timestamp else []
        if not matches and item.timestamp and not item.timestamp.microsecond:
            last = item.timestamp.replace(microsecond=999_999)
            matches = list(rows.filter(created__range=(item.timestamp, last))[:2])
    if len(matches) != 1:
        name = f"of {item.student} at {item.timestamp:%Y-%m-%d %H:%M:%S.%f}" if item.timestamp else f"{item.submission}"
        raise NotFound(f"There is no submission {name} for {assignment.name}.")
    return matches[0]


def return_feedback(
    assignment: Assignment, items: Sequence[FeedbackItem], upload: Upload, *, by: Actor
) -> tuple[list[Feedback], list[tuple[FeedbackItem, DomainError]]]:
    """Return feedback on many submissions at once. An item without its submission does not stop the others.

    The student sees the newest feedback; earlier ones are kept. Return the new rows, and the items that were refused
    with the reason. Errors: PermissionDenied, QuotaExceeded, those of file_sets.store_upload.
    """
    course = assignment.course
    by.require(Permission.RETURN_FEEDBACK, course)
    accepted: list[tuple[Submission, FeedbackItem]] = []
    refused: list[tuple[FeedbackItem, DomainError]] = []
    for item in items:
        try:
            accepted.append((find_submission(assignment, item), item))
        except NotFound as error:
            refused.append((item, error))
    with file_sets.store_upload(upload, by=by, admit=Quota(course).admit), transaction.atomic():
        role = by.require_still(Permission.RETURN_FEEDBACK, course)
        now = timezone.now()
        feedbacks = []
        for submission, item in accepted:
            file_set, new_bytes = file_sets.create_file_set(item.entries)
            feedbacks.append(
                Feedback(
                    submission=submission, file_set=file_set, new_bytes=new_bytes, returned_by=by.user, created=now
                )
            )
        Feedback.objects.bulk_create(feedbacks)
        if feedbacks:
            pks = [submission.pk for submission, _ in accepted]
            audit.record(
                "return feedback",
                by=by,
                role=role,
                about=assignment,
                course=course,
                target=assignment.name,
                submissions=pks,
            )
        quotas.count(course, sum(feedback.new_bytes for feedback in feedbacks))
    return feedbacks, refused
