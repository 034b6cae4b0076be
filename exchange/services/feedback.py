"""Service functions of feedback."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import OuterRef, Subquery
from django.utils import timezone
from django.utils.translation import gettext as _

from courses import audit
from courses.errors import DomainError, NotFound
from courses.permissions import Actor, Permission
from exchange import quotas
from exchange.models import Assignment, Feedback, Submission
from exchange.notices import outbox
from exchange.notices.models import Kind
from exchange.quotas import Quota
from exchange.storage import batches, file_sets
from exchange.storage.file_sets import Upload
from exchange.storage.manifests import ManifestEntry


@dataclass(frozen=True)
class FeedbackItem:
    """Feedback for one submission, which is given by its id, or by its student and its time."""

    entries: list[ManifestEntry]
    submission: int | None = None
    student: str | None = None
    timestamp: datetime | None = None


def find_submissions(assignment: Assignment, items: Sequence[FeedbackItem]) -> list[Submission | NotFound]:
    """Return for each item the submission that it is for, or the error; a few queries, however many there are.

    A time without microseconds finds the only submission of that second.
    """
    rows = assignment.submissions.select_related("student", "assignment__course")
    pks = [item.submission for item in items if item.submission is not None]
    by_pk = {row.pk: row for batch in batches.in_batches(pks) for row in rows.filter(pk__in=batch)}
    attempts: dict[str, list[Submission]] = {}
    times = [item.timestamp for item in items if item.submission is None and item.timestamp]
    if times:
        rows = rows.filter(created__range=(min(times), _end_of_second(max(times))))
        names = sorted({item.student for item in items if item.student})
        for batch in batches.in_batches(names):
            for row in rows.filter(student__username__in=batch):
                attempts.setdefault(row.student.username, []).append(row)
    return [_find(assignment, item, by_pk, attempts.get(item.student or "", [])) for item in items]


def _find(
    assignment: Assignment, item: FeedbackItem, by_pk: Mapping[int, Submission], attempts: Sequence[Submission]
) -> Submission | NotFound:
    matches: list[Submission] = []
    if item.submission is not None:
        matches = [by_pk[item.submission]] if item.submission in by_pk else []
    elif time := item.timestamp:
        matches = [attempt for attempt in attempts if attempt.created == time]
        if not matches and not time.microsecond:
            matches = [attempt for attempt in attempts if time <= attempt.created <= _end_of_second(time)]
    if len(matches) == 1:
        return matches[0]
    if item.timestamp:
        message = _("There is no submission of %(student)s at %(time)s for %(assignment)s.")
        names = {"student": item.student, "time": f"{item.timestamp:%Y-%m-%d %H:%M:%S.%f}"}
    else:
        message, names = _("There is no submission %(pk)s for %(assignment)s."), {"pk": f"{item.submission}"}
    return NotFound(message % {**names, "assignment": assignment.name})


def _end_of_second(time: datetime) -> datetime:
    return time.replace(microsecond=999_999)


def return_feedback(
    assignment: Assignment, items: Sequence[FeedbackItem], upload: Upload, *, by: Actor
) -> tuple[list[Feedback], list[tuple[FeedbackItem, DomainError]]]:
    """Return feedback on many submissions at once. An item without its submission does not stop the others.

    The student sees the newest feedback; earlier ones are kept. Where the newest has exactly these files, as after a
    double click, it is returned already, and stays. Return the feedback of each item that was accepted, and the items
    that were refused with the reason. Errors: PermissionDenied, QuotaExceeded, those of file_sets.store_upload.
    """
    course = assignment.course
    by.require(Permission.RETURN_FEEDBACK, course)
    accepted: list[tuple[Submission, FeedbackItem]] = []
    refused: list[tuple[FeedbackItem, DomainError]] = []
    for item, found in zip(items, find_submissions(assignment, items), strict=True):
        if isinstance(found, NotFound):
            refused.append((item, found))
        else:
            accepted.append((found, item))
    with file_sets.store_upload(upload, by=by, admit=Quota(course).admit) as stored, transaction.atomic():
        role, has_webhook = outbox.require_still(Permission.RETURN_FEEDBACK, course, by=by)
        newest = _lock_and_find_newest([submission for submission, _item in accepted])
        now = timezone.now()
        created = file_sets.create_file_sets([item.entries for _submission, item in accepted], stored)
        returned: list[Feedback] = []
        new: list[Feedback] = []
        for (submission, _item), (file_set, new_bytes) in zip(accepted, created, strict=True):
            feedback = newest.get(submission.pk)
            if feedback is None or feedback.file_set != file_set:
                feedback = Feedback(
                    submission=submission, file_set=file_set, new_bytes=new_bytes, returned_by=by.user, created=now
                )
                newest[submission.pk] = feedback
                new.append(feedback)
            returned.append(feedback)
        Feedback.objects.bulk_create(new)
        if new:
            audit.record(
                "return feedback",
                by=by,
                role=role,
                about=assignment,
                course=course,
                target=assignment.name,
                submissions=[feedback.submission.pk for feedback in new],
            )
        quotas.count(course, sum(feedback.new_bytes for feedback in new))
        if outbox.wants(Kind.FEEDBACK_RETURNED, has_webhook=has_webhook):
            outbox.record_feedback(assignment, new)
    return returned, refused


def _lock_and_find_newest(submissions: Sequence[Submission]) -> dict[int, Feedback]:
    """Return the newest feedback on each of the submissions that has one, by the submission's id.

    Of two callers at once, the second waits for the first here, and finds its feedback: it is read after the lock, in a
    query of its own. All who lock several submissions do so in the order of their times.
    """
    by_pk = {submission.pk: submission for submission in submissions}
    pks = sorted(by_pk, key=lambda pk: (by_pk[pk].created, pk))
    for batch in batches.in_batches(pks):
        rows = Submission.objects.select_for_update(no_key=True).filter(pk__in=batch)
        list(rows.order_by("created", "pk").values_list("pk"))
    latest = Feedback.objects.filter(submission=OuterRef("submission")).order_by("-pk").values("pk")[:1]
    rows_of_newest = Feedback.objects.filter(pk=Subquery(latest)).select_related("file_set").order_by()
    found: dict[int, Feedback] = {}
    for batch in batches.in_batches(pks):
        for feedback in rows_of_newest.filter(submission__in=batch):
            feedback.submission = by_pk[feedback.submission_id]
            found[feedback.submission_id] = feedback
    return found
