"""What happens to people: renamed, merged, deactivated, anonymised. An administrator's acts; their work is kept.

A receipt that someone holds is verified by its number, time and content, so it stays valid through all of these.
"""

import json
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import ManyToOneRel, Max, Q, TextField
from django.db.models.functions import Cast

from courses import audit
from courses.errors import Conflict, NotFound, PermissionDenied
from courses.models import AuditEntry, Membership, User
from courses.permissions import Actor
from courses.services import NAME_FIELDS, RANK, check_name

FROM_NAME = {"rename user": "was", "merge users": "gone"}  # acts by which one name becomes another: where that stands


def find(username: str) -> User:
    """Errors: NotFound, Invalid for what is nobody's name."""
    user = User.objects.filter(username=check_name(username)).first()
    if user is None:
        raise NotFound(f"Nobody is called {username}.")
    return user


def rename(user: User, new: str, *, by: Actor) -> None:
    """Follow a new name on the Hub. Errors: Invalid, Conflict when somebody has that name."""
    role = by.require_administrator()
    _require_another(user, by)
    old = user.username
    if check_name(new) == old:
        raise Conflict(f"{old} is their name already.")
    try:
        with transaction.atomic():
            User.objects.filter(pk=user.pk).update(username=new)
            audit.record("rename user", by=by, role=role, target=new, was=old)
    except IntegrityError as error:
        raise Conflict(
            f"There is somebody called {new} already. If both are the same person, merge {old} into {new}."
        ) from error
    user.username = new


def set_active(user: User, active: bool, *, by: Actor) -> None:
    """Whoever is not active is refused everywhere, in an open session too; work and memberships stay."""
    role = by.require_administrator()
    _require_another(user, by)
    with transaction.atomic():
        if User.objects.filter(pk=user.pk).exclude(is_active=active).update(is_active=active):
            action = "activate user" if active else "deactivate user"
            audit.record(action, by=by, role=role, target=user.username)
    user.is_active = active


def merge(gone: User, kept: User, *, by: Actor) -> dict[str, int]:
    """Both are one person: whatever is `gone`'s becomes `kept`'s, and `gone` is deleted.

    Where both are members of a course the higher role counts, and names that `kept` lacks are taken over. Returns how
    many of what moved. Errors: Conflict when they are the same, or handed in at the very same instant; NotFound when
    one of them is gone by now.
    """
    role = by.require_administrator()
    _require_another(gone, by)
    if gone.pk == kept.pk:
        raise Conflict("These are the same account.")
    try:
        with transaction.atomic():
            # The rows are held, so that nothing new comes to be `gone`'s while it goes.
            held = User.objects.select_for_update().filter(pk__in=[gone.pk, kept.pk]).order_by("pk")
            if len(groups := dict(held.values_list("pk", "hub_groups"))) < 2:
                raise NotFound("One of the two accounts is not there any more.")
            kept.hub_groups = sorted({*groups[gone.pk], *groups[kept.pk]})  # joined once for each, as groups.py has it
            kept.save(update_fields=["hub_groups"])
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


def anonymise(user: User, *, by: Actor, log_too: bool = False) -> str:
    """Forget who someone is; returns the name that stands for them from now on.

    Their name becomes a number, they leave every roster and with them go first and last names, emails and sections;
    they cannot log in as this account again. What they handed in stays with its times and files, and is not looked
    into. The audit log goes on naming them, unless `log_too`: then the number takes the name's place there as well.
    """
    role = by.require_administrator()
    _require_another(user, by)
    old, new = user.username, _number(user)
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


def _number(user: User) -> str:
    """A name that says nothing and that nobody else has."""
    number = f"anonymous-{user.pk}"
    while User.objects.filter(username=number).exclude(pk=user.pk).exists():
        number += "-"
    return number


def _forget_in_log(name: str, new: str) -> None:
    for old, last in _names_in_log(name).items():
        text = Cast("details", TextField())
        written = (old, json.dumps(old)[1:-1], json.dumps(old, ensure_ascii=False)[1:-1])  # as each database has JSON
        inside = Q()
        for form in written:
            inside |= Q(text__contains=form)
        entries = AuditEntry.objects.filter(pk__lte=last).annotate(text=text)
        for entry in entries.filter(Q(actor=old) | Q(target=old) | inside).iterator():
            entry.actor = new if entry.actor == old else entry.actor
            entry.target = new if entry.target == old else entry.target
            entry.details = _replaced(entry.details, old, new)
            entry.save(update_fields=["actor", "target", "details"])


def _names_in_log(name: str) -> dict[str, int]:
    """What someone is and was called, and the accounts that were merged into theirs: {name: its last entry's id}.

    After that entry the name may be somebody else's.
    """
    found: dict[str, int] = {}
    newest = AuditEntry.objects.aggregate(newest=Max("pk"))["newest"] or 0
    ahead = [(name, newest)]
    while ahead:
        name, last = ahead.pop()
        if found.get(name, -1) >= last:
            continue
        found[name] = last
        renamings = AuditEntry.objects.filter(action__in=FROM_NAME, target=name, pk__lte=last)
        ahead += [(entry.details[FROM_NAME[entry.action]], entry.pk) for entry in renamings]
    return found


def _replaced(value: Any, old: str, new: str) -> Any:
    if isinstance(value, dict):
        return {_replaced(key, old, new): _replaced(inner, old, new) for key, inner in value.items()}
    if isinstance(value, list):
        return [_replaced(inner, old, new) for inner in value]
    return new if value == old else value


def _require_another(user: User, by: Actor) -> None:
    if by.user is not None and by.user.pk == user.pk:
        raise PermissionDenied("This is your own account; another administrator must do it.")
