"""The verbs about courses and who is in them. Every door (APIs, admin, CSV, commands) goes through these.

The actor is the keyword `by`: a user, or None for a command that an operator types on the server.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from courses import audit, roles
from courses.errors import AlreadyExists, Conflict, Invalid, NotThere, PermissionDenied, Refusal
from courses.models import STAFF_ROLES, Course, Membership, Role, User

AT_ONCE = 1000  # rows in one statement
NAME_FIELDS = ("first_name", "last_name", "email", "section")
UNKEPT = re.compile("[\0\ud800-\udfff]")  # NUL and lone surrogates
RANK: dict[str, int] = {Role.STUDENT: 0, Role.GRADER: 1, Role.INSTRUCTOR: 2}


@dataclass(frozen=True)
class Person:
    """What is said of one member. None leaves a field as it is."""

    username: str
    role: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None
    section: str | None = None


class Result(StrEnum):
    CREATED = "created"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    REMOVED = "removed"
    REFUSED = "refused"


@dataclass(frozen=True)
class Row:
    """What happens to one person of a roster, and why not where it is refused. `before` and `after` for a preview."""

    username: str
    result: Result
    message: str = ""
    before: dict[str, Any] | None = None
    after: dict[str, Any] | None = None


@dataclass
class Report:
    rows: list[Row] = field(default_factory=list)

    def count(self, result: Result) -> int:
        return sum(row.result == result for row in self.rows)

    def names(self, result: Result) -> list[str]:
        return [row.username for row in self.rows if row.result == result]


def check_name(name: str, what: str = "user") -> str:
    """The name, if it fits an address, a folder and the database. Errors: Invalid."""
    if not name or len(name) > 255 or "/" in name or name in (".", "..", "*") or not name.isprintable():
        raise Invalid(f"{name[:80]!r} cannot be a {what} name: 1 to 255 printable characters without '/'.")
    if name != name.strip():
        raise Invalid(f"{name[:80]!r} cannot be a {what} name: it starts or ends with a space.")
    return name


def known_users(usernames: Iterable[str]) -> dict[str, User]:
    """The users of these names; those not seen before get their row here."""
    wanted = sorted({check_name(username) for username in usernames})
    found: dict[str, User] = {}
    for start in range(0, len(wanted), AT_ONCE):
        some = wanted[start : start + AT_ONCE]
        found.update((user.username, user) for user in User.objects.filter(username__in=some))
        if absent := [username for username in some if username not in found]:
            User.objects.bulk_create([User(username=username) for username in absent], ignore_conflicts=True)
            found.update((user.username, user) for user in User.objects.filter(username__in=absent))
    return found


# Courses


def create_course(name: str, instructors: Iterable[str] = (), *, by: User | None) -> Course:
    """Errors: Invalid, AlreadyExists."""
    role = _require_administrator(by)
    check_name(name, "course")
    try:
        with transaction.atomic():
            course = Course.objects.create(name=name)
            users = known_users(instructors)
            Membership.objects.bulk_create(
                Membership(course=course, user=user, role=Role.INSTRUCTOR) for user in users.values()
            )
            audit.record("create course", by=by, role=role, course=course, target=name, instructors=sorted(users))
    except IntegrityError as error:
        raise AlreadyExists(f"There is a course {name} already.") from error
    return course


def remove_course(course: Course, *, by: User | None) -> None:
    """Put the course into the bin: nobody sees it, everything is kept."""
    role = _require_administrator(by)
    with transaction.atomic():
        if Course.objects.filter(pk=course.pk, removed_at=None).update(removed_at=timezone.now()):
            audit.record("remove course", by=by, role=role, course=course, target=course.name)


def restore_course(course: Course | str, *, by: User | None) -> Course:
    """Take the course, or the one that was removed last under this name, out of the bin.

    Errors: NotThere, AlreadyExists.
    """
    role = _require_administrator(by)
    if isinstance(course, str):
        removed = Course.objects.filter(name=course).exclude(removed_at=None)
        found = removed.order_by("-removed_at").first()
        if found is None:
            raise NotThere(f"There is no course {course} in the bin.")
        course = found
    try:
        with transaction.atomic():
            if Course.objects.filter(pk=course.pk).exclude(removed_at=None).update(removed_at=None):
                audit.record("restore course", by=by, role=role, course=course, target=course.name)
    except IntegrityError as error:
        raise AlreadyExists(f"There is another course {course.name} by now.") from error
    course.removed_at = None
    return course


@contextmanager
def _alone_with(course: Course) -> Iterator[None]:
    """A transaction in which nobody else changes this course's roster: what was looked up holds until it is written."""
    with transaction.atomic():
        list(Course.objects.select_for_update(no_key=True).filter(pk=course.pk).values_list("pk"))
        yield


# One member


def add_member(course: Course, person: Person, *, by: User | None) -> Membership:
    """Errors: AlreadyExists, Invalid, PermissionDenied."""
    given = person.role or Role.STUDENT
    role = _require_may_give(by, [given], course)
    _check_role(given)
    _check_names(person)
    try:
        with _alone_with(course):
            user = known_users([person.username])[person.username]
            made = Membership.objects.create(course=course, user=user, role=given, **_names(person))
            audit.record("add member", by=by, role=role, course=course, target=user.username, given=given)
    except IntegrityError as error:
        raise AlreadyExists(f"{person.username} is a member of {course.name} already.") from error
    return made


def change_member(membership: Membership, person: Person, *, by: User | None) -> Membership:
    """Change what `person` says. Staff may change their own names. Errors: Invalid, NotThere, PermissionDenied."""
    course = membership.course
    with _alone_with(course):
        was = _role_now(membership)
        given = person.role or was
        own_names = by is not None and membership.user_id == by.pk and given == was and was in STAFF_ROLES
        role = str(was) if own_names else _require_may_give(by, [was, given], course)
        _check_role(given)
        _check_names(person)
        changes = {"role": given, **_names(person)}
        for name, value in changes.items():
            setattr(membership, name, value)
        membership.save(update_fields=list(changes))
        audit.record(
            "change member", by=by, role=role, course=course, target=membership.user.username, was=was, given=given
        )
    return membership


def _role_now(membership: Membership) -> str:
    try:
        membership.refresh_from_db(fields=["role"])
    except Membership.DoesNotExist as error:
        raise NotThere(f"{membership.user.username} is not a member of {membership.course.name} any more.") from error
    return membership.role


def set_member(course: Course, person: Person, *, by: User | None) -> tuple[Membership, bool]:
    """Add the person, or change who is there. Returns the membership and whether it is new."""
    with _alone_with(course):
        there = course.memberships.select_related("user", "course").filter(user__username=person.username).first()
        if there is None:
            return add_member(course, person, by=by), True
        return change_member(there, person, by=by), False


def remove_member(membership: Membership, *, by: User | None) -> None:
    """Take someone off the roster. Their work stays. Errors: NotThere, PermissionDenied."""
    course = membership.course
    with _alone_with(course):
        was = _role_now(membership)
        role = _require_may_give(by, [was], course)
        target = membership.user.username
        membership.delete()
        audit.record("remove member", by=by, role=role, course=course, target=target, was=was)


# Whole rosters


def apply(
    course: Course,
    people: Sequence[Person],
    *,
    by: User | None,
    remove_others: bool = False,
    others: str = Role.STUDENT,
    dry_run: bool = False,
    source: str = "",
) -> Report:
    """Bring the roster to what `people` says, in a few statements per thousand rows; a repeat changes nothing.

    A row that would demote staff, give a role that `by` may not give, or is malformed is refused by itself.
    `remove_others` takes members of the role `others` off the roster whom `people` does not name. With `dry_run`
    only the report is made: a row for each of `people`, in their order, then those that are removed. `source` says
    in the audit log where the people came from. Errors: PermissionDenied when `by` may not change the roster at all.
    """
    role = _require_may_give(by, [Role.STUDENT], course)
    report = Report()
    with _alone_with(course):
        there = {
            one.user.username: one for one in course.memberships.select_related("user").select_for_update(of=("self",))
        }
        new, changed = _plan(course, people, there, report, by=by)
        named = {person.username for person in people}
        gone = [one for name, one in there.items() if remove_others and one.role == others and name not in named]
        report.rows += [Row(one.user.username, Result.REMOVED, before=_values(one)) for one in gone]
        if dry_run:
            return report
        users = known_users(person.username for person in new)
        Membership.objects.bulk_create(
            [
                Membership(
                    course=course, user=users[person.username], role=person.role or Role.STUDENT, **_names(person)
                )
                for person in new
            ],
            AT_ONCE,
        )
        _write(changed)
        for start in range(0, len(gone), AT_ONCE):
            Membership.objects.filter(pk__in=[one.pk for one in gone[start : start + AT_ONCE]]).delete()
        if new or changed or gone:
            who = {str(result): report.names(result) for result in (Result.CREATED, Result.CHANGED, Result.REMOVED)}
            said = {"source": source} if source else {}
            audit.record("change roster", by=by, role=role, course=course, target=course.name, **who, **said)
    return report


def _write(changed: Sequence[Membership]) -> None:
    """Many updates as one insert that meets what is there; a statement of a thousand CASEs would be slow."""
    rows = [Membership(course_id=one.course_id, user_id=one.user_id, **_values(one)) for one in changed]
    Membership.objects.bulk_create(
        rows,
        AT_ONCE,
        update_conflicts=True,
        unique_fields=["course", "user"],
        update_fields=["role", *NAME_FIELDS],
    )


def _plan(
    course: Course, people: Sequence[Person], there: dict[str, Membership], report: Report, *, by: User | None
) -> tuple[list[Person], list[Membership]]:
    new: list[Person] = []
    changed: list[Membership] = []
    seen: set[str] = set()
    written = {name.casefold(): name for name in there}
    may_give_staff = _may_give_staff(course, by=by)
    for person in people:
        member = there.get(person.username)
        before = _values(member) if member else None
        said = {name: value for name, value in {"role": person.role, **_names(person)}.items() if value is not None}
        try:
            if person.username in seen:
                raise Invalid("comes twice")
            _check_row(person)
            if before and all(before[name] == value for name, value in said.items()):
                seen.add(person.username)
                report.rows.append(Row(person.username, Result.UNCHANGED, before=before, after=before))
                continue
            _check_change(member.role if member else None, person.role, may_give_staff)
        except Refusal as error:
            report.rows.append(Row(person.username, Result.REFUSED, error.message, before=before))
            continue
        seen.add(person.username)
        if member is None:
            new.append(person)
            after = {"role": str(Role.STUDENT), **said}
            other = written.setdefault(person.username.casefold(), person.username)
            told = "" if other == person.username else f"{other} is somebody else: the names differ in capitals"
            report.rows.append(Row(person.username, Result.CREATED, told, after=after))
            continue
        for name, value in said.items():
            setattr(member, name, value)
        changed.append(member)
        report.rows.append(Row(person.username, Result.CHANGED, before=before, after=_values(member)))
    return new, changed


def _check_row(person: Person) -> None:
    check_name(person.username)
    if person.role is not None:
        _check_role(person.role)
    _check_names(person)


def _check_change(was: str | None, given: str | None, may_give_staff: bool) -> None:
    if was and given and RANK[given] < RANK[was]:
        raise Conflict(f"is {was} of this course; a roster never demotes staff")
    if Role.INSTRUCTOR in {was, given} and not may_give_staff:
        raise PermissionDenied("only an administrator adds or changes instructors")


def _check_names(person: Person) -> None:
    for name in NAME_FIELDS:
        value = getattr(person, name) or ""
        if len(value) > 255:
            raise Invalid(f"{name} is longer than 255 characters")
        if UNKEPT.search(value):
            raise Invalid(f"{name} has a character that cannot be kept")


def _may_give_staff(course: Course, *, by: User | None) -> bool:
    return by is None or roles.may(by, roles.Right.CHANGE_STAFF, course)


def _values(member: Membership) -> dict[str, Any]:
    return {"role": str(member.role), **{name: getattr(member, name) for name in NAME_FIELDS}}


def _names(person: Person) -> dict[str, Any]:
    """What is said of the person's names; what is not said is left out."""
    return {name: value for name in NAME_FIELDS if (value := getattr(person, name)) is not None}


def _check_role(role: str) -> None:
    if role not in Role.values:
        raise Invalid(f"{role[:80]!r} is no role; one of {', '.join(Role.values)}.")


def _require_administrator(by: User | None) -> str:
    return roles.require_administrator(by) if by else "server"


def _require_may_give(by: User | None, given: Iterable[str | None], course: Course) -> str:
    return roles.require_may_give(by, given, course) if by else "server"
