"""Verbs on many memberships at once, as the actions of a list need them: a few statements, whatever the number."""

from collections.abc import Iterator, Sequence

from django.db import transaction

from courses import audit
from courses.errors import Invalid
from courses.models import Course, Membership, Role
from courses.permissions import Actor
from courses.services import AT_ONCE


def change_roles(memberships: Sequence[Membership], given: str, *, by: Actor) -> int:
    """Give all of them one role; this may also take rights away. Returns how many changed.

    All or nothing. Errors: Invalid, PermissionDenied.
    """
    if given not in Role.values:
        raise Invalid(f"{given[:80]!r} is no role.")
    with transaction.atomic():
        changed = [one for one in _held(memberships) if one.role != given]
        for course, role, some in _by_course(changed, given, by=by):
            for pks in _portions(some):
                Membership.objects.filter(pk__in=pks).update(role=given)
            was = {one.user.username: str(one.role) for one in some}
            audit.record("change roles", by=by, role=role, course=course, target=course.name, given=given, was=was)
    return len(changed)


def remove_members(memberships: Sequence[Membership], *, by: Actor) -> int:
    """Take all of them off their rosters; their work stays. Returns how many.

    All or nothing. Errors: PermissionDenied.
    """
    with transaction.atomic():
        there = _held(memberships)
        for course, role, some in _by_course(there, None, by=by):
            for pks in _portions(some):
                Membership.objects.filter(pk__in=pks).delete()
            was = {one.user.username: str(one.role) for one in some}
            audit.record("remove members", by=by, role=role, course=course, target=course.name, was=was)
    return len(there)


def require_may_remove(memberships: Sequence[Membership], *, by: Actor) -> None:
    """Errors: PermissionDenied, as remove_members would raise it."""
    _by_course(memberships, None, by=by)


def _held(memberships: Sequence[Membership]) -> list[Membership]:
    """Those that are still there, as they are now, until the transaction ends: whoever was listed as a student may be
    an instructor by now."""
    found: list[Membership] = []
    for pks in _portions(memberships):
        rows = Membership.objects.select_for_update(of=("self",)).select_related("user", "course")
        found += rows.filter(pk__in=pks).order_by("pk")
    return found


def _by_course(
    memberships: Sequence[Membership], given: str | None, *, by: Actor
) -> list[tuple[Course, str, list[Membership]]]:
    """(course, the role under which the actor may, its memberships).

    Errors: PermissionDenied, before anything is done.
    """
    groups: dict[Course, list[Membership]] = {}
    for one in memberships:
        groups.setdefault(one.course, []).append(one)
    return [
        (course, by.require_may_assign({given, *(one.role for one in some)}, course), some)
        for course, some in groups.items()
    ]


def _portions(memberships: Sequence[Membership]) -> Iterator[list[int]]:
    pks = [one.pk for one in memberships]
    for start in range(0, len(pks), AT_ONCE):
        yield pks[start : start + AT_ONCE]
