"""The chart of submissions over time, an SVG in the page: a bar for each day, or for each hour of two days at most."""

from collections import Counter
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from courses.timestamps import in_zone

WIDTH, HEIGHT, LEFT, BOTTOM = 640, 170, 34, 24  # of the picture, in its own units
MAX_BARS = 60
WIDEST_BAR = 160


def submissions_over_time(moments: list[datetime], due: datetime | None) -> SafeString | None:
    """Return a <figure>, or None without submissions. Its caption says in words what the picture shows."""
    if not moments:
        return None
    zone = timezone.get_current_timezone()
    moments, due = [in_zone(moment, zone) for moment in moments], due and in_zone(due, zone)
    step, counts = _count_by_step(moments)
    start, end = min(counts), max(counts)
    slots = max(1, round((end - start) / step) + 1)
    tallest = max(counts.values())
    room, height = WIDTH - LEFT, HEIGHT - BOTTOM - 12
    width = min(room / slots, WIDEST_BAR)
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
        '<figure><svg viewBox="0 0 {} {}" role="img" aria-labelledby="submissions-chart">{}{}{}</svg>'
        '<figcaption id="submissions-chart">{} between {} and {}; the most, {}, on {}.{}</figcaption></figure>',
        WIDTH,
        HEIGHT,
        _axes(tallest, _label(start, step), _label(end, step), LEFT + slots * width),
        bars,
        _due_line(due, start, step, slots, width),
        "1 submission" if len(moments) == 1 else f"{len(moments)} submissions",
        f"{min(moments):%Y-%m-%d %H:%M}",
        f"{max(moments):%Y-%m-%d %H:%M}",
        counts[peak],
        _label(peak, step),
        f" Due {due:%Y-%m-%d %H:%M}." if due else "",
    )


def _count_by_step(moments: list[datetime]) -> tuple[timedelta, Counter[datetime]]:
    """Return the time that a bar stands for, and the number of submissions by the start of each bar."""
    span = max(moments) - min(moments)
    if span <= timedelta(days=2):
        return timedelta(hours=1), Counter(moment.replace(minute=0, second=0, microsecond=0) for moment in moments)
    days = max(1, -(-span.days // MAX_BARS))
    first = min(moments).replace(hour=0, minute=0, second=0, microsecond=0)
    step = timedelta(days=days)
    return step, Counter(first + (moment - first) // step * step for moment in moments)


def _label(moment: datetime, step: timedelta) -> str:
    return f"{moment:%Y-%m-%d %H:00}" if step < timedelta(days=1) else f"{moment:%Y-%m-%d}"


def _axes(tallest: int, first: str, last: str, right: float) -> SafeString:
    floor = HEIGHT - BOTTOM
    return format_html(
        '<line x1="{0}" y1="{1}" x2="{2}" y2="{1}"></line><text x="0" y="{1}">0</text><text x="0" y="20">{3}</text>'
        '<text x="{0}" y="{4}">{5}</text>{6}',
        LEFT,
        floor,
        f"{right:.1f}",
        tallest,
        HEIGHT - 6,
        first,
        format_html('<text x="{}" y="{}" text-anchor="end">{}</text>', f"{right:.1f}", HEIGHT - 6, last)
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
