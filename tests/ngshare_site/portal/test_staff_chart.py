"""The chart of submissions: how they are counted, and what its caption says."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from ngshare_site.portal.chart import MAX_BARS, submissions_over_time

NOON = datetime(2026, 11, 3, 12, 30, tzinfo=UTC)


def test_nothing_is_no_chart():
    assert submissions_over_time([], NOON) is None


def test_one_is_a_bar_of_an_hour():
    figure = submissions_over_time([NOON], None)
    assert figure.count("<rect") == 1 and "<title>2026-11-03 12:00: 1</title>" in figure
    assert "1 submission between 2026-11-03 12:30 and 2026-11-03 12:30" in figure and "Due" not in figure


def test_within_two_days_a_bar_is_an_hour_and_then_a_day():
    moments = [NOON, NOON + timedelta(minutes=29), NOON + timedelta(hours=2)]
    assert submissions_over_time(moments, None).count("<rect") == 2
    moments.append(NOON + timedelta(days=3))
    figure = submissions_over_time(moments, None)
    assert figure.count("<rect") == 2 and "<title>2026-11-03: 3</title>" in figure
    assert "4 submissions between" in figure and "the most, 3, on 2026-11-03" in figure


def test_a_long_time_has_few_bars():
    moments = [NOON + timedelta(days=day) for day in range(400)]
    assert submissions_over_time(moments, None).count("<rect") <= MAX_BARS + 1


def test_due_date_is_a_line_where_it_falls_into_the_picture():
    moments = [NOON, NOON + timedelta(hours=5)]
    assert 'class="due"' in submissions_over_time(moments, NOON + timedelta(hours=1))
    figure = submissions_over_time(moments, NOON + timedelta(days=9))
    assert 'class="due"' not in figure and "Due 2026-11-12 12:30." in figure


def test_last_label_ends_where_the_last_bar_ends():
    for days in (1, 2, 3, 30):
        figure = submissions_over_time([NOON, NOON + timedelta(days=days, hours=1)], None)
        *_, (x, width) = re.findall(r'<rect x="([\d.]+)" y="[\d.]+" width="([\d.]+)"', figure)
        (label,) = re.findall(r'<text x="([\d.]+)" y="\d+" text-anchor="end">', figure)
        assert float(label) == pytest.approx(float(x) + float(width) + 1, abs=0.2)
