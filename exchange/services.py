"""The verbs: whatever changes something in the exchange is a function here.

Every door (both APIs, the admin, the commands) goes through them. The actor is the keyword `by`; the first line asks
the right of it; then one transaction acts and writes the audit log. Uploads settle their bytes before it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils import timezone

from courses import audit, trash
from courses.errors import AlreadyExists, Conflict, DomainError, Invalid, NotFound, TryAgain
from courses.models import Course, Membership, Role, User
from courses.permissions import Actor, Permission
from exchange.models import Assignment, Feedback, Release, Submission
from exchange.storage import file_sets
from exchange.storage.file_sets import ManifestEntry, Upload


class AlreadyReleased(AlreadyExists):
    code = "already_released"


class KeyReused(Conflict):
    code = "key_reused"


UNCHANGED = object()  # says of a due date: leave it as it is


# Assignments


def check_assignment_name(name: str) -> None:
    """Errors: Invalid, for a name that nbgrader or an address cannot carry."""
    if not name or name in (".", "..") or any(char in name for char in "/+\0") or len(name) > 255:
        raise Invalid(f"{name[:80]!r} cannot be an assignment's name: 1 to 255 characters without '/' and '+'.")


def release(
    course: Course,
    name: str,
    upload: Upload,
    *,
    by: Actor,
    force: bool = False,
    due: datetime | None | object = UNCHANGED,
) -> Release:
    """Publish a tree as the assignment's next release; the assignment comes to be, or comes back, if it is not there.

    Earlier releases, submissions and feedback stay. Errors: Invalid, AlreadyReleased unless `force`, those of
    file_sets.store_upload.
    """
    role = by.require(Permission.RELEASE, course)
    check_assignment_name(name)
    if not force and Assignment.objects.released().filter(course=course, name=name).exists():
        raise AlreadyReleased(f"{name} is released in {course.name} already; release it again with --force.")
    (lines,) = upload.manifests
    with file_sets.store_upload(upload, by=by), transaction.atomic():
        assignment, is_new = Assignment.objects.select_for_update().get_or_create(course=course, name=name)
        if not force and not is_new and assignment.withdrawn_at is None:
            raise AlreadyReleased(f"{name} was released in {course.name} by somebody else just now.")
        newest = assignment.releases.aggregate(newest=Max("number"))["newest"] or 0
        made = Release.objects.create(
            assignment=assignment,
            number=newest + 1,
            file_set=file_sets.create_file_set(lines),
            released_by=by.user,
            created=timezone.now(),
        )
        assignment.withdrawn_at = None
        if due is not UNCHANGED:
            assignment.due = due  # type: ignore[assignment]
        assignment.save(update_fields=["withdrawn_at", "due"])
        audit.record("release", by=by, role=role, course=course, target=name, number=made.number)
    return made


def withdraw(assignment: Assignment, *, by: Actor) -> None:
    """Hide the assignment (nbgrader's unrelease). Everything is kept; `restore` or a new release brings it back."""
    _set_withdrawn(assignment, timezone.now(), by=by)


def restore(assignment: Assignment, *, by: Actor) -> None:
    """Bring a withdrawn assignment back as it was. Errors: Conflict if it never had a release."""
    if not assignment.releases.exists():
        raise Conflict(f"{assignment.name} was never released.")
    _set_withdrawn(assignment, None, by=by)


def _set_withdrawn(assignment: Assignment, moment: datetime | None, *, by: Actor) -> None:
    course = assignment.course
    role = by.require(Permission.RELEASE, course)
    with transaction.atomic():
        changed = Assignment.objects.filter(pk=assignment.pk, withdrawn_at__isnull=moment is not None)
        if changed.update(withdrawn_at=moment):
            action = "withdraw assignment" if moment else "restore assignment"
            audit.record(action, by=by, role=role, course=course, target=assignment.name)
    assignment.refresh_from_db(fields=["withdrawn_at"])


def set_due_date(assignment: Assignment, due: datetime | None, *, by: Actor) -> None:
    role = by.require(Permission.RELEASE, assignment.course)
    with transaction.atomic():
        assignment.due = due
        assignment.save(update_fields=["due"])
        audit.record(
            "set due date",
            by=by,
            role=role,
            course=assignment.course,
            target=assignment.name,
            due=due.isoformat() if due else None,
        )


# Submissions


def submit(
    assignment: Assignment, upload: Upload, *, by: Actor, student: User | None = None, key: str | None = None
) -> tuple[Submission, bool]:
    """Hand in a tree. Returns the submission, and whether it is new: the same `key` gives the same submission again.

    `student` hands in for somebody else. The server's clock says when. Errors: NotFound when the assignment is not
    released, KeyReused when the key came with other files before, TryAgain, those of file_sets.store_upload.
    """
    course = assignment.course
    for_another = student is not None and student != by.user
    role = by.require(Permission.SUBMIT_FOR_OTHERS if for_another else Permission.SUBMIT, course)
    whose = student or by.required_user
    if for_another and not Membership.objects.filter(course=course, user=whose).exists():
        raise NotFound(f"{whose.username} is not a member of {course.name}.")
    (lines,) = upload.manifests
    if earlier := _handed_in_with(key, assignment, whose, lines):
        return earlier, False
    if assignment.withdrawn_at is not None:
        raise NotFound(f"{assignment.name} is not released in {course.name}.")
    with file_sets.store_upload(upload, by=by):
        try:
            with transaction.atomic():
                made = Submission.objects.create(
                    assignment=assignment,
                    student=whose,
                    submitted_by=by.user,
                    created=_next_instant(assignment, whose),
                    release=assignment.releases.order_by("number").last(),
                    file_set=file_sets.create_file_set(lines),
                    trial=not for_another and role != Role.STUDENT,
                    idempotency_key=key,
                )
                audit.record("submit", by=by, role=role, course=course, target=assignment.name, **_named(made))
        except IntegrityError as error:
            # The same attempt, or another one of this student, won the race at this very instant.
            if earlier := _handed_in_with(key, assignment, whose, lines):
                return earlier, False
            raise TryAgain("Another hand-in of yours arrived at the same instant. Try again.") from error
    return made, True


def _handed_in_with(
    key: str | None, assignment: Assignment, student: User, lines: Sequence[ManifestEntry]
) -> Submission | None:
    if key is None:
        return None
    known = Submission.objects.select_related("file_set", "release", "submitted_by", "student")
    earlier = known.filter(assignment=assignment, student=student, idempotency_key=key).first()
    if earlier and earlier.file_set.digest != file_sets.digest(lines):
        raise KeyReused("This idempotency key was used for other files before. Start a new attempt.")
    return earlier


def _next_instant(assignment: Assignment, student: User) -> datetime:
    """Now, or just after the student's latest attempt where the clock stood still or went back."""
    now = timezone.now()
    latest = assignment.submissions.filter(student=student).aggregate(latest=Max("created"))["latest"]
    return max(now, latest + timedelta(microseconds=1)) if latest else now


def _named(submission: Submission) -> dict[str, str | int]:
    return {"submission": submission.pk, "student": submission.student.username}


def withdraw_submissions(submissions: Sequence[Submission], *, by: Actor) -> int:
    """Put hand-ins into the bin: staff see them no more, the student keeps them. Returns how many changed."""
    return _mark(submissions, Permission.WITHDRAW_SUBMISSIONS, "withdrawn_at", "withdraw submission", by=by)


def restore_submissions(submissions: Sequence[Submission], *, by: Actor) -> int:
    """Take hand-ins out of the bin again. Returns how many changed."""
    return _mark(submissions, Permission.WITHDRAW_SUBMISSIONS, "withdrawn_at", "restore submission", by=by, undo=True)


def mark_collected(submissions: Sequence[Submission], *, by: Actor) -> int:
    """Note that these were collected; the first time counts. Returns how many changed."""
    return _mark(submissions, Permission.SEE_SUBMISSIONS, "collected_at", "collect", by=by)


def _mark(
    submissions: Sequence[Submission], right: Permission, column: str, action: str, *, by: Actor, undo: bool = False
) -> int:
    courses = {submission.assignment.course for submission in submissions}
    role = {course: by.require(right, course) for course in courses}
    by_assignment: dict[Assignment, list[Submission]] = {}
    for submission in submissions:
        by_assignment.setdefault(submission.assignment, []).append(submission)
    changed = 0
    with transaction.atomic():
        for assignment, group in by_assignment.items():
            rows = Submission.objects.select_for_update().filter(pk__in=[submission.pk for submission in group])
            affected = list(rows.filter(**{f"{column}__isnull": not undo}).values_list("pk", flat=True))
            if not affected:
                continue
            Submission.objects.filter(pk__in=affected).update(**{column: None if undo else timezone.now()})
            course = assignment.course
            audit.record(action, by=by, role=role[course], course=course, target=assignment.name, submissions=affected)
            changed += len(affected)
    return changed


# Feedback


@dataclass(frozen=True)
class FeedbackItem:
    """Feedback for one submission: named by its id, or by its student and its instant."""

    lines: list[ManifestEntry]
    submission: int | None = None
    student: str | None = None
    timestamp: datetime | None = None


def find_submission(assignment: Assignment, item: FeedbackItem) -> Submission:
    """The submission that `item` names. An instant without its fraction of a second finds the only one of that second.

    Errors: NotFound.
    """
    known = assignment.submissions.select_related("student", "assignment__course")
    if item.submission is not None:
        found = list(known.filter(pk=item.submission))
    else:
        theirs = known.filter(student__username=item.student)
        found = list(theirs.filter(created=item.timestamp)) if item.timestamp else []
        if not found and item.timestamp and not item.timestamp.microsecond:
            within = (item.timestamp, item.timestamp + timedelta(seconds=1) - timedelta(microseconds=1))
            found = list(theirs.filter(created__range=within)[:2])
    if len(found) != 1:
        whose = (
            f"of {item.student} at {item.timestamp:%Y-%m-%d %H:%M:%S.%f}" if item.timestamp else f"{item.submission}"
        )
        raise NotFound(f"There is no submission {whose} for {assignment.name}.")
    return found[0]


def return_feedback(
    assignment: Assignment, items: Sequence[FeedbackItem], upload: Upload, *, by: Actor
) -> tuple[list[Feedback], list[tuple[FeedbackItem, DomainError]]]:
    """Give feedback on many submissions at once. One that cannot be placed does not stop the others.

    A later return replaces what the student sees; earlier ones are kept. Returns what was given back, and what was
    refused with the reason. Errors: those of file_sets.store_upload.
    """
    course = assignment.course
    role = by.require(Permission.RETURN_FEEDBACK, course)
    placed: list[tuple[Submission, FeedbackItem]] = []
    refused: list[tuple[FeedbackItem, DomainError]] = []
    for item in items:
        try:
            placed.append((find_submission(assignment, item), item))
        except NotFound as error:
            refused.append((item, error))
    with file_sets.store_upload(upload, by=by), transaction.atomic():
        now = timezone.now()
        given = [
            Feedback(
                submission=submission, file_set=file_sets.create_file_set(item.lines), returned_by=by.user, created=now
            )
            for submission, item in placed
        ]
        Feedback.objects.bulk_create(given)
        if given:
            ids = [submission.pk for submission, _ in placed]
            audit.record("return feedback", by=by, role=role, course=course, target=assignment.name, submissions=ids)
    return given, refused


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
        return trash.delete_row(
            locked or submission,
            is_in_trash=locked is not None and locked.withdrawn_at is not None,
            by=by,
            role=role,
            course=submission.assignment.course,
            target=f"{submission.assignment}, {submission.created:%Y-%m-%d %H:%M:%S.%f} UTC",
            student=submission.student.username,
        )
