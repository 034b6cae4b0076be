"""Service functions for many memberships at once, for the actions of a list: a few statements, whatever the number."""

from collections.abc import Iterator, Sequence

from django.db import transaction
from django.utils.translation import gettext as _

from courses import audit
from courses.errors import Invalid
from courses.models import Course, Membership, Role
from courses.permissions import Actor
from courses.services import BATCH_SIZE


def change_roles(memberships: Sequence[Membership], given: str, *, by: Actor) -> int:
    """Give all members one role, which may be a lower one. Return how many changed.

    All or nothing. Errors: Invalid, PermissionDenied.
    """
    if given not in Role.values:
        raise Invalid(_("%(role)r is not a role.") % {"role": given[:80]})
    with transaction.atomic():
        changed = [membership for membership in _lock_members(memberships) if membership.role != given]
        for course, role, members in _group_by_course(changed, given, by=by):
            for pks in _batches(members):
                Membership.objects.filter(pk__in=pks).update(role=given)
            was = {membership.user.username: str(membership.role) for membership in members}
            details = {"given": given, "was": was}
            audit.record("change roles", by=by, role=role, about=course, course=course, target=course.name, **details)
    return len(changed)


def remove_members(memberships: Sequence[Membership], *, by: Actor) -> int:
    """Remove all members from their rosters; their submissions stay. Return how many.

    All or nothing. Errors: PermissionDenied.
    """
    with transaction.atomic():
        existing = _lock_members(memberships)
        for course, role, members in _group_by_course(existing, None, by=by):
            for pks in _batches(members):
                Membership.objects.filter(pk__in=pks).delete()
            was = {membership.user.username: str(membership.role) for membership in members}
            audit.record("remove members", by=by, role=role, about=course, course=course, target=course.name, was=was)
    return len(existing)


def require_may_remove(memberships: Sequence[Membership], *, by: Actor) -> None:
    """Errors: PermissionDenied, as remove_members would raise it."""
    _group_by_course(memberships, None, by=by)


def _lock_members(memberships: Sequence[Membership]) -> list[Membership]:
    """Lock the members that still exist, and return them with the roles that they have now."""
    found: list[Membership] = []
    for pks in _batches(memberships):
        rows = Membership.objects.select_for_update(of=("self",)).select_related("user", "course")
        found += rows.filter(pk__in=pks).order_by("pk")
    return found


def _group_by_course(
    memberships: Sequence[Membership], given: str | None, *, by: Actor
) -> list[tuple[Course, str, list[Membership]]]:
    """(course, the role under which the actor may, its memberships).

    Errors: PermissionDenied, before anything is done.
    """
    groups: dict[Course, list[Membership]] = {}
    for membership in memberships:
        groups.setdefault(membership.course, []).append(membership)
    return [
        (course, by.require_may_assign({given, *(membership.role for membership in members)}, course), members)
        for course, members in groups.items()
    ]


def _batches(memberships: Sequence[Membership]) -> Iterator[list[int]]:
    pks = [membership.pk for membership in memberships]
    for start in range(0, len(pks), BATCH_SIZE):
        yield pks[start : start + BATCH_SIZE]
