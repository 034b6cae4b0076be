"""The picture of submissions over time: which share of the students, of all and of each section, had submitted when.

The page stretches it to its width, so places are percentages; its sentence and its table say the same in words.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from courses.templatetags.times import local
from courses.timestamps import in_zone
from exchange.submission_curve import Curve, Curves

SHORTEST = timedelta(minutes=10)  # that the picture shows
MAX_TICKS = 7
DAY = timedelta(days=1)
STEPS = [timedelta(minutes=each) for each in (1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720)]
STEPS += [DAY * each for each in (1, 2, 4, 7, 14, 28, 56, 91, 182, 364)]


class Tick(NamedTuple):
    place: float  # percent from the left
    label: str


@dataclass(frozen=True)
class Line:
    """A curve, with what the legend and the table say of it."""

    name: str
    path: str  # of an SVG in which 100 by 100 is all
    curve: Curve
    first: datetime | None
    half: datetime | None
    last: datetime | None


@dataclass(frozen=True)
class Picture:
    lines: list[Line]
    ticks: list[Tick]
    due: datetime | None
    due_place: float | None  # percent; None where it would not fit
    is_over: bool  # the due date has passed

    @property
    def whole(self) -> Line:
        return self.lines[0]

    @property
    def sentences(self) -> str:
        """The same in words."""
        whole = self.whole
        values: dict[str, object] = {
            "submitted": whole.curve.submitted,
            "students": whole.curve.students,
            "in_time": whole.curve.in_time,
        }
        times = {"first": whole.first, "half": whole.half, "last": whole.last, "due": self.due}
        values |= {name: local(moment) for name, moment in times.items()}
        sentences = [_how_many(whole.curve, is_over=self.is_over)]
        if whole.curve.submitted > 1:
            sentences.append(
                _("The first came %(first)s; half of these students had submitted by %(half)s, and all by %(last)s.")
            )
        else:
            sentences.append(_("The first came %(first)s."))
        if self.due and not self.is_over:
            sentences.append(_("Due %(due)s."))
        return " ".join(sentences) % values


class Span(NamedTuple):
    """The time that the picture shows."""

    start: datetime
    end: datetime

    def place(self, moment: datetime) -> float:
        return round(100 * ((moment - self.start) / (self.end - self.start)), 2)


def submissions_over_time(curves: Curves, due: datetime | None, now: datetime) -> Picture | None:
    """Return the picture, or None where no student has submitted."""
    if not curves.whole.moments:
        return None
    span = _span(curves.whole.moments[0], curves.whole.moments[-1], due)
    shows_due = due is not None and span.start <= due <= span.end
    named = [(_("All students"), curves.whole)]
    named += [(_section(name), curve) for name, curve in curves.sections.items()]
    return Picture(
        [_line(name, curve, span, now) for name, curve in named],
        _ticks(span),
        due,
        span.place(due) if due and shows_due else None,
        due is not None and due < now,
    )


def _how_many(curve: Curve, *, is_over: bool) -> str:
    if is_over and curve.students == 1:
        return _("Counted from first attempts, 1 of 1 student has submitted, %(in_time)d by the due date, %(due)s.")
    if is_over:
        return ngettext(
            "Counted from first attempts, %(submitted)d of %(students)d students has submitted, %(in_time)d by the due "
            "date, %(due)s.",
            "Counted from first attempts, %(submitted)d of %(students)d students have submitted, %(in_time)d by the "
            "due date, %(due)s.",
            curve.submitted,
        )
    if curve.students == 1:
        return _("Counted from first attempts, 1 of 1 student has submitted.")
    return ngettext(
        "Counted from first attempts, %(submitted)d of %(students)d students has submitted.",
        "Counted from first attempts, %(submitted)d of %(students)d students have submitted.",
        curve.submitted,
    )


def _section(name: str) -> str:
    return _("Section %(name)s") % {"name": name} if name else _("No section")


def _span(first: datetime, last: datetime, due: datetime | None) -> Span:
    """Return the time from the first to the last, and to the due date if half of the picture remains for these."""
    length = max(last - first, SHORTEST)
    start, end = first, max(last, first + SHORTEST)
    if due is not None and due - length <= end and due + length >= start:
        start, end = min(start, due), max(end, due)
    margin = (end - start) / 50
    return Span(start - margin, end + margin)


def _line(name: str, curve: Curve, span: Span, now: datetime) -> Line:
    path, height = ["M0 100"], 100.0
    for moment, count in zip(curve.moments, curve.counts, strict=True):
        height = round(100 - 100 * count / max(curve.students, 1), 2)
        path.append(f"H{span.place(moment):g}V{height:g}")
    path.append(f"H{min(span.place(now), 100):g}" if now > span.start else "")
    first, half, last = (curve.moment_of(share) if curve.moments else None for share in (0, 0.5, 1))
    return Line(name, "".join(path), curve, first, half, last)


def _ticks(span: Span) -> list[Tick]:
    zone = timezone.get_current_timezone()
    length = span.end - span.start
    step = next((step for step in STEPS if length / step <= MAX_TICKS), STEPS[-1])
    day = in_zone(span.start, zone).replace(hour=0, minute=0, second=0, microsecond=0)
    ticks = []
    while day < span.end:
        # On a local day each time is as many hours after midnight as the clock says.
        for moment in (day + step * number for number in range(max(1, -(-DAY // step)))):
            if span.start <= moment <= span.end:
                is_midnight = (moment.hour, moment.minute) == (0, 0)
                label = date_format(moment, pgettext("format of a day and month", "j M") if is_midnight else "H:i")
                ticks.append(Tick(span.place(moment), label))
        day += max(step, DAY)
    return ticks
