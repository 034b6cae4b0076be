"""How many students of an assignment had submitted by when: a few points of a curve, of all and of each section.

The database ranks the students by their first submission and returns every so-manieth of them, so that a curve has as
many points for 5,000 students as for 50, and most of them where most is going on.
"""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Count, Exists, F, OuterRef, Q, Window
from django.db.models.functions import RowNumber
from django.db.models.lookups import GreaterThan

from courses.models import Role
from exchange.models import Assignment
from exchange.states import counted_submissions

POINTS = 60  # of a curve
MAX_SECTIONS = 6  # that have a curve; more could not be told apart


@dataclass
class Curve:
    """How many of these students had submitted by when: the first of them, some between, and the last."""

    students: int  # on the roster
    moments: list[datetime] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)  # of those who had submitted by that moment, it included
    submitted: int = 0
    in_time: int = 0  # who had submitted by the assignment's due date; all, without one

    def count_by(self, moment: datetime) -> int:
        """Return how many had submitted by a moment, as far as the points tell."""
        place = bisect_right(self.moments, moment)
        return self.counts[place - 1] if place else 0

    def moment_of(self, share: float) -> datetime | None:
        """Return by when this share of those who submitted had done so, as far as the points tell."""
        reached = (moment for moment, count in self._points() if count >= share * self.submitted)
        return next(reached, None)

    def _points(self) -> Iterator[tuple[datetime, int]]:
        return zip(self.moments, self.counts, strict=True)


@dataclass
class Curves:
    whole: Curve
    sections: dict[str, Curve]  # by name, "" for who is in none; empty where there is one section, or are too many


def read_curves(assignment: Assignment) -> Curves:
    """Return the curves of the roster's students, by their first submission. Two queries."""
    roster = assignment.course.memberships.filter(role=Role.STUDENT).order_by("section")
    sizes = dict(roster.values_list("section").annotate(Count("pk")))
    is_divided = 2 <= len(sizes) <= MAX_SECTIONS
    whole = Curve(sum(sizes.values()))
    sections = {name: Curve(size) for name, size in sizes.items()} if is_divided else {}
    for created, section, rank, total, rank_in_section, total_in_section, in_time, in_time_there in _points(assignment):
        if _is_point(rank, total):
            _add(whole, created, rank, total, in_time)
        if is_divided and section in sections and _is_point(rank_in_section, total_in_section):
            _add(sections[section], created, rank_in_section, total_in_section, in_time_there)
    return Curves(whole, sections)


def _add(curve: Curve, moment: datetime, count: int, submitted: int, in_time: int) -> None:
    curve.moments.append(moment)
    curve.counts.append(count)
    curve.submitted, curve.in_time = submitted, in_time


def _is_point(rank: int, total: int) -> bool:
    """Return whether the one of this rank is a point; the same in SQL is below."""
    return rank == 1 or rank * POINTS // total > (rank - 1) * POINTS // total


def _points(assignment: Assignment) -> Iterator[tuple[datetime, str, int, int, int, int, int, int]]:
    """Yield what is a point of the whole curve, or of the one of a section. One query."""
    rows = counted_submissions([assignment]).order_by()
    earlier = rows.filter(student=OuterRef("student"), created__lt=OuterRef("created"))
    rows = rows.exclude(Exists(earlier)).filter(
        student__memberships__course=assignment.course_id, student__memberships__role=Role.STUDENT
    )
    section, in_time = "student__memberships__section", Q(created__lte=assignment.due) if assignment.due else Q()
    order = [F("created"), F("pk")]
    windows: dict[str, Window] = {}
    for name, part in (("", None), ("_there", [F(section)])):
        windows |= {
            f"rank{name}": Window(RowNumber(), partition_by=part, order_by=order),
            f"total{name}": Window(Count("pk"), partition_by=part),
            f"in_time{name}": Window(Count("pk", filter=in_time), partition_by=part),
        }
    rows = rows.annotate(**windows).filter(_point_in_sql("rank", "total") | _point_in_sql("rank_there", "total_there"))
    columns = ("rank", "total", "rank_there", "total_there", "in_time", "in_time_there")
    yield from rows.order_by("created", "pk").values_list("created", section, *columns)


def _point_in_sql(rank: str, total: str) -> Q:
    # Both databases divide integers without a remainder.
    step, before = F(rank) * POINTS / F(total), (F(rank) - 1) * POINTS / F(total)
    return Q((rank, 1)) | Q(GreaterThan(step, before))
