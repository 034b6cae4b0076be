"""What the lists show: querysets that bring everything their rows need, in a constant number of queries.

Reading is not an act: nothing here changes anything. Rights still come from permissions.py.
"""

from typing import Any

from django.db.models import BooleanField, Case, Count, F, Prefetch, Q, QuerySet, Value, When, Window
from django.db.models.functions import RowNumber

from courses.permissions import Actor, Permission
from exchange.models import Assignment, Feedback, FileEntry, Release, Submission

NOTEBOOKS = FileEntry.objects.filter(path__endswith=".ipynb").exclude(path__contains="/").order_by("path")


def assignments(actor: Actor, *, status: str = "released") -> QuerySet[Assignment]:
    """Those of the user's courses; withdrawn ones only where the user is staff.

    Rows bring their latest release with its notebooks (`latest`), and how often the user handed in (`my_submissions`).
    """
    rows = Assignment.objects.filter(course__in=actor.visible_courses().values("pk"))
    if status == "released":
        rows = rows.released()
    else:
        rows = rows.filter(
            Q(withdrawn_at=None) | Q(course__in=actor.courses_where(Permission.SEE_SUBMISSIONS).values("pk"))
        )
        rows = rows.exclude(withdrawn_at=None) if status == "withdrawn" else rows
    return with_latest_release(rows).annotate(
        my_submissions=Count("submissions", filter=Q(submissions__student=actor.user))
    )


def with_latest_release(rows: QuerySet[Assignment]) -> QuerySet[Assignment]:
    ranked = Release.objects.annotate(
        newness=Window(RowNumber(), partition_by=[F("assignment")], order_by=[F("number").desc()])
    )
    latest = Release.objects.filter(pk__in=ranked.filter(newness=1).values("pk")).select_related("file_set")
    notebooks = Prefetch("file_set__entries", queryset=NOTEBOOKS, to_attr="notebooks")
    return rows.select_related("course").prefetch_related(
        Prefetch("releases", queryset=latest.prefetch_related(notebooks), to_attr="latest")
    )


def submissions(
    actor: Actor, *, mine: bool = False, withdrawn: bool = False, trials: bool = False
) -> QuerySet[Submission]:
    """The user's own, also of courses they have left; and everybody's where the user sees everybody's work."""
    own = Q(student=actor.user, assignment__course__removed_at=None)
    if mine:
        return Submission.objects.filter(own)
    staffed = Q(assignment__course__in=actor.courses_where(Permission.SEE_SUBMISSIONS).values("pk"))
    others = staffed
    if not withdrawn:
        others &= Q(withdrawn_at=None)
    if not trials:
        others &= Q(trial=False)
    return Submission.objects.filter(own & ~staffed | others)


def latest_attempts(rows: QuerySet[Submission], *, before_due: bool = False) -> QuerySet[Submission]:
    """The newest of each student and assignment; with `before_due` the newest that is not late, else the newest."""
    late = Case(
        When(assignment__due__isnull=False, created__gt=F("assignment__due"), then=Value(True)),
        default=Value(False),
        output_field=BooleanField(),
    )
    order: list[Any] = [late.asc()] if before_due else []
    ranked = rows.annotate(
        place=Window(
            RowNumber(),
            partition_by=[F("assignment"), F("student")],
            order_by=[*order, F("created").desc(), F("id").desc()],
        )
    )
    return Submission.objects.filter(pk__in=ranked.filter(place=1).values("pk"))


def with_details(rows: QuerySet[Submission], *, files: bool = False) -> QuerySet[Submission]:
    """Bring what a row of the list shows: names, notebooks, the current feedback's files, and `files` if asked for."""
    feedback = Feedback.objects.select_related("file_set").prefetch_related("file_set__entries__blob").order_by("-id")
    rows = rows.select_related("assignment__course", "student", "submitted_by", "release", "file_set")
    rows = rows.prefetch_related(Prefetch("feedbacks", queryset=feedback))
    if files:
        return rows.prefetch_related("file_set__entries__blob")
    return rows.prefetch_related(Prefetch("file_set__entries", queryset=NOTEBOOKS, to_attr="notebooks"))


def releases(assignment: Assignment) -> QuerySet[Release]:
    return assignment.releases.select_related("file_set", "released_by")
