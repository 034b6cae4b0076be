"""Deleting for good: an administrator's explicit act, on what is in the bin already.

Everything that hangs on the object goes with it; the bytes go with the next sweep (`manage.py sweep_blobs`).
"""

from collections.abc import Iterable
from typing import Any

from django.db import models, router, transaction
from django.db.models.deletion import Collector

from courses import audit
from courses.errors import Conflict
from courses.models import Course
from courses.permissions import Actor


def what_goes(rows: Iterable[models.Model]) -> dict[str, int]:
    """How many of what would be deleted with these objects: {"submissions": 12, …}."""
    found = list(rows)
    if not found:
        return {}
    collector = Collector(using=router.db_for_write(type(found[0])), origin=found[0])
    collector.collect(found)
    counts = {model: len(instances) for model, instances in collector.data.items()}
    for queryset in collector.fast_deletes:
        counts[queryset.model] = counts.get(queryset.model, 0) + queryset.count()
    return {str(model._meta.verbose_name_plural): number for model, number in counts.items() if number}


def delete_permanently(one: Any, *, by: Actor) -> dict[str, int]:
    """Delete a course, assignment or submission that is in the bin, with all that hangs on it. Returns the counts.

    Errors: PermissionDenied, Conflict when it is not in the bin.
    """
    role = by.require_administrator()
    with transaction.atomic():
        held = type(one)._base_manager.select_for_update(of=("self",)).filter(pk=one.pk).first()
        if held is None or not is_in_trash(held):
            raise Conflict(f"{one} is not in the bin; only what is there can be deleted for good.")
        counts = what_goes([held])
        course, kind, told = _course_of(one), type(one)._meta.verbose_name, _told(one)
        held.delete()
        audit.record(f"delete {kind} for good", by=by, role=role, course=course, pk=one.pk, deleted=counts, **told)
    return counts


def _told(one: Any) -> dict[str, str]:
    """How the log names it. Whose it is stands by itself, so that it can be anonymised."""
    if not hasattr(one, "student"):
        return {"target": str(one)}
    instant = f"{one.assignment}, {one.created:%Y-%m-%d %H:%M:%S.%f} UTC"
    return {"target": instant, "student": one.student.username}


def is_in_trash(one: Any) -> bool:
    """A course was removed; an assignment or a submission was withdrawn."""
    return bool(getattr(one, "removed_at", None) or getattr(one, "withdrawn_at", None))


def _course_of(one: Any) -> Course:
    if isinstance(one, Course):
        return one
    return one.course if hasattr(one, "course") else one.assignment.course
