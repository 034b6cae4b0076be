"""Service functions of submissions: submit, withdraw, restore, collect, permanent deletion."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import OuterRef, QuerySet, Subquery
from django.utils import timezone

from courses import audit, trash
from courses.errors import Conflict, NotFound, TryAgain
from courses.models import Course, Membership, Role, User
from courses.permissions import Actor, Permission
from courses.prepared import Parameter, insert, prepared
from exchange import quotas
from exchange.models import Assignment, Blob, FileSet, Release, Submission
from exchange.quotas import Quota
from exchange.storage import file_sets, manifests
from exchange.storage.file_sets import Upload
from exchange.storage.manifests import ManifestEntry

CLOCK_TICK = timedelta(microseconds=1)  # by which two submissions of a student differ at least


class KeyReused(Conflict):
    code = "key_reused"


class ReleaseChanged(Conflict):
    code = "release_changed"


def submit(
    assignment: Assignment,
    upload: Upload,
    *,
    by: Actor,
    student: User | None = None,
    key: str | None = None,
    compared_with: Release | None = None,
) -> tuple[Submission, bool]:
    """Submit a file set. Return the submission and whether it is new: the same `key` gives the same submission again.

    `student` is given where somebody submits for another, and `compared_with` where the files were compared with a
    release that must be the latest. The server's clock decides the time. Errors: PermissionDenied, NotFound when the
    assignment is not released or the student is no member, KeyReused when the key came with other files before,
    ReleaseChanged, TooManySubmissions, QuotaExceeded, TryAgain, those of file_sets.store_upload.
    """
    course = assignment.course
    is_for_another = student is not None and student != by.user
    permission = Permission.SUBMIT_FOR_OTHERS if is_for_another else Permission.SUBMIT
    by.require(permission, course)
    owner = student or by.required_user
    if is_for_another:
        _check_is_member(owner, course)
    (entries,) = upload.manifests
    use = quotas.use_of(owner, course, assignment, key)
    if use.has_key and (existing := _submission_with_key(key, assignment, owner, entries)):
        _make_sure_of_bytes(upload, entries, by=by)
        return existing, False
    if assignment.withdrawn_at is not None:
        raise _not_released(assignment)
    quota = quotas.start_submission(course, owner, use)
    with file_sets.store_upload(upload, by=by, admit=quota.admit) as stored:
        try:
            submission = _add_submission(
                assignment, owner, entries, stored, quota, permission, key, compared_with=compared_with, by=by
            )
        except IntegrityError as error:
            # The same attempt, or another one of this student, won the race at this very instant.
            if existing := _submission_with_key(key, assignment, owner, entries):
                return existing, False
            raise TryAgain("Another submission of yours arrived at the same instant. Try again.") from error
    return submission, True


def _add_submission(
    assignment: Assignment,
    student: User,
    entries: Sequence[ManifestEntry],
    stored: Mapping[str, Blob],
    quota: Quota,
    permission: Permission,
    key: str | None,
    *,
    compared_with: Release | None,
    by: Actor,
) -> Submission:
    """Add the rows of a submission, whose bytes are stored, in one transaction. Errors: those of submit."""
    course, is_for_another = assignment.course, permission == Permission.SUBMIT_FOR_OTHERS
    with transaction.atomic():
        now = _look_again(assignment, student, permission, entries, by=by)
        if compared_with and compared_with != assignment.latest_release:
            raise ReleaseChanged("The assignment was released again while the files arrived.")
        if is_for_another:
            _check_is_member(student, course)
        file_set, new_bytes = file_sets.create_file_set(entries, stored, now.file_sets)
        submission = Submission(
            assignment=assignment,
            student=student,
            submitted_by=by.user,
            created=_next_instant(now.latest),
            release=assignment.latest_release,
            file_set=file_set,
            new_bytes=new_bytes,
            own_bytes=quota.own_bytes,
            trial=not is_for_another and now.role != Role.STUDENT,
            idempotency_key=key,
        )
        insert([submission])
        named = {"submission": submission.pk, "student": student.username}
        audit.record("submit", by=by, role=now.role, about=submission, course=course, target=assignment.name, **named)
        quotas.count(course, new_bytes)
    return submission


def _make_sure_of_bytes(upload: Upload, entries: Sequence[ManifestEntry], *, by: Actor) -> None:
    """Store what was sent again, if the store has lost it since: the receipt goes out again, too."""
    with file_sets.store_upload(upload, by=by) as stored, transaction.atomic():
        file_sets.create_file_set(entries, stored)


def _check_is_member(student: User, course: Course) -> None:
    """Errors: NotFound."""
    if not Membership.objects.filter(course=course, user=student).exists():
        raise NotFound(f"{student.username} is not a member of {course.name}.")


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
    if existing and existing.file_set.digest != manifests.digest(entries):
        raise KeyReused("This idempotency key was used for other files before. Start a new attempt.")
    return existing


@dataclass(frozen=True)
class _Now:
    """What may have changed while the bytes came, as the transaction that submits finds it."""

    role: str  # of the actor
    latest: datetime | None  # the student's attempt
    file_sets: dict[str, FileSet]  # {digest: file set}, if one has the same files


def _look_again(
    assignment: Assignment, student: User, permission: Permission, entries: Sequence[ManifestEntry], *, by: Actor
) -> _Now:
    """Ask again, in one query, and bring the assignment's latest release up to date. Call it in the transaction.

    Errors: PermissionDenied, NotFound if the assignment was unreleased.
    """
    digest = manifests.digest(entries)
    found = _state.rows(assignment=assignment.pk, actor=by.user and by.user.pk, student=student.pk, digest=digest)
    now = found[0] if found else None
    role = by.require_as(now["role"] if now else None, permission, assignment.course)
    if now is None or now["withdrawn_at"] is not None:
        raise _not_released(assignment)
    if now["latest_release"] != assignment.latest_release_id:
        assignment.refresh_from_db(fields=["latest_release"])
    pk = now["file_set"]
    return _Now(role, now["latest"], {digest: file_sets.describe(entries, digest, pk)} if pk else {})


@prepared
def _state(assignment: Parameter, actor: Parameter, student: Parameter, digest: Parameter) -> QuerySet[Any, Any]:
    members = Membership.objects.filter(course=OuterRef("course"), user=actor, user__is_active=True)
    own = Submission.objects.filter(assignment=assignment, student=student)
    return (
        Assignment.objects.filter(pk=assignment, course__removed_at=None)
        .annotate(
            role=Subquery(members.order_by().values("role")[:1]),
            latest=Subquery(own.order_by("-created").values("created")[:1]),
            file_set=Subquery(FileSet.objects.filter(digest=digest).values("pk")),
        )
        .values("withdrawn_at", "latest_release", "role", "latest", "file_set")
        .order_by()
    )


def _next_instant(latest: datetime | None) -> datetime:
    """Return now, or just after the student's latest attempt if the clock stood still or went back."""
    now = timezone.now()
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
