"""The picture of submissions over time: for an hour and for weeks, with the due date, by section, and in words."""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.template.loader import render_to_string
from django.utils import timezone

from exchange.submission_curve import Curve, Curves
from ngshare_site.portal.staff.chart import MAX_TICKS, submissions_over_time

NOON = datetime(2026, 11, 3, 12, 30, tzinfo=UTC)
LATER = NOON + timedelta(days=400)


def curve(*hours, students=10, in_time=None):
    moments = [NOON + timedelta(hours=each) for each in hours]
    submitted = len(hours)
    return Curve(students, moments, [*range(1, submitted + 1)], submitted, submitted if in_time is None else in_time)


def picture(*hours, due=None, now=LATER, sections=None, **options):
    return submissions_over_time(Curves(curve(*hours, **options), sections or {}), due, now)


def text(shown):
    return " ".join(re.sub("<[^>]*>", " ", render_to_string("ngshare/staff/chart.html", {"chart": shown})).split())


def test_nobody_is_no_picture():
    assert submissions_over_time(Curves(Curve(3), {}), NOON, LATER) is None


@pytest.mark.parametrize(
    ("span", "labels"),
    [
        (timedelta(hours=1), ["3 Nov 12:30", "12:40", "12:50", "13:00", "13:10", "13:20", "13:30"]),
        (timedelta(hours=30), ["3 Nov 12:00", "18:00", "4 Nov", "06:00", "12:00", "18:00"]),
        (timedelta(days=21), ["7 Nov", "11 Nov", "15 Nov", "19 Nov", "23 Nov"]),
    ],
)
def test_ticks_are_round_times_whatever_the_span(span, labels):
    ticks = picture(0, span / timedelta(hours=1)).ticks
    assert [tick.label for tick in ticks][: len(labels)] == labels and len(ticks) <= MAX_TICKS
    assert all(0 <= tick.place <= 100 for tick in ticks)


@pytest.mark.parametrize("days", [0, 0.01, 0.3, 1, 2, 5, 9, 33, 80, 200, 700])
def test_no_span_has_too_many_ticks_or_none(days):
    assert 1 <= len(picture(0, 24 * days).ticks) <= MAX_TICKS + 1


def test_ticks_are_in_the_zone_of_the_page():
    with timezone.override(ZoneInfo("Asia/Kolkata")):
        assert picture(0, 1).ticks[0].label == "3 Nov 18:00"


def test_hour_that_a_clock_skips_has_no_tick():
    before = datetime(2027, 3, 28, 0, 10, tzinfo=UTC)  # 50 minutes before Berlin's clocks go from 2 to 3
    moments = [before, before + timedelta(hours=3)]
    with timezone.override(ZoneInfo("Europe/Berlin")):
        ticks = submissions_over_time(Curves(Curve(2, moments, [1, 2], 2), {}), None, LATER + timedelta(days=300)).ticks
    assert [tick.label for tick in ticks] == ["28 Mar 01:30", "03:00", "03:30", "04:00", "04:30", "05:00"]


def test_phones_keep_the_days():
    assert [tick.label for tick in picture(0, 30).ticks if tick.is_day] == ["4 Nov"]
    page = render_to_string("ngshare/staff/chart.html", {"chart": picture(0, 15, 30)})
    assert re.findall(r'class="day"[^>]*>([^<]*)<', page) == ["4 Nov"]


def test_few_submissions_are_sentences_alone():
    assert picture(0).whole.path == "M0 100H1.92V90H100"
    for hours, is_drawn in [([0], False), ([0, 1], False), ([0, 1, 2], True)]:
        page = render_to_string("ngshare/staff/chart.html", {"chart": picture(*hours)})
        assert ("<svg" in page) is is_drawn and "The first came" in page


def test_curve_steps_up_and_ends_now():
    shown = picture(0, 10, students=2, now=NOON + timedelta(hours=10))
    assert shown.whole.path == "M0 100H1.92V50H98.08V0H98.08"


def test_due_date_is_marked_where_it_fits():
    assert picture(0, 10, due=NOON + timedelta(hours=5)).due_place == 50
    assert picture(0, 10, due=NOON + timedelta(hours=20)).due_place is not None
    assert picture(0, 10, due=NOON - timedelta(hours=9)).due_place is not None
    assert picture(0, 10, due=NOON + timedelta(days=30)).due_place is None


def test_picture_goes_on_till_now_before_the_due_date_where_that_fits():
    due, ends = NOON + timedelta(days=90), []
    for hours in (10, 15, 20, 21):
        ends.append(picture(0, 10, due=due, now=NOON + timedelta(hours=hours)).whole.path.rpartition("H")[2])
    assert ends == ["98.08", "98.08", "98.08", "100"]


def test_words_say_what_the_picture_shows():
    due = NOON + timedelta(hours=1)
    said = text(picture(0, 1, 2, due=due, in_time=2))
    assert "First attempts by the due date (2026-11-03 13:30 UTC): 2 of 3." in said
    assert "When students first submitted" in said and "% of students" in said
    assert "The first came 2026-11-03 12:30 UTC; half of them had come by 2026-11-03 13:30 UTC" in said
    assert "and the last came 2026-11-03 14:30 UTC." in said


def test_due_date_to_come_is_announced():
    said = text(picture(0, due=NOON + timedelta(days=90), now=NOON + timedelta(hours=1)))
    assert "The first came 2026-11-03 12:30 UTC. Due 2027-02-01" in said


def test_each_section_is_a_line_and_a_row():
    sections = {"A": curve(0, 1, 2, students=4), "": Curve(6)}
    shown = picture(0, 1, 2, sections=sections)
    assert [line.name for line in shown.lines] == ["All students", "Section A", "No section"]
    page = render_to_string("ngshare/staff/chart.html", {"chart": shown})
    assert page.count('<path class="line c') == 6 and page.count('<th scope="row"') == 3
    assert 'role="img" aria-labelledby="curves"' in page


def test_numbers_in_the_picture_are_written_with_a_point(settings):
    settings.USE_THOUSAND_SEPARATOR = True
    page = render_to_string("ngshare/staff/chart.html", {"chart": picture(0, 0.5, 1, due=NOON + timedelta(minutes=20))})
    assert re.search(r'class="due" d="M33\.\d+ 0V100"', page)
