"""The service function `submit`, with all that is checked before and after the bytes arrive."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from courses import audit
from courses.errors import Conflict, NotFound, TryAgain
from courses.models import Course, Membership, Role, User
from courses.permissions import Actor, Permission
from courses.prepared import Parameter, insert, prepared
from courses.timestamps import format_timestamp, local_text
from exchange import deadlines, quotas, receipt_keys, receipts
from exchange.deadlines import Deadline, Pair
from exchange.models import Assignment, Blob, FileSet, ReceiptKey, Release, Submission
from exchange.notices import outbox
from exchange.notices.models import Kind
from exchange.quotas import Quota
from exchange.row_numbers import NextId
from exchange.storage import file_sets, manifests
from exchange.storage.file_sets import Upload
from exchange.storage.manifests import ManifestEntry

CLOCK_TICK = timedelta(microseconds=1)  # by which two submissions of a student differ at least


class KeyReused(Conflict):
    code = "key_reused"


class ReleaseChanged(Conflict):
    code = "release_changed"


class Closed(Conflict):
    code = "closed"


class NoAttemptsLeft(Conflict):
    code = "no_attempts_left"


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
    release that must be the latest. The server's clock decides the time. Release time, cut-off and attempt limit hold
    for what students submit themselves, not for staff. Errors: PermissionDenied, NotFound when the assignment is not
    released or the student is no member, KeyReused when the key came with other files before, Closed, NoAttemptsLeft,
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
    _check_before_bytes(assignment, owner, use.attempts, is_held=_is_held(permission, by.role_in(course)))
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
            raise TryAgain(_("Another submission of yours arrived at the same instant. Try again.")) from error
        except (Closed, NoAttemptsLeft):  # perhaps after this very attempt, which was sent twice
            if existing := _submission_with_key(key, assignment, owner, entries):
                return existing, False
            raise
    return submission, True


def check_may_submit(assignment: Assignment, *, by: Actor) -> None:
    """Refuse what would be refused whatever files came, before any of them is read. `submit` looks again.

    Errors: PermissionDenied, NotFound, Closed, NoAttemptsLeft, TooManySubmissions.
    """
    by.require(Permission.SUBMIT, assignment.course)
    use = quotas.use_of(by.required_user, assignment.course, assignment)
    is_held = _is_held(Permission.SUBMIT, by.role_in(assignment.course))
    _check_before_bytes(assignment, by.required_user, use.attempts, is_held=is_held)
    quotas.start_submission(assignment.course, by.required_user, use)


def _is_held(permission: Permission, role: str | None) -> bool:
    """Return whether release time, cut-off and attempt limit hold: for what a student submits, not for staff."""
    return permission == Permission.SUBMIT and role == Role.STUDENT


def _check_before_bytes(assignment: Assignment, student: User, attempts: int, *, is_held: bool) -> None:
    """Refuse early what cannot be accepted; the transaction that submits looks again.

    It asks for extensions only where the assignment's own cut-off or limit refuses. Errors: NotFound, Closed,
    NoAttemptsLeft.
    """
    if assignment.withdrawn_at is not None or (is_held and not assignment.is_shown):
        raise _not_released(assignment)
    now, own = timezone.now(), Deadline(cut_off=assignment.cut_off, max_attempts=assignment.max_attempts)
    if is_held and (own.is_closed(now) or own.attempts_left(attempts) == 0):
        _check_is_open(assignment, deadlines.in_force(assignment, student), attempts, now)


def _check_is_open(assignment: Assignment, deadline: Deadline, attempts: int, moment: datetime) -> None:
    """Errors: Closed, NoAttemptsLeft."""
    if deadline.cut_off is not None and deadline.is_closed(moment):
        closed = local_text(deadline.cut_off, assignment.course.zone)
        raise Closed(
            _("%(assignment)s closed at %(closed)s; nothing is accepted after that.")
            % {"assignment": assignment.name, "closed": closed},
            cut_off=format_timestamp(deadline.cut_off),
        )
    if deadline.attempts_left(attempts) == 0:
        message = ngettext(
            "You have submitted %(assignment)s %(count)d time, and the limit is %(limit)s. What you submitted is kept.",
            "You have submitted %(assignment)s %(count)d times, and the limit is %(limit)s. "
            "What you submitted is kept.",
            attempts,
        )
        raise NoAttemptsLeft(
            message % {"assignment": assignment.name, "count": attempts, "limit": deadline.max_attempts},
            max_attempts=deadline.max_attempts,
        )


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
        if assignment.max_attempts is not None:  # so that two at once do not both take the last attempt
            Membership.objects.select_for_update(no_key=True).filter(course=course, user=student).first()
        now = _look_again(assignment, student, permission, entries, by=by)
        if compared_with and compared_with != assignment.latest_release:
            raise ReleaseChanged(_("The assignment was released again while the files arrived."))
        if is_for_another:
            _check_is_member(student, course)
        created = _next_instant(now.latest)
        if _is_held(permission, now.role):
            if assignment.max_attempts is None and now.deadline.max_attempts is not None:
                raise TryAgain(_("The attempts were limited while your files arrived. Try again."))
            _check_is_open(assignment, now.deadline, now.attempts, created)
        file_set, new_bytes = file_sets.create_file_set(entries, stored, now.file_sets)
        submission = Submission(
            pk=now.next_id,
            assignment=assignment,
            student=student,
            submitted_by=by.user,
            created=created,
            due=now.deadline.due,
            release=assignment.latest_release,
            file_set=file_set,
            new_bytes=new_bytes,
            own_bytes=quota.own_bytes,
            trial=not is_for_another and now.role != Role.STUDENT,
            idempotency_key=key,
        )
        submission.receipt = receipts.sign(submission, receipt_keys.signing_key(now.receipt_key))
        insert([submission])
        named = {"submission": submission.pk, "student": student.username}
        audit.record("submit", by=by, role=now.role, about=submission, course=course, target=assignment.name, **named)
        quotas.count(course, new_bytes)
        if outbox.wants(Kind.SUBMITTED, has_webhook=now.has_webhook):
            outbox.record_submission(submission)
    return submission


def _make_sure_of_bytes(upload: Upload, entries: Sequence[ManifestEntry], *, by: Actor) -> None:
    """Store what was sent again, if the store has lost it since: the receipt goes out again, too."""
    with file_sets.store_upload(upload, by=by) as stored, transaction.atomic():
        file_sets.create_file_set(entries, stored)


def _check_is_member(student: User, course: Course) -> None:
    """Errors: NotFound."""
    if not Membership.objects.filter(course=course, user=student).exists():
        raise NotFound(
            _("%(student)s is not a member of %(course)s.") % {"student": student.username, "course": course.name}
        )


def _not_released(assignment: Assignment) -> NotFound:
    return NotFound(
        _("%(assignment)s is not released in %(course)s.")
        % {"assignment": assignment.name, "course": assignment.course.name}
    )


def _submission_with_key(
    key: str | None, assignment: Assignment, student: User, entries: Sequence[ManifestEntry]
) -> Submission | None:
    """Return what the student submitted with this idempotency key. Errors: KeyReused."""
    if key is None:
        return None
    rows = Submission.objects.select_related("file_set", "release", "submitted_by", "student")
    existing = rows.filter(assignment=assignment, student=student, idempotency_key=key).first()
    if existing and existing.file_set.digest != manifests.digest(entries):
        raise KeyReused(_("This idempotency key was used for other files before. Start a new attempt."))
    return existing


@dataclass(frozen=True)
class _Now:
    """What may have changed while the bytes came, as the transaction that submits finds it."""

    role: str  # of the actor
    latest: datetime | None  # the student's attempt
    attempts: int  # of the student, which count
    deadline: Deadline  # of the student
    file_sets: dict[str, FileSet]  # {digest: file set}, if one has the same files
    next_id: int  # of a submission
    receipt_key: ReceiptKey | None  # the newest
    has_webhook: bool  # one that is told of the course


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
    is_held = _is_held(permission, role)
    if now is None or now["withdrawn_at"] is not None or (is_held and _is_to_come(now["release_at"])):
        raise _not_released(assignment)
    if now["latest_release"] != assignment.latest_release_id:
        assignment.refresh_from_db(fields=["latest_release"])
    deadline = Deadline(now["due_now"], now["cut_off_now"], now["limit_now"])
    pk, key_id = now["file_set"], now["key_id"]
    known = {digest: file_sets.describe(entries, digest, pk)} if pk else {}
    receipt_key = ReceiptKey(key_id=key_id, number=now["key_number"]) if key_id else None
    return _Now(role, now["latest"], now["attempts"] or 0, deadline, known, now["next_id"], receipt_key, now["is_told"])


def _is_to_come(moment: datetime | None) -> bool:
    return moment is not None and moment > timezone.now()


_DEADLINE = ("attempts", "due_now", "cut_off_now", "limit_now")
_LATER = ("next_id", "key_id", "key_number", "is_told")


@prepared
def _state(assignment: Parameter, actor: Parameter, student: Parameter, digest: Parameter) -> QuerySet[Any, Any]:
    members = Membership.objects.filter(course=OuterRef("course"), user=actor, user__is_active=True)
    own = Submission.objects.filter(assignment=assignment, student=student)
    counted = own.filter(withdrawn_at=None, trial=False).order_by()
    keys = ReceiptKey.objects.filter(pk__gt=0, number__isnull=False).order_by("-pk")  # reads one, from the end
    pair = Pair.at("", student)
    return (
        Assignment.objects.filter(pk=assignment, course__removed_at=None)
        .annotate(
            role=Subquery(members.order_by().values("role")[:1]),
            latest=Subquery(own.order_by("-created").values("created")[:1]),
            file_set=Subquery(FileSet.objects.filter(digest=digest).values("pk")),
            attempts=Subquery(counted.values("student").annotate(count=Count("pk")).values("count")),
            next_id=NextId(Submission),
            key_id=Subquery(keys.values("key_id")[:1]),
            key_number=Subquery(keys.values("number")[:1]),
            due_now=deadlines.due_in_sql(pair),
            cut_off_now=deadlines.cut_off_in_sql(pair),
            limit_now=deadlines.max_attempts_in_sql(pair),
            is_told=outbox.is_told("course"),
        )
        .values("withdrawn_at", "release_at", "latest_release", "role", "latest", "file_set", *_DEADLINE, *_LATER)
        .order_by()
    )


def _next_instant(latest: datetime | None) -> datetime:
    """Return now, or just after the student's latest attempt if the clock stood still or went back."""
    now = timezone.now()
    return max(now, latest + CLOCK_TICK) if latest else now
