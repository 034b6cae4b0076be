"""The picture of submissions over time: which share of the students, of all and of each section, had submitted when.

The page stretches it to its width, so places are percentages; its sentences and its table say the same in words.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from courses.templatetags.times import local
from courses.timestamps import in_zone
from exchange.submission_curve import Curve, Curves

SHORTEST = timedelta(minutes=10)  # that the picture shows
MAX_TICKS = 7
FEWEST = 3  # students whose first submissions make a curve
DAY = timedelta(days=1)
STEPS = [timedelta(minutes=each) for each in (1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720)]
STEPS += [DAY * each for each in (1, 2, 4, 7, 14, 28, 56, 91, 182, 364)]


class Tick(NamedTuple):
    place: float  # percent from the left
    label: str
    is_day: bool  # the label is a day, which is the one of those that follow


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
    def is_drawn(self) -> bool:
        """Whether there is more to see than the sentences say."""
        return self.whole.curve.submitted >= FEWEST

    @property
    def sentences(self) -> str:
        """The same in words."""
        whole = self.whole
        values: dict[str, object] = {
            "submitted": whole.curve.submitted,
            "in_time": whole.curve.in_time,
        }
        times = {"first": whole.first, "half": whole.half, "last": whole.last, "due": self.due}
        values |= {name: local(moment) for name, moment in times.items()}
        in_time = _("First attempts by the due date (%(due)s): %(in_time)d of %(submitted)d.")
        sentences = [in_time] if self.is_over else []
        if whole.curve.submitted > 1:
            sentences.append(
                _("The first came %(first)s; half of them had come by %(half)s, and the last came %(last)s.")
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
    """Return the picture, or None where no student has submitted; `is_drawn` says whether it is worth a look."""
    if not curves.whole.moments:
        return None
    span = _span(curves.whole.moments[0], curves.whole.moments[-1], due, now)
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


def _section(name: str) -> str:
    return _("Section %(name)s") % {"name": name} if name else _("No section")


def _span(first: datetime, last: datetime, due: datetime | None, now: datetime) -> Span:
    """Return the time from the first to the last; to the due date, or else till now before it, where half remains."""
    length = max(last - first, SHORTEST)
    start, end = first, max(last, first + SHORTEST)
    if due is not None and due - length <= end and due + length >= start:
        start, end = min(start, due), max(end, due)
    elif (due is None or now < due) and now - length <= end:
        end = max(end, now)
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
    ticks: list[Tick] = []
    while day < span.end:
        # On a local day each time is as many hours after midnight as the clock says.
        for moment in (day + step * number for number in range(max(1, -(-DAY // step)))):
            if span.start <= moment <= span.end and _exists(moment):
                is_day = (moment.hour, moment.minute) == (0, 0)
                ticks.append(Tick(span.place(moment), _label(moment, is_day=is_day, is_first=not ticks), is_day))
        day += max(step, DAY)
    return ticks


def _exists(moment: datetime) -> bool:
    """Return whether a clock shows this time: in spring, it skips an hour."""
    before, after = moment.replace(fold=0).utcoffset(), moment.replace(fold=1).utcoffset()
    return before is None or after is None or before >= after


def _label(moment: datetime, *, is_day: bool, is_first: bool) -> str:
    """Return the day at midnight, the time at others, and both at the first, so that there is always a day."""
    day = date_format(moment, pgettext("format of a day and month", "j M"))
    if is_day:
        return day
    time = date_format(moment, "H:i")
    return f"{day} {time}" if is_first else time
