"""Querysets of what an actor may see, with everything that the rows of a list need, in a constant number of queries."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from django.db.models import Case, Count, Exists, F, OuterRef, Q, QuerySet, Subquery, Value, When, Window
from django.db.models.functions import Coalesce, RowNumber
from django.utils import timezone

from courses.models import Role
from courses.permissions import Actor, Permission
from courses.prepared import Parameter, prepared
from exchange import deadlines, states
from exchange.deadlines import Deadline
from exchange.models import (
    Assignment,
    Extension,
    Feedback,
    FileEntry,
    FileSet,
    Release,
    Submission,
    shown_at,
)
from exchange.storage.manifests import ManifestEntry


def visible_assignments(actor: Actor) -> QuerySet[Assignment]:
    """Return the assignments of the actor's courses; where the actor is staff, also those that students do not see."""
    if actor.may_everything:
        return Assignment.objects.filter(course__removed_at=None)
    return _visible(**_courses_of(actor))


def released_keys(actor: Actor) -> list[dict[str, int]]:
    """Return the primary keys, as rows, of those `visible_assignments` that are released, sorted.

    Not for administrators. The query is built once.
    """
    return _released.rows(**_courses_of(actor))


def _courses_of(actor: Actor) -> dict[str, Any]:
    staffed = actor.courses_with(Permission.SEE_SUBMISSIONS)
    return {"courses": actor.courses_with(Permission.SEE_COURSE), "staffed": staffed, "now": timezone.now()}


def _visible(courses: list[Any], staffed: list[Any], now: Any) -> QuerySet[Assignment]:
    return Assignment.objects.filter(shown_at(now) | Q(course__pk__in=staffed), course__pk__in=courses)


@prepared
def _released(courses: list[Any], staffed: list[Any], now: Parameter) -> QuerySet[Assignment, dict[str, int]]:
    rows = with_status(_visible(courses, staffed, now), "released")
    return rows.order_by("pk").values("pk")  # type: ignore[return-value]  # a TypedDict


def with_status(rows: QuerySet[Assignment], status: str) -> QuerySet[Assignment]:
    """Return those of the rows that are "released" or "withdrawn", or "all"."""
    if status == "all":
        return rows
    return rows.filter(withdrawn_at__isnull=status == "released")


def load_assignments(pks: list[int], actor: Actor) -> list[Assignment]:
    """Return assignments, sorted by id, with what a row of a list shows, in two queries; more for deadlines.

    With their course, their latest release, its notebooks, how often the actor submitted (`my_submissions`), and the
    `deadline` and `attempts_left` of the actor.
    """
    student = actor.user.pk if actor.user else None
    assignments = _assignments.rows(pks=pks, student=student)
    _load_deadlines(assignments, actor)
    load_notebooks(row.latest_release.file_set for row in assignments if row.latest_release)
    return assignments


@prepared
def _assignments(pks: list[Any], student: Parameter) -> QuerySet[Assignment]:
    own = Submission.objects.filter(assignment=OuterRef("pk"), student=student).order_by()
    # Not a join: it would read everybody's.
    count = own.values("assignment").annotate(count=Count("pk")).values("count")
    rows = Assignment.objects.filter(pk__in=pks).select_related("course", "latest_release__file_set")
    extended = Exists(Extension.objects.filter(assignment=OuterRef("pk")))
    return rows.annotate(my_submissions=Coalesce(Subquery(count), 0), is_extended=extended).order_by("pk")


def _load_deadlines(assignments: list[Assignment], actor: Actor) -> None:
    """Add what is in force for the actor. It takes no query but for extensions, the course's rule, and limits.

    Staff who try an assignment are held by no cut-off and no limit.
    """
    student = actor.user.pk if actor.user else None
    special = [row for row in assignments if row.is_extended or row.course.min_days is not None]  # type: ignore[attr-defined]
    changed = deadlines.of_person(special, student) if special else {}
    limited = [row.pk for row in assignments if row.max_attempts is not None]
    attempts = dict(_attempts.rows(pks=limited, student=student)) if limited else {}
    for row in assignments:
        deadline = changed.get(row.pk) or Deadline(row.due, row.cut_off, row.max_attempts)
        if actor.roles.get(row.course_id) != Role.STUDENT:
            deadline = replace(deadline, cut_off=None, max_attempts=None)
        row.deadline = deadline  # type: ignore[attr-defined]
        row.attempts_left = deadline.attempts_left(attempts.get(row.pk, 0))  # type: ignore[attr-defined]


@prepared
def _attempts(pks: list[Any], student: Parameter) -> QuerySet[Submission, tuple[int, int]]:
    rows = Submission.objects.filter(assignment__pk__in=pks, student=student, withdrawn_at=None, trial=False)
    return rows.order_by().values("assignment").annotate(count=Count("pk")).values_list("assignment", "count")


def visible_releases(actor: Actor) -> QuerySet[Release]:
    """Return the releases that the actor may read: students the latest of what they see, staff all of their courses."""
    present = Q(assignment__course__removed_at=None)
    if actor.may_everything:
        return Release.objects.filter(present)
    courses, staffed = actor.courses_with(Permission.SEE_COURSE), actor.courses_with(Permission.SEE_SUBMISSIONS)
    latest = Q(pk=F("assignment__latest_release"), assignment__course__in=courses)
    shown = shown_at(timezone.now(), "assignment__")
    return Release.objects.filter(present & (Q(assignment__course__in=staffed) | latest & shown))


def own_submissions(actor: Actor) -> QuerySet[Submission]:
    """Return everything that the actor ever submitted, also in courses that they left or that are in the trash."""
    return Submission.objects.filter(student=actor.user)


def visible_submissions(actor: Actor, *, removed: bool = False) -> QuerySet[Submission]:
    """Return the actor's own submissions, also of courses they have left, and everybody's where they are staff.

    `removed` adds the actor's own of courses in the trash.
    """
    if removed:
        present = Q(assignment__course__removed_at=None)
        staffed = present if actor.may_everything else present & _of_own_courses(actor)
        return Submission.objects.filter(Q(student=actor.user) | staffed)
    # That the course is not in the trash stands by itself: the index of names is of these courses alone.
    rows = Submission.objects.filter(assignment__course__removed_at=None)
    return rows if actor.may_everything else rows.filter(Q(student=actor.user) | _of_own_courses(actor))


def narrow_submissions(
    rows: QuerySet[Submission], actor: Actor, *, mine: bool = False, withdrawn: bool = False, trials: bool = False
) -> QuerySet[Submission]:
    """Return those of the visible rows that a list shows.

    `mine` leaves all of the actor's own. Otherwise staff see withdrawn submissions and trials only when they ask.
    """
    if mine:
        return rows.filter(student=actor.user)
    shown = Q()
    if not withdrawn:
        shown &= Q(withdrawn_at=None)
    if not trials:
        shown &= Q(trial=False)
    return rows.filter(shown if actor.may_everything else ~_of_own_courses(actor) | shown) if shown else rows


def submissions(
    actor: Actor, *, mine: bool = False, withdrawn: bool = False, trials: bool = False
) -> QuerySet[Submission]:
    """Return the visible submissions that a list shows."""
    return narrow_submissions(visible_submissions(actor), actor, mine=mine, withdrawn=withdrawn, trials=trials)


def _of_own_courses(actor: Actor) -> Q:
    """Return the condition for submissions of the courses in which the actor is staff."""
    return Q(assignment__course__in=actor.courses_with(Permission.SEE_SUBMISSIONS))


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


def file_counts(pks: list[int]) -> dict[int, int]:
    """Return how many files each of the submissions has, together with the current feedback."""
    return {row["pk"]: row["file_count"] + (row["feedback_file_count"] or 0) for row in _file_counts.rows(pks=pks)}


@prepared
def _file_counts(pks: list[Any]) -> QuerySet[Submission, dict[str, Any]]:
    feedback = Feedback.objects.filter(submission=OuterRef("pk")).order_by("-id").values("file_set__file_count")
    rows = Submission.objects.filter(pk__in=pks).order_by()
    rows = rows.annotate(file_count=F("file_set__file_count"), feedback_file_count=Subquery(feedback[:1]))
    return rows.values("pk", "file_count", "feedback_file_count")  # type: ignore[return-value]  # a TypedDict


# What a row of a list shows of a submission itself and of what each has of its own.
DETAILS = (
    *("assignment", "release", "created", "trial", "collected_at", "withdrawn_at"),
    *("student__username", "submitted_by__username", "file_set__digest", "file_set__size", "file_set__file_count"),
)


def load_details(pks: list[int], *, files: bool) -> list[Submission]:
    """Return submissions, sorted by id, with what a row of a list shows, in a constant number of queries.

    With names, the current feedback with its files, and the notebooks or, if wanted, all `files`.
    """
    submissions = _submissions.rows(pks=pks)
    _share("assignment", submissions, _assignments_with_course)
    _share("release", submissions, _releases)
    newest = {feedback.submission_id: feedback for feedback in _feedback.rows(pks=pks)}
    for submission in submissions:
        submission.newest_feedback = newest.get(submission.pk)  # type: ignore[attr-defined]
    file_sets = [submission.file_set for submission in submissions]
    if files:
        load_files(file_sets)
    else:
        load_notebooks(file_sets)
    load_files(feedback.file_set for feedback in newest.values())
    return submissions


@prepared
def _submissions(pks: list[Any]) -> QuerySet[Submission]:
    rows = Submission.objects.filter(pk__in=pks).order_by("pk").only(*DETAILS)
    return rows.select_related("student", "submitted_by", "file_set").annotate(
        late=deadlines.LATE, repeated=states.REPEATED
    )


@prepared
def _assignments_with_course(pks: list[Any]) -> QuerySet[Assignment]:
    return Assignment.objects.filter(pk__in=pks).select_related("course").order_by()


@prepared
def _releases(pks: list[Any]) -> QuerySet[Release]:
    return Release.objects.filter(pk__in=pks).only("number").order_by()


@prepared
def _feedback(pks: list[Any]) -> QuerySet[Feedback]:
    rows = Feedback.objects.filter(submission__pk__in=pks).order_by("pk").select_related("file_set")
    return rows.only("created", "submission", "file_set__digest")


def _share(name: str, submissions: list[Submission], query: "prepared[Any]") -> None:
    """Set what many of the submissions refer to. It is made once."""
    keys = [getattr(submission, f"{name}_id") for submission in submissions]
    found = {one.pk: one for one in query.rows(pks=list(set(keys) - {None}))}
    for submission, key in zip(submissions, keys, strict=True):
        setattr(submission, name, found.get(key))


def current_feedback(submission: Submission) -> Feedback | None:
    """Return the newest feedback on a row of `load_details`."""
    feedback: Feedback | None = submission.newest_feedback  # type: ignore[attr-defined]
    return feedback


# Files, as plain values: a list may have ten thousand


def load_files(file_sets: Iterable[FileSet]) -> None:
    """Add `files` to file sets: ManifestEntry, in their order. One query."""
    found = _add_lists("files", file_sets)
    for pk, path, sha256, size in _files.rows(file_sets=list(found)):
        found[pk].append(ManifestEntry(path, sha256, size))


@prepared
def _files(file_sets: list[Any]) -> QuerySet[FileEntry, tuple[int, str, str, int]]:
    rows = FileEntry.objects.filter(file_set__pk__in=file_sets).order_by("position")
    return rows.values_list("file_set_id", "path", "blob__sha256", "blob__size")


def load_notebooks(file_sets: Iterable[FileSet]) -> None:
    """Add `notebooks` to file sets: the paths of those at the top, sorted. One query."""
    found = _add_lists("notebooks", file_sets)
    for pk, path in sorted(_notebooks.rows(file_sets=list(found))):
        found[pk].append(path)


@prepared
def _notebooks(file_sets: list[Any]) -> QuerySet[FileEntry, tuple[int, str]]:
    rows = FileEntry.objects.filter(file_set__pk__in=file_sets, path__endswith=".ipynb").exclude(path__contains="/")
    return rows.order_by().values_list("file_set_id", "path")


def _add_lists(name: str, file_sets: Iterable[FileSet]) -> dict[int, list[Any]]:
    """Add an empty list to each file set, and return the lists by the primary key."""
    lists: dict[int, list[Any]] = {}
    for file_set in file_sets:
        setattr(file_set, name, lists.setdefault(file_set.pk, []))
    return lists


def files_of(file_set: FileSet) -> list[ManifestEntry]:
    """Return all files of a file set, without a query after load_files."""
    if not hasattr(file_set, "files"):
        load_files([file_set])
    files: list[ManifestEntry] = file_set.files  # type: ignore[attr-defined]
    return files


def notebooks_of(file_set: FileSet) -> list[str]:
    """Return the notebooks at the top of a file set, without a query after load_notebooks or load_files."""
    if hasattr(file_set, "files"):
        return sorted(file.path for file in files_of(file_set) if file.path.endswith(".ipynb") and "/" not in file.path)
    if not hasattr(file_set, "notebooks"):
        load_notebooks([file_set])
    notebooks: list[str] = file_set.notebooks  # type: ignore[attr-defined]
    return notebooks


def releases(assignment: Assignment) -> QuerySet[Release]:
    return assignment.releases.select_related("file_set", "released_by")
