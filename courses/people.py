"""Service functions for people: rename, merge, deactivate, anonymise. For administrators; all submissions are kept.

A receipt is verified by its short code, time and content, so it stays valid through all of these. A submission keeps
the receipt that names its student as it was, unless the student is anonymised.
"""

import json
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import ManyToOneRel, Max, Q, TextField
from django.db.models.functions import Cast
from django.utils import translation
from django.utils.translation import gettext as _

from courses import audit
from courses.errors import Conflict, NotFound, PermissionDenied
from courses.models import AuditEntry, Membership, User
from courses.permissions import SERVER, SERVER_ROLE, Actor
from courses.services import NAME_FIELDS, RANK, check_name

# Actions that give an account another name, and the detail that holds the old one
FROM_NAME = {"rename user": "was", "merge users": "gone"}


def find(username: str) -> User:
    """Return the user of this name. Errors: NotFound, Invalid if nobody can have the name."""
    user = User.objects.filter(username=check_name(username)).first()
    if user is None:
        raise NotFound(_("Nobody is called %(user)s.") % {"user": username})
    return user


def rename(user: User, new: str, *, by: Actor) -> None:
    """Rename the user, after the Hub did. Errors: Invalid, Conflict when somebody has that name."""
    role = by.require_administrator()
    _require_other(user, by)
    old = user.username
    if check_name(new) == old:
        raise Conflict(_("%(user)s is their name already.") % {"user": old})
    try:
        with transaction.atomic():
            User.objects.filter(pk=user.pk).update(username=new)
            audit.record("rename user", by=by, role=role, about=user, target=new, was=old)
    except IntegrityError as error:
        text = _("There is somebody called %(new)s already. If both are the same person, merge %(old)s into %(new)s.")
        raise Conflict(text % {"new": new, "old": old}) from error
    user.username = new


def set_active(user: User, active: bool, *, by: Actor) -> None:
    """Activate or deactivate a user. An inactive user is refused everywhere, even in an open session."""
    role = by.require_administrator()
    _require_other(user, by)
    with transaction.atomic():
        if User.objects.filter(pk=user.pk).exclude(is_active=active).update(is_active=active):
            action = "activate user" if active else "deactivate user"
            audit.record(action, by=by, role=role, about=user, target=user.username)
    user.is_active = active


def set_hub_admin(user: User, is_hub_admin: bool) -> None:
    """Take over from the Hub whether the user administers it."""
    with transaction.atomic():
        if User.objects.filter(pk=user.pk).exclude(is_hub_admin=is_hub_admin).update(is_hub_admin=is_hub_admin):
            details: dict[str, Any] = {
                "is_hub_admin": is_hub_admin,
                "is_administrator_here": bool(settings.NGSHARE_HUB_ADMINS),
            }
            action = "change Hub administration"
            audit.record(action, by=SERVER, role=SERVER_ROLE, about=user, target=user.username, **details)
    user.is_hub_admin = is_hub_admin


def merge(duplicate: User, kept: User, *, by: Actor) -> dict[str, int]:
    """Merge two accounts of one person: everything of `duplicate` becomes `kept`'s, and `duplicate` is deleted.

    Where both are members of a course, `kept` gets the higher role and the names that it lacks. A model of which a
    person has one row at most resolves that in its `resolve_merge`. Return how many rows of each kind moved. Errors:
    Conflict when they are the same account, or submitted at the same instant; NotFound when one of them was deleted
    meanwhile.
    """
    role = by.require_administrator()
    _require_other(duplicate, by)
    if duplicate.pk == kept.pk:
        raise Conflict(_("These are the same account."))
    try:
        with transaction.atomic():
            # The rows are locked, so that `duplicate` gets nothing new until it is deleted.
            locked = User.objects.select_for_update().filter(pk__in=[duplicate.pk, kept.pk]).order_by("pk")
            if len(groups := dict(locked.values_list("pk", "hub_groups"))) < 2:
                raise NotFound(_("One of the two accounts was deleted meanwhile."))
            # Each group adds a user only once, see groups.py.
            kept.hub_groups = sorted({*groups[duplicate.pk], *groups[kept.pk]})
            kept.save(update_fields=["hub_groups"])
            moved = {"members": _merge_memberships(duplicate, kept)}
            for relation in _relations():
                model, name = relation.related_model, relation.field.name
                if resolve := getattr(model, "resolve_merge", None):
                    resolve(duplicate, kept)
                count = model._base_manager.filter(**{name: duplicate}).update(**{name: kept})
                with translation.override(None):  # for the log, which is in English
                    kind = str(model._meta.verbose_name_plural)
                moved[kind] = max(moved.get(kind, 0), count)
            details: dict[str, Any] = {"gone": duplicate.username, "gone_id": duplicate.pk}
            duplicate.delete()
            moved = {kind: count for kind, count in moved.items() if count}
            audit.record("merge users", by=by, role=role, about=kept, target=kept.username, moved=moved, **details)
    except IntegrityError as error:
        text = _(
            "%(duplicate)s and %(kept)s have submissions of the same instant, or with the same idempotency key. "
            "Delete one of the two permanently first."
        )
        raise Conflict(text % {"duplicate": duplicate, "kept": kept}) from error
    return moved


def _merge_memberships(duplicate: User, kept: User) -> int:
    """Move or merge the memberships of `duplicate`. Return how many there were."""
    existing = {member.course_id: member for member in kept.memberships.select_for_update()}
    count = 0
    for moved in duplicate.memberships.select_for_update():
        count += 1
        member = existing.get(moved.course_id)
        if member is None:
            Membership.objects.filter(pk=moved.pk).update(user=kept)
            continue
        member.role = max(member.role, moved.role, key=RANK.__getitem__)
        for name in NAME_FIELDS:
            setattr(member, name, getattr(member, name) or getattr(moved, name))
        member.save(update_fields=["role", *NAME_FIELDS])
        moved.delete()
    return count


def _relations() -> list[ManyToOneRel]:
    """Return the foreign keys to a user in all models except Membership."""
    fields = User._meta.get_fields(include_hidden=True)
    return [field for field in fields if isinstance(field, ManyToOneRel) and field.related_model is not Membership]


def anonymise(user: User, *, by: Actor, log_too: bool = False) -> str:
    """Replace everything that identifies a user; return the new user name.

    Their name becomes a number, and they are removed from every roster, with their first and last names, emails and
    sections. They cannot log in to this account again. Their submissions are kept with times and files, whose content
    is not searched. The audit log still names them, unless `log_too` replaces the name there as well.
    """
    role = by.require_administrator()
    _require_other(user, by)
    old, new = user.username, _create_number(user)
    with transaction.atomic():
        _empty_texts(user)
        user.memberships.all().delete()
        for relation in _relations():
            if forget := getattr(relation.related_model, "forget_person", None):
                forget(user)
        user.username, user.is_active, user.is_hub_admin, user.last_login = new, False, False, None
        user.hub_groups = []
        user.save()
        if log_too:
            with audit.allow_replacing_names():
                _replace_in_log(old, new)
        old_name: dict[str, Any] = {} if log_too else {"was": old}
        audit.record("anonymise user", by=by, role=role, about=user, target=new, **old_name)
    return new


def _empty_texts(user: User) -> None:
    """Empty the texts that name the user in rows that refer to them, such as a receipt: they are made anew."""
    for relation in _relations():
        model, name = relation.related_model, relation.field.name
        for text in getattr(model, "names_people", ()):
            model._base_manager.filter(**{name: user}).update(**{text: ""})


def count_of_kind(number: int, kind: str) -> str:
    """Return the number with its noun. `merge` names kinds by the plural of their model in English, whose translations
    are in the catalogues.

    >>> count_of_kind(1, "members"), count_of_kind(2, "members"), count_of_kind(1, "feedback")
    ('1 member', '2 members', '1 feedback')
    """
    return f"{number} {_(kind.removesuffix('s') if number == 1 else kind)}"


def is_anonymous(user: User) -> bool:
    return not user.is_active and user.username.rstrip("-") == _number_of(user)


def _number_of(user: User) -> str:
    return f"anonymous-{user.pk}"


def _create_number(user: User) -> str:
    """Return an unused name that identifies nobody."""
    number = _number_of(user)
    while User.objects.filter(username=number).exclude(pk=user.pk).exists():
        number += "-"
    return number


def _replace_in_log(name: str, new: str) -> None:
    for old, last in _names_in_log(name).items():
        text = Cast("details", TextField())
        spellings = (old, json.dumps(old)[1:-1], json.dumps(old, ensure_ascii=False)[1:-1])  # of JSON, by database
        inside = Q()
        for spelling in spellings:
            inside |= Q(text__contains=spelling)
        entries = AuditEntry.objects.filter(pk__lte=last).annotate(text=text)
        for entry in entries.filter(Q(actor=old) | Q(target=old) | inside).iterator():
            entry.actor = new if entry.actor == old else entry.actor
            entry.target = new if entry.target == old else entry.target
            entry.details = _replace(entry.details, old, new)
            entry.save(update_fields=["actor", "target", "details"])


def _names_in_log(name: str) -> dict[str, int]:
    """Return the present and former names of an account and of those merged into it: {name: id of its last entry}.

    After that entry the name may be somebody else's.
    """
    last_entries: dict[str, int] = {}
    newest = AuditEntry.objects.aggregate(newest=Max("pk"))["newest"] or 0
    pending = [(name, newest)]
    while pending:
        name, last = pending.pop()
        if last_entries.get(name, -1) >= last:
            continue
        last_entries[name] = last
        renamings = AuditEntry.objects.filter(action__in=FROM_NAME, target=name, pk__lte=last)
        pending += [(entry.details[FROM_NAME[entry.action]], entry.pk) for entry in renamings]
    return last_entries


def _replace(value: object, old: str, new: str) -> Any:
    if isinstance(value, dict):
        return {_replace(key, old, new): _replace(inner, old, new) for key, inner in value.items()}
    if isinstance(value, list):
        return [_replace(inner, old, new) for inner in value]
    return new if value == old else value


def _require_other(user: User, by: Actor) -> None:
    if by.user is not None and by.user.pk == user.pk:
        raise PermissionDenied(_("This is your own account; another administrator must do it."))
