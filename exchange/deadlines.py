"""What is due when, for whom: the one rule, in SQL for many rows and in Python for a page of people.

What holds for somebody is the most generous of: the assignment itself; an extension of theirs; an extension of their
section; and, where the course has `min_days`, so many days after they joined. An assignment without a due date has
none for anybody, and the same for its cut-off and its attempt limit. An extension without a cut-off keeps the
assignment open until its due date at least. At the very instant a submission is in time. Somebody who left the roster
keeps an extension of their own; the one of a section belongs to its members.

Whoever adds a case changes both: `_latest` and `_latest_in_sql`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db import models
from django.db.models import (
    Case,
    Exists,
    ExpressionWrapper,
    F,
    Max,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.expressions import Combinable, Expression
from django.db.models.functions import Coalesce, Greatest
from django.db.models.lookups import GreaterThan, IsNull
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext

from courses.models import Membership, User
from courses.prepared import Parameter, prepared
from exchange.models import Assignment, Extension

MOMENT = models.DateTimeField()


class Reason(models.TextChoices):
    """What made a deadline another one than the assignment's own."""

    EXTENSION = "extension", _("extended")
    SECTION = "section", _("extended for the section")
    JOINED = "joined", _("joined late")


@dataclass(frozen=True)
class Deadline:
    """What is in force for one person: None for no due date, cut-off or limit; no reason if it is the assignment's."""

    due: datetime | None = None
    cut_off: datetime | None = None
    max_attempts: int | None = None
    reason: str = ""  # of Reason
    note: str = ""  # what staff wrote when they extended it

    @property
    def label(self) -> str:
        """Why it is not the assignment's own, in a word; empty if it is."""
        return str(Reason(self.reason).label) if self.reason else ""

    @property
    def why(self) -> str:
        """The same with the note, which is for staff: `extended: illness`."""
        return f"{self.label}: {self.note}" if self.note else self.label

    def is_late(self, moment: datetime) -> bool:
        return is_late(moment, self.due)

    def is_closed(self, moment: datetime) -> bool:
        return is_late(moment, self.cut_off)

    def attempts_left(self, attempts: int) -> int | None:
        """Return how often the person may submit after so many attempts; None where there is no limit."""
        return None if self.max_attempts is None else max(0, self.max_attempts - attempts)

    def shows_solution(self, moment: datetime) -> bool:
        """Return whether the student may fetch the solution: after their cut-off, or their due date without one."""
        return is_late(moment, self.cut_off or self.due)


def is_late(moment: datetime, deadline: datetime | None) -> bool:
    return deadline is not None and moment > deadline


def minutes_late(moment: datetime, due: datetime | None) -> int:
    """Return how late it is in minutes, begun ones included; 0 where it is in time."""
    return -((due - moment) // timedelta(minutes=1)) if due is not None and moment > due else 0


def lateness(moment: datetime, due: datetime | None) -> str:
    """Return how late it is in words; empty where it is in time.

    >>> noon = datetime(2026, 11, 3, 12)
    >>> lateness(noon + timedelta(days=2, minutes=61), noon), lateness(noon, noon)
    ('2 d 1 h 1 min', '')
    """
    hours, minutes = divmod(minutes_late(moment, due), 60)
    units = pgettext("days", "%(number)d d"), pgettext("hours", "%(number)d h"), pgettext("minutes", "%(number)d min")
    parts = zip((hours // 24, hours % 24, minutes), units, strict=True)
    return " ".join(text % {"number": number} for number, text in parts if number)


def days_late(moment: datetime, due: datetime | None) -> int:
    """Return how many late days it uses: each begun day of 24 hours is one; 0 where it is in time."""
    return -((due - moment) // timedelta(days=1)) if due is not None and moment > due else 0


# In Python


class Member(NamedTuple):
    """What the rule asks of a person: their membership, or nothing if they are not on the roster."""

    user_id: int
    section: str = ""
    joined: datetime | None = None


def in_force(assignment: Assignment, user: User | None) -> Deadline:
    """Return what is in force for one person, or for nobody in particular. Needs the assignment's course.

    Two queries; none where the assignment has no deadline at all.
    """
    return of_person([assignment], user.pk if user else None)[assignment.pk]


def of_person(assignments: Sequence[Assignment], user: int | None) -> dict[int, Deadline]:
    """Return what is in force for one person, given by their id, in assignments of any courses, by assignment's id.

    Needs the courses. Two queries at most.
    """
    limited = [assignment for assignment in assignments if _has_any(assignment)] if user is not None else []
    courses = list({assignment.course_id for assignment in limited})
    members = {row[0]: Member(*row[1:]) for row in _memberships.rows(user=user, courses=courses)} if limited else {}
    sections = list({member.section for member in members.values() if member.section})
    pks = [assignment.pk for assignment in limited]
    extensions = _by_owner(_extensions_of_person.rows(pks=pks, user=user, sections=sections) if limited else ())
    nobody = Member(user or 0)
    return {each.pk: _of_member(each, members.get(each.course_id, nobody), extensions) for each in assignments}


def without(extension: Extension) -> Deadline:
    """Return what would be in force for the person of an extension without it. Needs assignment, course and user.

    Two queries.
    """
    assignment = extension.assignment
    memberships = assignment.course.memberships.filter(user=extension.user).order_by()
    member = memberships.values_list("user_id", "section", "created").first()
    person = Member(*member) if member else Member(extension.user_id or 0)
    others = Extension.objects.filter(assignment=assignment, section=person.section).order_by()
    return _of_member(assignment, person, _by_owner(others if person.section else ()))


@prepared
def _memberships(user: Parameter, courses: list[Any]) -> QuerySet[Membership, tuple[int, int, str, datetime]]:
    rows = Membership.objects.filter(user=user, course__pk__in=courses).order_by()
    return rows.values_list("course_id", "user_id", "section", "created")


@prepared
def _extensions_of_person(pks: list[Any], user: Parameter, sections: list[Any]) -> QuerySet[Extension]:
    return Extension.objects.filter(Q(user=user) | Q(section__in=sections), assignment__pk__in=pks).order_by()


def load(assignments: Sequence[Assignment], people: Sequence[Member]) -> dict[tuple[int, int], Deadline]:
    """Return what is in force, by the ids of assignment and person, in one query.

    Needs the course of each assignment, which is the one of all memberships.
    """
    pks = [assignment.pk for assignment in assignments if _has_any(assignment)]
    extensions = _by_owner(Extension.objects.filter(assignment__in=pks).order_by() if pks else ())
    return {
        (assignment.pk, person.user_id): _of_member(assignment, person, extensions)
        for assignment in assignments
        for person in people
    }


Extensions = Mapping[tuple[int, int | str], Extension]  # by the assignment's id, and the person's or the section


def _by_owner(extensions: Iterable[Extension]) -> Extensions:
    return {(each.assignment_id, each.section or each.user_id or 0): each for each in extensions}


def _of_member(assignment: Assignment, person: Member, extensions: Extensions) -> Deadline:
    keys = (assignment.pk, person.user_id), (assignment.pk, person.section)
    return _combine(assignment, [extensions[key] for key in keys if key in extensions], person.joined)


def _has_any(assignment: Assignment) -> bool:
    return not (assignment.due is None and assignment.cut_off is None and assignment.max_attempts is None)


def _combine(assignment: Assignment, extensions: Sequence[Extension], joined: datetime | None) -> Deadline:
    days = assignment.course.min_days
    until = joined + timedelta(days=days) if joined is not None and days is not None else None
    reasons = [Reason.SECTION if extension.section is not None else Reason.EXTENSION for extension in extensions]
    dues = [(extension.due, reason) for extension, reason in zip(extensions, reasons, strict=True)]
    cut_offs = [(each.cut_off or each.due, reason) for each, reason in zip(extensions, reasons, strict=True)]
    due, why_due = _latest(assignment.due, [*dues, (until, Reason.JOINED)])
    cut_off, why_cut_off = _latest(assignment.cut_off, [*cut_offs, (until, Reason.JOINED)])
    attempts, why_attempts = assignment.max_attempts, ""
    if attempts is not None and (further := max((each.attempts for each in extensions), default=0)):
        attempts += further
        why_attempts = next(why for each, why in zip(extensions, reasons, strict=True) if each.attempts == further)
    why = why_due or why_cut_off or why_attempts
    note = next((each.reason for each, reason in zip(extensions, reasons, strict=True) if reason == why), "")
    return Deadline(due, cut_off, attempts, why, note)


def _latest(own: datetime | None, others: Iterable[tuple[datetime | None, str]]) -> tuple[datetime | None, str]:
    """Return the most generous time with its reason, which is the first of equal ones, and empty for the own."""
    best, why = own, ""
    for time, reason in others:
        if best is not None and time is not None and time > best:
            best, why = time, reason
    return best, why


# In SQL


@dataclass(frozen=True)
class Pair:
    """Where the rows of a query have an assignment and a person: names of fields, or values."""

    assignment: str | int | Expression  # its id
    course: str | int | Expression
    user: str | int | Expression
    due: str | datetime | Expression | None
    cut_off: str | datetime | Expression | None
    max_attempts: str | int | Expression | None

    @classmethod
    def at(cls, assignment: str, user: "str | int | Expression") -> "Pair":
        """Return the pair for rows that refer to an assignment by this name; an empty one if they are assignments."""
        prefix = f"{assignment}__" if assignment else ""
        fields = (f"{prefix}{name}" for name in ("course", "due", "cut_off", "max_attempts"))
        course, due, cut_off, max_attempts = fields
        return cls(assignment or "pk", course, user, due, cut_off, max_attempts)

    @classmethod
    def of(cls, assignment: Assignment, user: str) -> "Pair":
        """Return the pair of this assignment and the people that the rows name in this field."""
        columns = assignment.due, assignment.cut_off, assignment.max_attempts
        return cls(assignment.pk, assignment.course_id, user, *columns)


def due_in_sql(pair: Pair) -> Expression:
    """Return the due date in force, of rows that the pair describes."""
    return _latest_in_sql(pair, pair.due, F("due"))


def cut_off_in_sql(pair: Pair) -> Expression:
    return _latest_in_sql(pair, pair.cut_off, Coalesce("cut_off", "due"))


def max_attempts_in_sql(pair: Pair) -> Expression:
    further = _extensions(pair).values("assignment").annotate(most=Max("attempts")).values("most")
    return ExpressionWrapper(_here(pair.max_attempts) + Coalesce(Subquery(further), 0), models.IntegerField())


def late_in_sql(pair: Pair, moment: "str | datetime | Expression") -> Q:
    """Return the condition that the moment, which is a field of the rows or a value, is after the due date in force."""
    return _after_in_sql(pair, moment, pair.due, F("due"))


def closed_in_sql(pair: Pair, moment: "str | datetime | Expression") -> Q:
    return _after_in_sql(pair, moment, pair.cut_off, Coalesce("cut_off", "due"))


def _latest_in_sql(pair: Pair, own: Any, extended: Combinable) -> Expression:
    own = _here(own)
    latest = _extensions(pair).values("assignment").annotate(latest=Max(extended)).values("latest")
    others = [Subquery(latest, output_field=MOMENT), Subquery(_joined(pair).values("until"), output_field=MOMENT)]
    # Databases do not agree on the greatest of a value and null.
    times = Greatest(own, *(Coalesce(other, own) for other in others))
    return Case(When(IsNull(own, True), then=Value(None)), default=times, output_field=MOMENT)


def _after_in_sql(pair: Pair, moment: Any, own: Any, extended: Combinable) -> Q:
    """The same rule as a condition: what is in time for the assignment itself looks at nothing else."""
    if own is None:
        return Q(pk__in=[])
    extensions = _extensions(pair).annotate(extended=extended).filter(extended__gte=_outer(moment))
    is_open = Q(Exists(extensions)) | Q(Exists(_joined(pair).filter(until__gte=_outer(moment))))
    return Q(IsNull(_here(own), False), GreaterThan(_here(moment), _here(own))) & ~is_open


def _extensions(pair: Pair) -> QuerySet[Extension]:
    """Return the extensions that a person has of an assignment, as a subquery."""
    sections = Membership.objects.filter(course=_outer(pair.course, depth=2), user=_outer(pair.user, depth=2))
    whose = Q(user=_outer(pair.user)) | Q(section=Subquery(sections.order_by().values("section")[:1]))
    return Extension.objects.filter(whose, assignment=_outer(pair.assignment)).order_by()


def _joined(pair: Pair) -> QuerySet[Any]:
    return late_registrants().filter(course=_outer(pair.course), user=_outer(pair.user))


def late_registrants() -> QuerySet[Any]:
    """Return the memberships, each with the time `until` which everything is open, where the course has that rule."""
    rows = Membership.objects.filter(course__min_days__isnull=False)
    days = ExpressionWrapper(F("course__min_days"), models.IntegerField()) * Value(timedelta(days=1))
    return rows.order_by().annotate(
        until=ExpressionWrapper(F("created") + ExpressionWrapper(days, models.DurationField()), MOMENT)
    )


def _here(term: Any) -> Any:
    """Return a term of a pair as the rows themselves have it."""
    if isinstance(term, str):
        return F(term)
    return term if isinstance(term, Expression) else Value(term)


def _outer(term: Any, depth: int = 1) -> Any:
    """Return the same term for a subquery, or for one inside a subquery."""
    if not isinstance(term, str):
        return _here(term)
    return OuterRef(term) if depth == 1 else OuterRef(OuterRef(term))


OF_SUBMISSIONS = Pair.at("assignment", "student")
LATE = late_in_sql(OF_SUBMISSIONS, "created")  # for a queryset of submissions, against what is in force now
