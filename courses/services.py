"""The service functions of courses and members. The APIs, the admin, the importers and the commands all call these.

The actor is the keyword `by`. Whole rosters are in roster.py, actions on many members in bulk.py.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from zoneinfo import available_timezones

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from courses import audit, trash
from courses.errors import AlreadyExists, Invalid, NotFound
from courses.models import STAFF_ROLES, Course, Membership, Role, User
from courses.permissions import Actor, Permission

BATCH_SIZE = 1000  # rows in one statement
LIMIT_FIELDS = ("max_bytes", "max_person_bytes", "max_submissions_per_hour")
RULE_FIELDS = ("timezone", "late_days", "min_days")
MAX_DAYS = 1000
NAME_FIELDS = ("first_name", "last_name", "email", "section")
UNSTORABLE = re.compile("[\0\ud800-\udfff]")  # NUL and lone surrogates
# Line breaks and tabs may stand in a cell of a spreadsheet; ESC may not, nor what reorders the text around it.
CONTROL = re.compile("[\x01-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
RANK: dict[str, int] = {Role.STUDENT: 0, Role.GRADER: 1, Role.INSTRUCTOR: 2}


@dataclass(frozen=True)
class RosterEntry:
    """What an importer, a form or a client states about one member. None leaves a field as it is."""

    username: str
    role: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None
    section: str | None = None


# Why a text is no name: what of, in one sentence each.
_UNFIT = {
    "user": gettext_lazy("%(name)r cannot be a user name: 1 to 255 printable characters without '/'."),
    "course": gettext_lazy("%(name)r cannot be a course name: 1 to 255 printable characters without '/'."),
}
_SPACED = {
    "user": gettext_lazy("%(name)r cannot be a user name: it starts or ends with a space."),
    "course": gettext_lazy("%(name)r cannot be a course name: it starts or ends with a space."),
}


def check_name(name: str, what: str = "user") -> str:
    """Return the name if it fits an address, a folder and the database. Errors: Invalid."""
    if not name or len(name) > 255 or "/" in name or name in (".", "..", "*") or not name.isprintable():
        raise Invalid(_UNFIT[what] % {"name": name[:80]})
    if name != name.strip():
        raise Invalid(_SPACED[what] % {"name": name[:80]})
    return name


def check_course_name(name: str) -> str:
    """Return the name if a new course may have it: nbgrader takes `*` for a pattern. Errors: Invalid."""
    if "*" in check_name(name, "course"):
        text = _("%(name)r cannot be a course name: it has a '*', which nbgrader takes for a pattern.")
        raise Invalid(text % {"name": name[:80]})
    return name


def known_users(usernames: Iterable[str]) -> dict[str, User]:
    """Return the users of these names, {name: user}. Unknown ones are created."""
    names = sorted({check_name(username) for username in usernames})
    users: dict[str, User] = {}
    for start in range(0, len(names), BATCH_SIZE):
        batch = names[start : start + BATCH_SIZE]
        users.update((user.username, user) for user in User.objects.filter(username__in=batch))
        if absent := [username for username in batch if username not in users]:
            User.objects.bulk_create([User(username=username) for username in absent], ignore_conflicts=True)
            users.update((user.username, user) for user in User.objects.filter(username__in=absent))
    return users


def find_or_create_user(username: str) -> User:
    """Return the user of this name, created at their first contact with the service. Errors: Invalid."""
    user = User.objects.filter(username=check_name(username)).first()
    if user is None:
        with transaction.atomic():
            user, is_new = User.objects.get_or_create(username=username)
            if is_new:
                audit.record("first contact", by=Actor(user), role="", about=user, target=username)
    return user


# Courses


def create_course(name: str, instructors: Iterable[str] = (), *, by: Actor) -> Course:
    """Errors: Invalid, AlreadyExists."""
    role = by.require_administrator()
    check_course_name(name)
    try:
        with transaction.atomic():
            course = Course.objects.create(name=name)
            users = known_users(instructors)
            Membership.objects.bulk_create(
                Membership(course=course, user=user, role=Role.INSTRUCTOR) for user in users.values()
            )
            audit.record(
                "create course",
                by=by,
                role=role,
                about=course,
                course=course,
                target=name,
                instructors=sorted(users),
            )
    except IntegrityError as error:
        raise AlreadyExists(_("There is a course %(course)s already.") % {"course": name}) from error
    return course


def trash_course(course: Course, *, by: Actor) -> None:
    """Move the course to the trash: only administrators see it, and everything is kept."""
    role = by.require_administrator()
    with transaction.atomic():
        if Course.objects.filter(pk=course.pk, removed_at=None).update(removed_at=timezone.now()):
            audit.record("trash course", by=by, role=role, about=course, course=course, target=course.name)


def restore_course(course: Course | str, *, by: Actor) -> Course:
    """Restore the course, or the last one of this name that was moved to the trash.

    Errors: NotFound, AlreadyExists.
    """
    role = by.require_administrator()
    if isinstance(course, str):
        in_trash = Course.objects.filter(name=course).exclude(removed_at=None)
        latest = in_trash.order_by("-removed_at").first()
        if latest is None:
            raise NotFound(_("There is no course %(course)s in the trash.") % {"course": course})
        course = latest
    try:
        with transaction.atomic():
            if Course.objects.filter(pk=course.pk).exclude(removed_at=None).update(removed_at=None):
                audit.record("restore course", by=by, role=role, about=course, course=course, target=course.name)
    except IntegrityError as error:
        raise AlreadyExists(_("There is another course %(course)s by now.") % {"course": course.name}) from error
    course.removed_at = None
    return course


def delete_course_permanently(course: Course, *, by: Actor) -> dict[str, int]:
    """Delete a course that is in the trash, with all that belongs to it. Return how many rows of each kind.

    Errors: PermissionDenied, Conflict when it is not in the trash.
    """
    role = by.require_administrator()
    with transaction.atomic():
        locked = Course.objects.select_for_update().filter(pk=course.pk).first()
        is_in_trash = locked is not None and locked.removed_at is not None
        return trash.delete_row(
            locked or course, is_in_trash=is_in_trash, by=by, role=role, course=course, target=course.name
        )


@contextmanager
def lock_roster(course: Course) -> Iterator[None]:
    """Open a transaction in which nobody else changes this roster, so that what was read holds until it ends."""
    with transaction.atomic():
        list(Course.objects.select_for_update(no_key=True).filter(pk=course.pk).values_list("pk"))
        yield


def set_limits(course: Course, limits: Mapping[str, int | None], *, by: Actor) -> None:
    """Set limits of the course, {field of LIMIT_FIELDS: value}; None takes the site's.

    Errors: PermissionDenied, NotFound.
    """
    role = by.require_administrator()
    with transaction.atomic():
        rows = Course.objects.select_for_update(no_key=True).filter(pk=course.pk)
        was = rows.values(*LIMIT_FIELDS).first()
        if was is None:
            raise NotFound(_("The course %(course)s was deleted meanwhile.") % {"course": course.name})
        rows.update(**limits)
        details: dict[str, object] = {"was": {name: was[name] for name in limits}, "given": dict(limits)}
        audit.record("set limits", by=by, role=role, about=course, course=course, target=course.name, **details)


def set_rules(course: Course, rules: Mapping[str, str | int | None], *, by: Actor) -> None:
    """Set rules about deadlines, {field of RULE_FIELDS: value}. An empty time zone is the site's.

    Errors: PermissionDenied, Invalid, NotFound.
    """
    role = by.require(Permission.RELEASE, course)
    check_rules(rules)
    with transaction.atomic():
        rows = Course.objects.select_for_update(no_key=True).filter(pk=course.pk)
        was = rows.values(*RULE_FIELDS).first()
        if was is None:
            raise NotFound(_("The course %(course)s was deleted meanwhile.") % {"course": course.name})
        rows.update(**rules)
        details: dict[str, object] = {"was": {name: was[name] for name in rules}, "given": dict(rules)}
        audit.record("set rules", by=by, role=role, about=course, course=course, target=course.name, **details)
    for name, value in rules.items():
        setattr(course, name, value)


def check_rules(rules: Mapping[str, str | int | None]) -> None:
    """Errors: Invalid."""
    zone = rules.get("timezone")
    if zone and zone not in available_timezones():
        raise Invalid(_("%(zone)r is not a time zone; write one such as Europe/Berlin.") % {"zone": str(zone)[:80]})
    for name, text in (
        ("late_days", _("Write a number of late days from 0 to %(max)d, or none.")),
        ("min_days", _("Write a number of days for late registrants from 0 to %(max)d, or none.")),
    ):
        days = rules.get(name)
        if isinstance(days, int) and not 0 <= days <= MAX_DAYS:
            raise Invalid(text % {"max": MAX_DAYS})


def record_roster_download(course: Course, *, by: Actor) -> None:
    """Note in the audit log that the roster was downloaded. Errors: PermissionDenied."""
    role = by.require(Permission.SEE_ROSTER, course)
    audit.record("download roster", by=by, role=role, about=course, course=course, target=course.name)


# One member


def add_member(course: Course, entry: RosterEntry, *, by: Actor, source: str = "") -> Membership:
    """Add a member. `source` says in the audit log where the entry came from.

    Errors: AlreadyExists, Invalid, PermissionDenied.
    """
    given = entry.role or Role.STUDENT
    role = by.require_may_assign([given], course)
    check_role(given)
    check_names(entry)
    try:
        with lock_roster(course):
            user = known_users([entry.username])[entry.username]
            membership = Membership.objects.create(course=course, user=user, role=given, **stated_fields(entry))
            details = {"given": given, **origin(source)}
            audit.record("add member", by=by, role=role, about=user, course=course, target=user.username, **details)
    except IntegrityError as error:
        names = {"user": entry.username, "course": course.name}
        raise AlreadyExists(_("%(user)s is a member of %(course)s already.") % names) from error
    return membership


def change_member(membership: Membership, entry: RosterEntry, *, by: Actor, source: str = "") -> Membership:
    """Change the fields that the entry states. Staff may change their own names.

    `source` says in the audit log where the entry came from.
    Errors: Invalid, NotFound, PermissionDenied.
    """
    course = membership.course
    with lock_roster(course):
        was = _read_role(membership)
        given = entry.role or was
        is_own = by.user is not None and membership.user_id == by.user.pk
        own_names = is_own and given == was and was in STAFF_ROLES
        role = str(was) if own_names else by.require_may_assign([was, given], course)
        check_role(given)
        check_names(entry)
        changes = {"role": given, **stated_fields(entry)}
        for name, value in changes.items():
            setattr(membership, name, value)
        membership.save(update_fields=list(changes))
        user, details = membership.user, {"was": was, "given": given, **origin(source)}
        audit.record("change member", by=by, role=role, about=user, course=course, target=user.username, **details)
    return membership


def _read_role(membership: Membership) -> str:
    try:
        membership.refresh_from_db(fields=["role"])
    except Membership.DoesNotExist as error:
        names = {"user": membership.user.username, "course": membership.course.name}
        raise NotFound(_("%(user)s is not a member of %(course)s any more.") % names) from error
    return membership.role


def set_member(course: Course, entry: RosterEntry, *, by: Actor) -> tuple[Membership, bool]:
    """Add the member, or change the existing one. Return the membership and whether it is new."""
    with lock_roster(course):
        existing = course.memberships.select_related("user", "course").filter(user__username=entry.username).first()
        if existing is None:
            return add_member(course, entry, by=by), True
        return change_member(existing, entry, by=by), False


def remove_member(membership: Membership, *, by: Actor) -> None:
    """Remove a member from the roster. Their submissions stay. Errors: NotFound, PermissionDenied."""
    course = membership.course
    with lock_roster(course):
        was = _read_role(membership)
        role = by.require_may_assign([was], course)
        user = membership.user
        membership.delete()
        audit.record("remove member", by=by, role=role, about=user, course=course, target=user.username, was=was)


def check_role(role: str) -> None:
    if role not in Role.values:
        names = {"role": role[:80], "roles": ", ".join(Role.values)}
        raise Invalid(_("%(role)r is not a role; the roles are %(roles)s.") % names)


def check_names(entry: RosterEntry) -> None:
    for name in NAME_FIELDS:
        value = getattr(entry, name) or ""
        if len(value) > 255:
            raise Invalid(_("%(field)s is longer than 255 characters") % {"field": name})
        if UNSTORABLE.search(value):
            raise Invalid(_("%(field)s has a character that cannot be stored") % {"field": name})
        if CONTROL.search(value):
            raise Invalid(_("%(field)s has a control character") % {"field": name})


def origin(source: str) -> dict[str, str]:
    """Return the detail of the audit log that says where a change of the roster came from."""
    return {"source": source} if source else {}


def stated_fields(entry: RosterEntry) -> dict[str, str]:
    """Return the name fields that the entry states; those that it leaves open are left out."""
    return {name: value for name in NAME_FIELDS if (value := getattr(entry, name)) is not None}
