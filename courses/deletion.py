"""Deleting for good: an administrator's explicit act, on what is in the bin already.

Everything that hangs on the object goes with it; the bytes go with the next sweep (`manage.py sweep_blobs`).
"""

from collections.abc import Iterable
from typing import Any

from django.db import models, router, transaction
from django.db.models.deletion import Collector

from courses import audit, roles
from courses.errors import Conflict
from courses.models import Course, User


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


def delete_for_good(one: Any, *, by: User | None) -> dict[str, int]:
    """Delete a course, assignment or submission that is in the bin, with all that hangs on it. Returns the counts.

    Errors: PermissionDenied, Conflict when it is not in the bin.
    """
    role = roles.require_administrator(by) if by else "server"
    if not is_in_bin(one):
        raise Conflict(f"{one} is not in the bin; only what is there can be deleted for good.")
    with transaction.atomic():
        counts = what_goes([one])
        course, target, pk = _course_of(one), str(one), one.pk
        one.delete()
        kind = type(one)._meta.verbose_name
        audit.record(f"delete {kind} for good", by=by, role=role, course=course, target=target, pk=pk, deleted=counts)
    return counts


def is_in_bin(one: Any) -> bool:
    """A course was removed; an assignment or a submission was withdrawn."""
    return bool(getattr(one, "removed_at", None) or getattr(one, "withdrawn_at", None))


def _course_of(one: Any) -> Course:
    if isinstance(one, Course):
        return one
    return one.course if hasattr(one, "course") else one.assignment.course
