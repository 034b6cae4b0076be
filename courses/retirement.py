"""Retiring courses that nobody uses any more, in steps: announced, then in the trash, then deleted.

The audit log says where a course stands. It is in use while people leave entries there; an announcement is an entry of
the server, and whatever a person does after it takes it back. Nothing of this happens unless an operator runs
`retire_courses`.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from django.db import transaction
from django.db.models import F, Max, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from courses import audit, services
from courses.models import AuditEntry, Course
from courses.permissions import Actor, Permission

ANNOUNCEMENT = "announce retirement"


class Step(StrEnum):
    """What happens to a course next; the value completes the sentence “… is …”."""

    ANNOUNCE = "announced to be retired"
    TRASH = "moved to the trash"
    DELETE = "deleted permanently"


@dataclass(frozen=True)
class Ages:
    """How long after what: the last use, the announcement, the move to the trash. None is never."""

    unused: timedelta
    grace: timedelta
    in_trash: timedelta | None = None


def next_steps(ages: Ages, *, of: Course | None = None) -> Iterator[tuple[Course, Step]]:
    """Yield the courses for which something is due, with that; or `of` this course alone."""
    now = timezone.now()
    courses = Course.objects.order_by("name", "pk")
    rows: QuerySet[Any] = _with_times(courses if of is None else courses.filter(pk=of.pk))
    for course in rows:
        is_announced = course.announced is not None and course.announced > course.last_use
        if course.removed_at is not None:
            if is_announced and ages.in_trash is not None and course.removed_at < now - ages.in_trash:
                yield course, Step.DELETE
        elif not is_announced and course.last_use < now - ages.unused:
            yield course, Step.ANNOUNCE
        elif is_announced and course.announced < now - ages.grace:
            yield course, Step.TRASH


def take_step(course: Course, step: Step, ages: Ages, *, by: Actor) -> bool:
    """Do what was due, unless somebody has used, kept or restored the course since. Return whether it was done.

    Errors: PermissionDenied.
    """
    if (course, step) not in next_steps(ages, of=course):
        return False
    if step == Step.TRASH:
        services.trash_course(course, by=by)
    elif step == Step.DELETE:
        services.delete_course_permanently(course, by=by)
    else:
        role = by.require_administrator()
        audit.record(ANNOUNCEMENT, by=by, role=role, about=course, course=course, target=course.name)
    return True


def keep_course(course: Course, *, by: Actor) -> None:
    """Take an announcement back: the course counts as used today. Errors: PermissionDenied."""
    role = by.require(Permission.CHANGE_ROSTER, course)
    with transaction.atomic():
        if announced([course.pk]):
            audit.record("keep course", by=by, role=role, about=course, course=course, target=course.name)


def announced(courses: Iterable[int]) -> dict[int, datetime]:
    """Return which of these courses, given by their ids, will be retired, and since when that is announced."""
    # Few courses ever have an announcement: only of those is the whole log read.
    entries = AuditEntry.objects.filter(actor="", action=ANNOUNCEMENT, course_id__in=list(courses)).order_by()
    rows: QuerySet[Any] = _with_times(
        Course.objects.present().filter(pk__in=set(entries.values_list("course_id", flat=True)))
    )
    return {course.pk: course.announced for course in rows.filter(announced__gt=F("last_use"))}


def _with_times(rows: QuerySet[Course]) -> QuerySet[Course]:
    """Add when a person last did something in the course, and when its retirement was last announced."""
    last_use = Coalesce(_last(~Q(actor="")), F("created"))
    return rows.annotate(last_use=last_use, announced=_last(Q(actor="", action=ANNOUNCEMENT)))


def _last(condition: Q) -> Subquery:
    entries = AuditEntry.objects.filter(condition, course_id=OuterRef("pk")).order_by()
    return Subquery(entries.values("course_id").annotate(last=Max("at")).values("last"))
