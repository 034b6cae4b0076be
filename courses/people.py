"""What happens to people: renamed, merged, deactivated, anonymised. An administrator's acts; their work is kept.

A receipt that someone holds is verified by its number, time and content, so it stays valid through all of these.
"""

import json
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import ManyToOneRel, Q, TextField
from django.db.models.functions import Cast

from courses import audit, roles
from courses.errors import Conflict, NotThere, PermissionDenied
from courses.models import AuditEntry, Membership, User
from courses.rosters import NAME_FIELDS, RANK, check_name


def find(username: str) -> User:
    """Errors: NotThere."""
    user = User.objects.filter(username=username).first()
    if user is None:
        raise NotThere(f"Nobody is called {username}.")
    return user


def rename(user: User, new: str, *, by: User | None) -> None:
    """Follow a new name on the Hub. Errors: Invalid, Conflict when somebody has that name."""
    role = _require_administrator(by)
    old = user.username
    check_name(new)
    if User.objects.filter(username=new).exclude(pk=user.pk).exists():
        raise Conflict(f"There is somebody called {new} already. If both are the same person, merge {old} into {new}.")
    with transaction.atomic():
        user.username = new
        user.save(update_fields=["username"])
        audit.record("rename user", by=by, role=role, target=new, was=old)


def set_active(user: User, active: bool, *, by: User | None) -> None:
    """Whoever is not active is refused everywhere, in an open session too; work and memberships stay."""
    role = _require_administrator(by)
    _require_another(user, by)
    with transaction.atomic():
        if User.objects.filter(pk=user.pk).exclude(is_active=active).update(is_active=active):
            action = "activate user" if active else "deactivate user"
            audit.record(action, by=by, role=role, target=user.username)
    user.is_active = active


def merge(gone: User, kept: User, *, by: User | None) -> dict[str, int]:
    """Both are one person: whatever is `gone`'s becomes `kept`'s, and `gone` is deleted.

    Where both are members of a course the higher role counts, and names that `kept` lacks are taken over. Returns how
    many of what moved. Errors: Conflict when they are the same, or handed in at the very same instant.
    """
    role = _require_administrator(by)
    _require_another(gone, by)
    if gone.pk == kept.pk:
        raise Conflict("These are the same account.")
    try:
        with transaction.atomic():
            moved = {"members": _merge_memberships(gone, kept)}
            for relation in _relations():
                model, name = relation.related_model, relation.field.name
                count = model._base_manager.filter(**{name: gone}).update(**{name: kept})
                kind = str(model._meta.verbose_name_plural)
                moved[kind] = max(moved.get(kind, 0), count)
            gone.delete()
            moved = {kind: count for kind, count in moved.items() if count}
            audit.record("merge users", by=by, role=role, target=kept.username, gone=gone.username, moved=moved)
    except IntegrityError as error:
        raise Conflict(
            f"{gone} and {kept} both have a submission of one instant, or one that was sent with the same key. "
            "Delete one of the two for good first."
        ) from error
    return moved


def _merge_memberships(gone: User, kept: User) -> int:
    """Returns how many of `gone`'s there were."""
    theirs = {one.course_id: one for one in kept.memberships.select_for_update()}
    count = 0
    for one in gone.memberships.select_for_update():
        count += 1
        there = theirs.get(one.course_id)
        if there is None:
            Membership.objects.filter(pk=one.pk).update(user=kept)
            continue
        there.role = max(there.role, one.role, key=RANK.__getitem__)
        for name in NAME_FIELDS:
            setattr(there, name, getattr(there, name) or getattr(one, name))
        there.save(update_fields=["role", *NAME_FIELDS])
        one.delete()
    return count


def _relations() -> list[Any]:
    """Every foreign key to a user but the memberships', whichever app it belongs to."""
    found = User._meta.get_fields(include_hidden=True)
    return [one for one in found if isinstance(one, ManyToOneRel) and one.related_model is not Membership]


def anonymise(user: User, *, by: User | None, log_too: bool = False) -> str:
    """Forget who someone is; returns the name that stands for them from now on.

    Their name becomes a number, they leave every roster and with them go first and last names, emails and sections;
    they cannot log in as this account again. What they handed in stays with its times and files, and is not looked
    into. The audit log goes on naming them, unless `log_too`: then the number takes the name's place there as well.
    """
    role = _require_administrator(by)
    _require_another(user, by)
    old, new = user.username, f"anonymous-{user.pk}"
    with transaction.atomic():
        user.memberships.all().delete()
        user.username, user.is_active, user.is_hub_admin, user.last_login = new, False, False, None
        user.hub_groups = []
        user.save()
        if log_too:
            _forget_in_log(old, new)
        was = {} if log_too else {"was": old}
        audit.record("anonymise user", by=by, role=role, course=None, target=new, **was)
    return new


def _forget_in_log(old: str, new: str) -> None:
    text = Cast("details", TextField())
    written = (old, json.dumps(old)[1:-1], json.dumps(old, ensure_ascii=False)[1:-1])  # as each database writes JSON
    inside = Q()
    for form in written:
        inside |= Q(text__contains=form)
    entries = AuditEntry.objects.annotate(text=text).filter(Q(actor=old) | Q(target=old) | inside)
    for entry in entries.iterator():
        entry.actor = new if entry.actor == old else entry.actor
        entry.target = new if entry.target == old else entry.target
        entry.details = _replaced(entry.details, old, new)
        entry.save(update_fields=["actor", "target", "details"])


def _replaced(value: Any, old: str, new: str) -> Any:
    if isinstance(value, dict):
        return {_replaced(key, old, new): _replaced(inner, old, new) for key, inner in value.items()}
    if isinstance(value, list):
        return [_replaced(inner, old, new) for inner in value]
    return new if value == old else value


def _require_administrator(by: User | None) -> str:
    return roles.require_administrator(by) if by else "server"


def _require_another(user: User, by: User | None) -> None:
    if by is not None and by.pk == user.pk:
        raise PermissionDenied("This is your own account; another administrator must do it.")
