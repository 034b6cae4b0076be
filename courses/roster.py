"""Applying a whole roster from an importer, the API or a command, with a report on each member."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from courses import audit
from courses.errors import Conflict, DomainError, Invalid, PermissionDenied
from courses.models import Course, Membership, Role
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
    stated_fields,
)


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
    before: dict[str, Any] | None = None
    after: dict[str, Any] | None = None


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

    A row that would demote staff, give a role that `by` may not give, or is malformed is refused by itself.
    `remove_others` removes members of the role `others` whom `people` does not name. With `dry_run`
    only the report is made: a row for each of `people`, in their order, then those that are removed. `source` says
    in the audit log where the people came from. Errors: PermissionDenied when `by` may not change the roster at all.
    """
    role = by.require_may_assign([Role.STUDENT], course)
    report = RosterReport()
    with lock_roster(course):
        existing = {
            member.user.username: member
            for member in course.memberships.select_related("user").select_for_update(of=("self",))
        }
        new, changed = _plan(course, people, existing, report, by=by)
        named = {entry.username for entry in people}
        removed = [
            member for name, member in existing.items() if remove_others and member.role == others and name not in named
        ]
        report.rows += [
            MemberChange(member.user.username, Result.REMOVED, before=_values(member)) for member in removed
        ]
        if dry_run:
            return report
        users = known_users(entry.username for entry in new)
        Membership.objects.bulk_create(
            [
                Membership(
                    course=course, user=users[entry.username], role=entry.role or Role.STUDENT, **stated_fields(entry)
                )
                for entry in new
            ],
            BATCH_SIZE,
        )
        _update_members(changed)
        for start in range(0, len(removed), BATCH_SIZE):
            Membership.objects.filter(pk__in=[member.pk for member in removed[start : start + BATCH_SIZE]]).delete()
        if new or changed or removed:
            who = {str(result): report.names(result) for result in (Result.CREATED, Result.CHANGED, Result.REMOVED)}
            origin = {"source": source} if source else {}
            audit.record("change roster", by=by, role=role, course=course, target=course.name, **who, **origin)
    return report


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
                raise Invalid("comes twice")
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
            message = "" if other == entry.username else f"{other} is somebody else: the names differ in capitals"
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


def _check_change(was: str | None, given: str | None, may_assign_staff: bool) -> None:
    if was and given and RANK[given] < RANK[was]:
        raise Conflict(f"is {was} of this course; a roster never demotes staff")
    if Role.INSTRUCTOR in {was, given} and not may_assign_staff:
        raise PermissionDenied("only an administrator adds or changes instructors")


def _values(member: Membership) -> dict[str, Any]:
    return {"role": str(member.role), **{name: getattr(member, name) for name in NAME_FIELDS}}
