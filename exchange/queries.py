"""Querysets of what an actor may see, with everything that the rows of a list need, in a constant number of queries."""

from collections.abc import Sequence

from django.db.models import Case, Count, F, Prefetch, Q, QuerySet, Value, When, Window, prefetch_related_objects
from django.db.models.functions import RowNumber

from courses.permissions import Actor, Permission
from exchange import deadlines
from exchange.models import Assignment, Feedback, FileEntry, Release, Submission
from exchange.storage import file_sets

NOTEBOOKS = FileEntry.objects.filter(path__endswith=".ipynb").exclude(path__contains="/").order_by("path")


def visible_assignments(actor: Actor) -> QuerySet[Assignment]:
    """Return the assignments of the actor's courses; unreleased ones only where the actor is staff.

    Rows bring their latest release with its notebooks (`latest`), and how often the actor submitted (`my_submissions`).
    """
    rows = Assignment.objects.filter(course__in=actor.visible_courses().values("pk"))
    rows = rows.filter(
        Q(withdrawn_at=None) | Q(course__in=actor.courses_where(Permission.SEE_SUBMISSIONS).values("pk"))
    )
    return with_latest_release(rows).annotate(
        my_submissions=Count("submissions", filter=Q(submissions__student=actor.user))
    )


def with_status(rows: QuerySet[Assignment], status: str) -> QuerySet[Assignment]:
    """Return those of the rows that are "released" or "withdrawn", or "all"."""
    if status == "all":
        return rows
    return rows.filter(withdrawn_at__isnull=status == "released")


def with_latest_release(rows: QuerySet[Assignment]) -> QuerySet[Assignment]:
    latest = Release.objects.filter(latest_of__isnull=False).select_related("file_set")
    notebooks = Prefetch("file_set__entries", queryset=NOTEBOOKS, to_attr="notebooks")
    return rows.select_related("course").prefetch_related(
        Prefetch("releases", queryset=latest.prefetch_related(notebooks), to_attr="latest")
    )


def visible_submissions(actor: Actor) -> QuerySet[Submission]:
    """Return the actor's own submissions, also of courses they have left, and everybody's where they are staff."""
    return Submission.objects.filter(_own(actor) | _seen_as_staff(actor))


def narrow_submissions(
    rows: QuerySet[Submission], actor: Actor, *, mine: bool = False, withdrawn: bool = False, trials: bool = False
) -> QuerySet[Submission]:
    """Return those of the rows that a list shows.

    `mine` leaves all of the actor's own. Otherwise staff see withdrawn submissions and trials only when they ask.
    """
    if mine:
        return rows.filter(_own(actor))
    shown = Q()
    if not withdrawn:
        shown &= Q(withdrawn_at=None)
    if not trials:
        shown &= Q(trial=False)
    return rows.filter(~_seen_as_staff(actor) | shown) if shown else rows


def submissions(
    actor: Actor, *, mine: bool = False, withdrawn: bool = False, trials: bool = False
) -> QuerySet[Submission]:
    """Return the visible submissions that a list shows."""
    return narrow_submissions(visible_submissions(actor), actor, mine=mine, withdrawn=withdrawn, trials=trials)


def _own(actor: Actor) -> Q:
    return Q(student=actor.user, assignment__course__removed_at=None)


def _seen_as_staff(actor: Actor) -> Q:
    return Q(assignment__course__in=actor.courses_where(Permission.SEE_SUBMISSIONS).values("pk"))


def latest_attempts(rows: QuerySet[Submission], *, before_due: bool = False) -> QuerySet[Submission]:
    """Return the newest of each student and assignment.

    With `before_due` it is the newest that is not late, if there is one.
    """
    late = Case(When(deadlines.LATE, then=Value(True)), default=Value(False))
    order = [late.asc()] if before_due else []
    ranked = rows.annotate(
        place=Window(
            RowNumber(),
            partition_by=[F("assignment"), F("student")],
            order_by=[*order, F("created").desc(), F("id").desc()],
        )
    )
    return Submission.objects.filter(pk__in=ranked.filter(place=1).values("pk"))


def with_details(rows: QuerySet[Submission]) -> QuerySet[Submission]:
    """Add what a row of the list shows, except for files: names and the current feedback."""
    feedback = Feedback.objects.select_related("file_set").order_by("-id")
    rows = rows.select_related("assignment__course", "student", "submitted_by", "release", "file_set")
    return rows.prefetch_related(Prefetch("feedbacks", queryset=feedback))


def current_feedback(submission: Submission) -> Feedback | None:
    """Return the newest feedback on a row of `with_details`, without a query."""
    return next(iter(submission.feedbacks.all()), None)


def load_files(submissions: Sequence[Submission], *, files: bool) -> None:
    """Add to rows of `with_details` the files of the current feedback, and the notebooks, or all `files`."""
    notebooks = Prefetch("file_set__entries", queryset=NOTEBOOKS, to_attr="notebooks")
    prefetch_related_objects(submissions, file_sets.prefetch_entries("file_set__entries") if files else notebooks)
    feedbacks = [feedback for submission in submissions if (feedback := current_feedback(submission))]
    prefetch_related_objects(feedbacks, file_sets.prefetch_entries("file_set__entries"))


def releases(assignment: Assignment) -> QuerySet[Release]:
    return assignment.releases.select_related("file_set", "released_by")
