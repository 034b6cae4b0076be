"""A picture of hand-ins over time, as an SVG in the page: bars by day, or by hour where all fell within two days."""

from collections import Counter
from datetime import datetime, timedelta

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

WIDTH, HEIGHT, LEFT, BOTTOM = 640, 170, 34, 24  # of the picture, in its own units
MOST_BARS = 60


def hand_ins(moments: list[datetime], due: datetime | None) -> SafeString | None:
    """A <figure>, or None where there is nothing to show. The sentence below it says the same as the picture."""
    if not moments:
        return None
    step, counts = _counted(moments)
    start, end = min(counts), max(counts)
    slots = max(1, round((end - start) / step) + 1)
    tallest = max(counts.values())
    room, height = WIDTH - LEFT, HEIGHT - BOTTOM - 12
    width = min(room / slots, 40)
    bars = format_html_join(
        "",
        '<rect x="{}" y="{}" width="{}" height="{}"><title>{}: {}</title></rect>',
        (
            (
                f"{LEFT + round((moment - start) / step) * width + 1:.1f}",
                f"{HEIGHT - BOTTOM - height * count / tallest:.1f}",
                f"{max(width - 2, 1):.1f}",
                f"{height * count / tallest:.1f}",
                _label(moment, step),
                count,
            )
            for moment, count in sorted(counts.items())
        ),
    )
    peak = max(counts, key=lambda moment: counts[moment])
    return format_html(
        '<figure><svg viewBox="0 0 {} {}" role="img" aria-labelledby="hand-ins">{}{}{}</svg>'
        '<figcaption id="hand-ins">{} between {} and {}; most, {}, on {}.{}</figcaption></figure>',
        WIDTH,
        HEIGHT,
        _axes(tallest, _label(start, step), _label(end, step)),
        bars,
        _due_line(due, start, step, slots, width),
        "1 hand-in" if len(moments) == 1 else f"{len(moments)} hand-ins",
        f"{min(moments):%Y-%m-%d %H:%M}",
        f"{max(moments):%Y-%m-%d %H:%M}",
        counts[peak],
        _label(peak, step),
        f" Due {due:%Y-%m-%d %H:%M}." if due else "",
    )


def _counted(moments: list[datetime]) -> tuple[timedelta, Counter[datetime]]:
    """The width of a bar in time, and how many fell into each."""
    span = max(moments) - min(moments)
    if span <= timedelta(days=2):
        return timedelta(hours=1), Counter(moment.replace(minute=0, second=0, microsecond=0) for moment in moments)
    days = max(1, -(-span.days // MOST_BARS))
    first = min(moments).replace(hour=0, minute=0, second=0, microsecond=0)
    step = timedelta(days=days)
    return step, Counter(first + (moment - first) // step * step for moment in moments)


def _label(moment: datetime, step: timedelta) -> str:
    return f"{moment:%Y-%m-%d %H:00}" if step < timedelta(days=1) else f"{moment:%Y-%m-%d}"


def _axes(tallest: int, first: str, last: str) -> SafeString:
    floor = HEIGHT - BOTTOM
    return format_html(
        '<line x1="{0}" y1="{1}" x2="{2}" y2="{1}"></line><text x="0" y="{1}">0</text><text x="0" y="20">{3}</text>'
        '<text x="{0}" y="{4}">{5}</text>{6}',
        LEFT,
        floor,
        WIDTH,
        tallest,
        HEIGHT - 6,
        first,
        format_html('<text x="{}" y="{}" text-anchor="end">{}</text>', WIDTH, HEIGHT - 6, last)
        if last != first
        else "",
    )


def _due_line(due: datetime | None, start: datetime, step: timedelta, slots: int, width: float) -> SafeString | str:
    place = (due - start) / step if due else -1
    if not 0 <= place <= slots:
        return ""
    return format_html(
        '<line class="due" x1="{0}" y1="12" x2="{0}" y2="{1}"></line>', f"{LEFT + place * width:.1f}", HEIGHT - BOTTOM
    )
