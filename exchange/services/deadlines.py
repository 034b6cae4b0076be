"""Service functions of deadlines and extensions.

Each returns whose state it changes. With `dry_run` it does everything that it would do, and takes it back: so a preview
and the change that follows cannot disagree.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext as _

import courses.services
from courses import audit
from courses.errors import Invalid, NotFound
from courses.models import Course, Membership, Role, User
from courses.permissions import Actor, Permission
from courses.services import CONTROL, UNSTORABLE
from courses.timestamps import local_text
from exchange import deadlines
from exchange.deadlines import Pair
from exchange.models import Assignment, Extension
from exchange.states import IS_LATE, latest_submissions

DEADLINE_FIELDS = ("release_at", "due", "cut_off", "max_attempts")
GRANTED = ("due", "cut_off", "attempts", "reason")
MAX_ATTEMPTS = 10_000  # which fits a column, too


class State(NamedTuple):
    """Whether the latest submission is late (None without one), and whether nothing more is accepted."""

    late: bool | None = None
    closed: bool = False


@dataclass(frozen=True)
class StateChange:
    """Somebody whose latest submission, or whose chance to submit, changes its state."""

    username: str
    before: State
    after: State


@dataclass(frozen=True)
class Grant:
    """An extension to be granted, to a person or to a section. None leaves a time as the assignment has it."""

    student: str | None = None  # the user name
    section: str | None = None
    due: datetime | None = None
    cut_off: datetime | None = None
    attempts: int = 0
    reason: str = ""

    @property
    def whose(self) -> str:
        """The person or section, in the reader's language."""
        return self.student or _("section %(section)s") % {"section": self.section}

    @property
    def in_log(self) -> str:
        return self.student or f"section {self.section}"


@dataclass
class _Watch:
    assignment: Assignment  # as it is now, locked
    changes: list[StateChange] = field(default_factory=list)  # which it has in the end


# The assignment itself


def set_deadlines(
    assignment: Assignment, changes: Mapping[str, datetime | int | None], *, by: Actor, dry_run: bool = False
) -> list[StateChange]:
    """Set what `changes` names of DEADLINE_FIELDS. Return whose state changes.

    Errors: PermissionDenied, Invalid, NotFound when the assignment was deleted meanwhile.
    """
    role = by.require(Permission.RELEASE, assignment.course)
    with _watching(assignment, dry_run=dry_run) as watch:
        current = watch.assignment
        for name, value in changes.items():
            setattr(current, name, value)
        check_deadlines(current)
        current.save(update_fields=list(changes))
        given: dict[str, Any] = {name: _in_log(value) for name, value in changes.items()}
        course, target = assignment.course, assignment.name
        action = "set due date" if [*changes] == ["due"] else "set deadlines"
        audit.record(action, by=by, role=role, about=assignment, course=course, target=target, **given)
    if not dry_run:
        for name, value in changes.items():
            setattr(assignment, name, value)
    return watch.changes


def set_due_date(assignment: Assignment, due: datetime | None, *, by: Actor) -> list[StateChange]:
    """The same for the due date alone."""
    return set_deadlines(assignment, {"due": due}, by=by)


def check_deadlines(assignment: Assignment) -> None:
    """Check that release time, due date and cut-off follow each other. Errors: Invalid."""
    _check_attempts(assignment.max_attempts, least=1)
    release_at, due, cut_off = assignment.release_at, assignment.due, assignment.cut_off
    zone = assignment.course.zone
    if due and cut_off and cut_off < due:
        message = _("The cut-off, %(cut_off)s, would be before the due date, %(due)s.")
        raise Invalid(message % {"cut_off": local_text(cut_off, zone), "due": local_text(due, zone)})
    messages = (
        (due, _("The release time, %(release_at)s, must be before the due date, %(time)s.")),
        (cut_off, _("The release time, %(release_at)s, must be before the cut-off, %(time)s.")),
    )
    for time, message in messages:
        if release_at and time and time <= release_at:
            raise Invalid(message % {"release_at": local_text(release_at, zone), "time": local_text(time, zone)})


# The rules of a course


def set_rules(course: Course, rules: Mapping[str, str | int | None], *, by: Actor) -> list[list[StateChange]]:
    """Set rules about deadlines, as courses.services.set_rules, and return whose state changes, by assignment.

    The name of the assignment is behind the one of the person.
    """
    now = timezone.now()
    assignments = list(course.assignments.order_by("name")) if "min_days" in rules else []
    with transaction.atomic():
        before = [_states(assignment, now) for assignment in assignments]
        courses.services.set_rules(course, rules, by=by)
        for assignment in assignments:
            assignment.course = course
        after = [_states(assignment, now) for assignment in assignments]
    return [
        _compare(old, new, assignment.name) for assignment, old, new in zip(assignments, before, after, strict=True)
    ]


# Extensions


def grant_extensions(
    assignment: Assignment, grants: Sequence[Grant], *, by: Actor, dry_run: bool = False
) -> list[StateChange]:
    """Grant extensions, each instead of the one that the person or section has. Return whose state changes.

    All or none. Errors: PermissionDenied, Invalid, NotFound for who is not on the roster.
    """
    role = by.require(Permission.EXTEND, assignment.course)
    with _watching(assignment, dry_run=dry_run) as watch:
        people = _check_grants(watch.assignment, grants)
        now = timezone.now()
        for owner in ("user", "section"):
            rows = [
                Extension(
                    assignment=assignment,
                    user=people[grant.student] if grant.student else None,
                    section=grant.section or None,
                    **{name: getattr(grant, name) for name in GRANTED},
                    granted_by=by.user,
                    created=now,
                )
                for grant in grants
                if bool(grant.student) == (owner == "user")
            ]
            Extension.objects.bulk_create(
                rows,
                batch_size=500,
                update_conflicts=True,
                unique_fields=["assignment", owner],
                update_fields=[*GRANTED, "granted_by", "created"],
            )
        details: dict[str, Any] = {"to": {grant.in_log: _grant_in_log(grant) for grant in grants}}
        course, target = assignment.course, assignment.name
        audit.record("grant extension", by=by, role=role, about=assignment, course=course, target=target, **details)
    return watch.changes


def withdraw_extensions(
    assignment: Assignment, extensions: Sequence[Extension], *, by: Actor, dry_run: bool = False
) -> list[StateChange]:
    """Withdraw extensions of the assignment. Return whose state changes. Errors: PermissionDenied."""
    role = by.require(Permission.EXTEND, assignment.course)
    with _watching(assignment, dry_run=dry_run) as watch:
        rows = assignment.extensions.filter(pk__in=[extension.pk for extension in extensions])
        gone = [str(row.user or f"section {row.section}") for row in rows.select_related("user")]
        if rows.delete()[0]:
            course, target = assignment.course, assignment.name
            audit.record(
                "withdraw extension", by=by, role=role, about=assignment, course=course, target=target, of=gone
            )
    return watch.changes


def record_extensions_download(assignment: Assignment, *, by: Actor) -> None:
    """Note in the audit log that the extensions were downloaded. Errors: PermissionDenied."""
    course, role = assignment.course, by.require(Permission.SEE_SUBMISSIONS, assignment.course)
    audit.record("download extensions", by=by, role=role, about=assignment, course=course, target=assignment.name)


def _check_grants(assignment: Assignment, grants: Sequence[Grant]) -> dict[str, User]:
    """Return the people on the roster by their names. Errors: Invalid, NotFound."""
    members = assignment.course.memberships.select_related("user").order_by() if grants else ()
    people = {member.user.username: member.user for member in members}
    sections = {member.section for member in members}
    seen: set[str] = set()
    for grant in grants:
        check_grant(grant)
        check_has_effect(assignment, grant)
        if grant.student and grant.student not in people:
            raise NotFound(
                _("%(whose)s is not a member of %(course)s.") % {"whose": grant.whose, "course": assignment.course.name}
            )
        if grant.section and grant.section not in sections:
            raise NotFound(
                _("Nobody is in section %(section)s of %(course)s.")
                % {"section": grant.section, "course": assignment.course.name}
            )
        if grant.whose in seen:
            raise Invalid(_("%(whose)s comes twice.") % {"whose": grant.whose})
        seen.add(grant.whose)
    return people


def check_grant(grant: Grant) -> None:
    """Check an extension by itself. Errors: Invalid."""
    if bool(grant.student) == bool(grant.section):
        raise Invalid(_("An extension is for a person or for a section."))
    _check_attempts(grant.attempts, least=0)
    if grant.due is None and grant.cut_off is None and not grant.attempts:
        raise Invalid(_("An extension needs a due date, a cut-off or further attempts."))
    if grant.due and grant.cut_off and grant.cut_off < grant.due:
        raise Invalid(_("The cut-off of %(whose)s would be before the due date.") % {"whose": grant.whose})
    if len(grant.reason) > 500 or CONTROL.search(grant.reason) or UNSTORABLE.search(grant.reason):
        raise Invalid(_("A reason is a text of up to 500 characters without control characters."))


def check_has_effect(assignment: Assignment, grant: Grant) -> None:
    """Check that the assignment has what the grant extends. Errors: Invalid."""
    for value, own, message in (
        (grant.due, assignment.due, _("%(assignment)s has no due date that could be extended.")),
        (grant.cut_off, assignment.cut_off, _("%(assignment)s has no cut-off that could be extended.")),
        (
            grant.attempts or None,
            assignment.max_attempts,
            _("%(assignment)s has no attempt limit that could be extended."),
        ),
    ):
        if value is not None and own is None:
            raise Invalid(message % {"assignment": assignment.name})


def _check_attempts(attempts: int | None, *, least: int) -> None:
    if attempts is not None and not least <= attempts <= MAX_ATTEMPTS:
        raise Invalid(
            _("Write a number of attempts from %(least)s to %(most)s.") % {"least": least, "most": MAX_ATTEMPTS}
        )


def _grant_in_log(grant: Grant) -> dict[str, Any]:
    names = ("due", "cut_off", "attempts")  # not the reason, which may tell of an illness: the log is for ever
    return {name: _in_log(value) for name in names if (value := getattr(grant, name))}


def _in_log(value: datetime | int | str | None) -> int | str | None:
    return value.isoformat() if isinstance(value, datetime) else value


# Whose state changes


@contextmanager
def _watching(assignment: Assignment, *, dry_run: bool) -> Iterator[_Watch]:
    """Open a transaction that locks the assignment, and compare how everybody stands before and after it.

    Deadlines and extensions change one after the other. Errors: NotFound.
    """
    now = timezone.now()
    with transaction.atomic():
        locked = Assignment.objects.select_for_update(no_key=True).filter(pk=assignment.pk).first()
        if locked is None:
            raise NotFound(_("%(assignment)s was deleted meanwhile.") % {"assignment": assignment.name})
        locked.course = assignment.course
        watch = _Watch(locked)
        before = _states(locked, now)
        yield watch
        after = _states(locked, now)
        watch.changes = _compare(before, after)
        transaction.set_rollback(dry_run)


def _compare(before: Mapping[str, State], after: Mapping[str, State], assignment: str = "") -> list[StateChange]:
    whose = _("%(person)s in %(assignment)s") if assignment else "%(person)s"
    people = sorted({*before, *after})
    return [
        StateChange(
            whose % {"person": name, "assignment": assignment}, before.get(name, State()), after.get(name, State())
        )
        for name in people
        if before.get(name, State()) != after.get(name, State())
    ]


def _states(assignment: Assignment, now: datetime) -> dict[str, State]:
    """Return how everybody stands who is a student of the course, or submitted. Two queries; three with a limit."""
    students = assignment.course.memberships.filter(role=Role.STUDENT).order_by()
    closed = students.filter(deadlines.closed_in_sql(Pair.of(assignment, "user"), now))
    closed_now = set(closed.values_list("user__username", flat=True))
    if assignment.max_attempts is not None:
        closed_now.update(_without_attempts_left(assignment, students).values_list("user__username", flat=True))
    rows = latest_submissions([assignment]).annotate(late=IS_LATE).order_by()
    late = dict(rows.values_list("student__username", "late"))
    return {name: State(late.get(name), name in closed_now) for name in {*late, *closed_now}}


def _without_attempts_left(assignment: Assignment, students: QuerySet[Membership]) -> QuerySet[Membership]:
    """Return the students who have submitted as often as they may. What counts is what counts in quotas.py."""
    counted = assignment.submissions.filter(student=OuterRef("user"), withdrawn_at=None, trial=False).order_by()
    attempts = counted.values("student").annotate(count=Count("pk")).values("count")
    return students.annotate(limit=deadlines.max_attempts_in_sql(Pair.of(assignment, "user"))).filter(
        limit__lte=Coalesce(Subquery(attempts), 0)
    )
