"""Service functions: whatever changes something in the exchange happens here.

The APIs, the admin and the commands all call them. The actor is the keyword `by`. Each function checks the permission
first; then one transaction acts and adds one entry to the audit log. The bytes of an upload are stored before it opens,
and may take long to arrive: the transaction asks again whether the actor may, and whether the assignment is released.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto

from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils import timezone

from courses import audit, trash
from courses.errors import AlreadyExists, Conflict, DomainError, Invalid, NotFound, TryAgain
from courses.models import Course, Membership, Role, User
from courses.permissions import Actor, Permission
from exchange import paths, quotas
from exchange.models import Assignment, Feedback, Release, Submission
from exchange.quotas import Quota
from exchange.storage import file_sets
from exchange.storage.file_sets import ManifestEntry, Upload

CLOCK_TICK = timedelta(microseconds=1)  # by which two submissions of a student differ at least


class AlreadyReleased(AlreadyExists):
    code = "already_released"


class KeyReused(Conflict):
    code = "key_reused"


class Unchanged(Enum):
    UNCHANGED = auto()


UNCHANGED = Unchanged.UNCHANGED  # for a due date: leave it as it is, which None does not say


# Assignments


def check_assignment_name(name: str) -> None:
    """Check the name of a new assignment, which nbgrader, an address and a folder must carry. Errors: Invalid.

    nbgrader takes `*` for a pattern.
    """
    if not name or name in (".", "..") or any(char in name for char in "/+*") or len(name) > 255:
        raise Invalid(f"{name[:80]!r} cannot be an assignment's name: 1 to 255 characters without '/', '+' and '*'.")
    if unsafe := paths.UNSAFE.search(name):
        character = f"U+{ord(unsafe[0]):04X}"
        raise Invalid(f"{name[:80]!r} cannot be an assignment's name: it has an unprintable character, {character}.")
    if name != name.strip():
        raise Invalid(f"{name[:80]!r} cannot be an assignment's name: it starts or ends with a space.")


def release(
    course: Course,
    name: str,
    upload: Upload,
    *,
    by: Actor,
    force: bool = False,
    due: datetime | None | Unchanged = UNCHANGED,
) -> Release:
    """Publish a file set as the next release of an assignment, which is created, or restored, if necessary.

    Earlier releases, submissions and feedback stay. Errors: PermissionDenied, Invalid, AlreadyReleased unless `force`,
    QuotaExceeded, those of file_sets.store_upload.
    """
    by.require(Permission.RELEASE, course)
    # PostgreSQL does not even compare with a NUL.
    existing = None if "\0" in name else Assignment.objects.filter(course=course, name=name).first()
    if existing is None:
        check_assignment_name(name)
    elif existing.withdrawn_at is None and not force:
        raise AlreadyReleased(f"{name} is released in {course.name} already; release it again with --force.")
    (entries,) = upload.manifests
    with file_sets.store_upload(upload, by=by, admit=Quota(course).admit), transaction.atomic():
        role = by.require_still(Permission.RELEASE, course)
        assignment, is_new = Assignment.objects.select_for_update().get_or_create(course=course, name=name)
        if not force and not is_new and assignment.withdrawn_at is None:
            raise AlreadyReleased(f"{name} was released in {course.name} by somebody else just now.")
        new_release = add_release(assignment, entries, created=timezone.now(), by=by)
        assignment.withdrawn_at = None
        if not isinstance(due, Unchanged):
            assignment.due = due
        assignment.save(update_fields=["withdrawn_at", "due"])
        audit.record(
            "release", by=by, role=role, about=assignment, course=course, target=name, number=new_release.number
        )
        quotas.count(course, new_release.new_bytes)
    return new_release


def add_release(assignment: Assignment, entries: Sequence[ManifestEntry], *, created: datetime, by: Actor) -> Release:
    """Add the row of the next release. Call it in a transaction that has locked the assignment or its releases."""
    newest = assignment.releases.aggregate(newest=Max("number"))["newest"] or 0
    file_set, new_bytes = file_sets.create_file_set(entries)
    return Release.objects.create(
        assignment=assignment,
        number=newest + 1,
        file_set=file_set,
        new_bytes=new_bytes,
        released_by=by.user,
        created=created,
    )


def unrelease(assignment: Assignment, *, by: Actor) -> None:
    """Hide the assignment. Everything is kept; `restore` or a new release shows it again. Errors: PermissionDenied."""
    role = by.require(Permission.RELEASE, assignment.course)
    _set_withdrawn(assignment, timezone.now(), action="unrelease", role=role, by=by)


def restore(assignment: Assignment, *, by: Actor) -> None:
    """Show an unreleased assignment again as it was. Errors: PermissionDenied, Conflict if it never had a release."""
    role = by.require(Permission.RELEASE, assignment.course)
    if not assignment.releases.exists():
        raise Conflict(f"{assignment.name} was never released.")
    _set_withdrawn(assignment, None, action="restore assignment", role=role, by=by)


def _set_withdrawn(assignment: Assignment, moment: datetime | None, *, action: str, role: str, by: Actor) -> None:
    with transaction.atomic():
        rows = Assignment.objects.filter(pk=assignment.pk, withdrawn_at__isnull=moment is not None)
        if rows.update(withdrawn_at=moment):
            course, target = assignment.course, assignment.name
            audit.record(action, by=by, role=role, about=assignment, course=course, target=target)
    assignment.refresh_from_db(fields=["withdrawn_at"])


def set_due_date(assignment: Assignment, due: datetime | None, *, by: Actor) -> None:
    """Errors: PermissionDenied, NotFound when the assignment was deleted meanwhile."""
    course = assignment.course
    role = by.require(Permission.RELEASE, course)
    with transaction.atomic():
        if not Assignment.objects.filter(pk=assignment.pk).update(due=due):
            raise NotFound(f"{assignment.name} was deleted meanwhile.")
        assignment.due = due
        text = due.isoformat() if due else None
        audit.record(
            "set due date", by=by, role=role, about=assignment, course=course, target=assignment.name, due=text
        )


# Submissions


def submit(
    assignment: Assignment, upload: Upload, *, by: Actor, student: User | None = None, key: str | None = None
) -> tuple[Submission, bool]:
    """Submit a file set. Return the submission and whether it is new: the same `key` gives the same submission again.

    `student` is given where somebody submits for another. The server's clock decides the time. Errors:
    PermissionDenied, NotFound when the assignment is not released or the student is no member, KeyReused when the key
    came with other files before, TooManySubmissions, QuotaExceeded, TryAgain, those of file_sets.store_upload.
    """
    course = assignment.course
    is_for_another = student is not None and student != by.user
    permission = Permission.SUBMIT_FOR_OTHERS if is_for_another else Permission.SUBMIT
    by.require(permission, course)
    owner = student or by.required_user
    if is_for_another and not Membership.objects.filter(course=course, user=owner).exists():
        raise NotFound(f"{owner.username} is not a member of {course.name}.")
    (entries,) = upload.manifests
    if existing := _submission_with_key(key, assignment, owner, entries):
        return existing, False
    if assignment.withdrawn_at is not None:
        raise _not_released(assignment)
    quota = quotas.start_submission(course, owner)
    with file_sets.store_upload(upload, by=by, admit=quota.admit):
        try:
            with transaction.atomic():
                role = by.require_still(permission, course)
                if not Assignment.objects.released().filter(pk=assignment.pk, course__removed_at=None).exists():
                    raise _not_released(assignment)
                file_set, new_bytes = file_sets.create_file_set(entries)
                submission = Submission.objects.create(
                    assignment=assignment,
                    student=owner,
                    submitted_by=by.user,
                    created=_next_instant(assignment, owner),
                    release=assignment.releases.order_by("number").last(),
                    file_set=file_set,
                    new_bytes=new_bytes,
                    own_bytes=quota.own_bytes,
                    trial=not is_for_another and role != Role.STUDENT,
                    idempotency_key=key,
                )
                named = {"submission": submission.pk, "student": owner.username}
                audit.record(
                    "submit", by=by, role=role, about=submission, course=course, target=assignment.name, **named
                )
                quotas.count(course, new_bytes)
        except IntegrityError as error:
            # The same attempt, or another one of this student, won the race at this very instant.
            if existing := _submission_with_key(key, assignment, owner, entries):
                return existing, False
            raise TryAgain("Another submission of yours arrived at the same instant. Try again.") from error
    return submission, True


def _not_released(assignment: Assignment) -> NotFound:
    return NotFound(f"{assignment.name} is not released in {assignment.course.name}.")


def _submission_with_key(
    key: str | None, assignment: Assignment, student: User, entries: Sequence[ManifestEntry]
) -> Submission | None:
    """Return what the student submitted with this idempotency key. Errors: KeyReused."""
    if key is None:
        return None
    rows = Submission.objects.select_related("file_set", "release", "submitted_by", "student")
    existing = rows.filter(assignment=assignment, student=student, idempotency_key=key).first()
    if existing and existing.file_set.digest != file_sets.digest(entries):
        raise KeyReused("This idempotency key was used for other files before. Start a new attempt.")
    return existing


def _next_instant(assignment: Assignment, student: User) -> datetime:
    """Return now, or just after the student's latest attempt if the clock stood still or went back."""
    now = timezone.now()
    latest = assignment.submissions.filter(student=student).aggregate(latest=Max("created"))["latest"]
    return max(now, latest + CLOCK_TICK) if latest else now


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
            changed = list(rows.values_list("pk", flat=True))
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
    """Return the ids of the submissions of each assignment."""
    by_assignment: dict[Assignment, list[int]] = {}
    for submission in submissions:
        by_assignment.setdefault(submission.assignment, []).append(submission.pk)
    return by_assignment


def record_progress_download(course: Course, *, by: Actor) -> None:
    """Note in the audit log that the progress of a course's members was downloaded. Errors: PermissionDenied."""
    role = by.require(Permission.SEE_SUBMISSIONS, course)
    audit.record("download progress", by=by, role=role, about=course, course=course, target=course.name)


# Feedback


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


# Permanent deletion


def delete_assignment_permanently(assignment: Assignment, *, by: Actor) -> dict[str, int]:
    """Delete an unreleased assignment with its submissions and feedback. Return how many rows of each kind.

    Errors: PermissionDenied, Conflict when it is released.
    """
    role = by.require_administrator()
    with transaction.atomic():
        locked = Assignment.objects.select_for_update(of=("self",)).filter(pk=assignment.pk).first()
        is_in_trash = locked is not None and locked.withdrawn_at is not None
        target = str(assignment)
        quotas.discount_assignment(assignment)
        return trash.delete_row(
            locked or assignment, is_in_trash=is_in_trash, by=by, role=role, course=assignment.course, target=target
        )


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
