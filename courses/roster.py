"""Apply a whole roster from an importer, the API or a command, and report on each member."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from django.utils.translation import gettext as _

from courses import audit
from courses.errors import Conflict, DomainError, Invalid, PermissionDenied
from courses.models import Course, Membership, Role, role_name
from courses.permissions import Actor, Permission
from courses.services import (
    BATCH_SIZE,
    NAME_FIELDS,
    RANK,
    RosterEntry,
    check_name,
    check_names,
    check_role,
    known_users,
    lock_roster,
    origin,
    stated_fields,
)

MemberFields = Mapping[str, str | None]  # a member's role and name fields


class Result(StrEnum):
    CREATED = "created"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    REMOVED = "removed"
    REFUSED = "refused"


@dataclass(frozen=True)
class MemberChange:
    """What happens to one member of a roster, with a message where it is refused.

    `before` and `after` hold the member's role and name fields, for a preview.
    """

    username: str
    result: Result
    message: str = ""
    before: MemberFields | None = None
    after: MemberFields | None = None


@dataclass
class RosterReport:
    rows: list[MemberChange] = field(default_factory=list)

    def count(self, result: Result) -> int:
        return sum(row.result == result for row in self.rows)

    def names(self, result: Result) -> list[str]:
        return [row.username for row in self.rows if row.result == result]


def apply_roster(
    course: Course,
    people: Sequence[RosterEntry],
    *,
    by: Actor,
    remove_others: bool = False,
    others: str = Role.STUDENT,
    dry_run: bool = False,
    source: str = "",
) -> RosterReport:
    """Make the roster match `people`, in a few statements per thousand rows; a repeat changes nothing.

    A row that is malformed, would demote staff or would give a role that `by` may not give is refused; the others are
    applied. `remove_others` removes members of the role `others` whom `people` does not name. The report has a row for
    each of `people`, in their order, and then those that are removed; with `dry_run` nothing else is done. `source`
    says in the audit log where the people came from. Errors: PermissionDenied when `by` may not change the roster.
    """
    role = by.require_may_assign([Role.STUDENT], course)
    report = RosterReport()
    with lock_roster(course):
        existing = {
            member.user.username: member
            for member in course.memberships.select_related("user").select_for_update(of=("self",))
        }
        new, changed = _plan(course, people, existing, report, by=by)
        removed = _find_others(people, existing, others) if remove_others else []
        report.rows += [
            MemberChange(member.user.username, Result.REMOVED, before=_values(member)) for member in removed
        ]
        if not dry_run and (new or changed or removed):
            _create_members(course, new)
            _update_members(changed)
            _delete_members(removed)
            names = {str(result): report.names(result) for result in (Result.CREATED, Result.CHANGED, Result.REMOVED)}
            details = {**names, **origin(source)}
            audit.record("change roster", by=by, role=role, about=course, course=course, target=course.name, **details)
    return report


def _find_others(people: Sequence[RosterEntry], existing: dict[str, Membership], role: str) -> list[Membership]:
    """Return the members of this role whom `people` does not name."""
    names = {entry.username for entry in people}
    return [member for name, member in existing.items() if member.role == role and name not in names]


def _create_members(course: Course, entries: Sequence[RosterEntry]) -> None:
    users = known_users(entry.username for entry in entries)
    rows = [
        Membership(course=course, user=users[entry.username], role=entry.role or Role.STUDENT, **stated_fields(entry))
        for entry in entries
    ]
    Membership.objects.bulk_create(rows, BATCH_SIZE)


def _update_members(changed: Sequence[Membership]) -> None:
    """Update many members by an upsert; one UPDATE with a thousand CASEs would be slow."""
    rows = [Membership(course_id=member.course_id, user_id=member.user_id, **_values(member)) for member in changed]
    Membership.objects.bulk_create(
        rows,
        BATCH_SIZE,
        update_conflicts=True,
        unique_fields=["course", "user"],
        update_fields=["role", *NAME_FIELDS],
    )


def _delete_members(members: Sequence[Membership]) -> None:
    for start in range(0, len(members), BATCH_SIZE):
        Membership.objects.filter(pk__in=[member.pk for member in members[start : start + BATCH_SIZE]]).delete()


def _plan(
    course: Course, people: Sequence[RosterEntry], existing: dict[str, Membership], report: RosterReport, *, by: Actor
) -> tuple[list[RosterEntry], list[Membership]]:
    new: list[RosterEntry] = []
    changed: list[Membership] = []
    seen: set[str] = set()
    spellings = {name.casefold(): name for name in existing}
    may_assign_staff = by.may(Permission.CHANGE_INSTRUCTORS, course)
    for entry in people:
        member = existing.get(entry.username)
        before = _values(member) if member else None
        stated = {
            name: value for name, value in {"role": entry.role, **stated_fields(entry)}.items() if value is not None
        }
        try:
            if entry.username in seen:
                raise Invalid(_("comes twice"))
            _check_row(entry)
            if before and all(before[name] == value for name, value in stated.items()):
                seen.add(entry.username)
                report.rows.append(MemberChange(entry.username, Result.UNCHANGED, before=before, after=before))
                continue
            _check_change(member.role if member else None, entry.role, may_assign_staff)
        except DomainError as error:
            report.rows.append(MemberChange(entry.username, Result.REFUSED, error.message, before=before))
            continue
        seen.add(entry.username)
        if member is None:
            new.append(entry)
            after = {"role": str(Role.STUDENT), **stated}
            other = spellings.setdefault(entry.username.casefold(), entry.username)
            text = "" if other == entry.username else _("%(other)s is somebody else: the names differ in capitals")
            message = text % {"other": other}
            report.rows.append(MemberChange(entry.username, Result.CREATED, message, after=after))
            continue
        for name, value in stated.items():
            setattr(member, name, value)
        changed.append(member)
        report.rows.append(MemberChange(entry.username, Result.CHANGED, before=before, after=_values(member)))
    return new, changed


def _check_row(entry: RosterEntry) -> None:
    check_name(entry.username)
    if entry.role is not None:
        check_role(entry.role)
    check_names(entry)


def _check_change(old: str | None, new: str | None, may_assign_staff: bool) -> None:
    if old and new and RANK[new] < RANK[old]:
        raise Conflict(_("is %(role)s of this course; a roster never demotes staff") % {"role": role_name(old)})
    if Role.INSTRUCTOR in {old, new} and not may_assign_staff:
        raise PermissionDenied(_("only an administrator adds or changes instructors"))


def _values(member: Membership) -> MemberFields:
    return {"role": str(member.role), **{name: getattr(member, name) for name in NAME_FIELDS}}
