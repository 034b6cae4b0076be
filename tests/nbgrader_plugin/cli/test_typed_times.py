"""Times as people type them."""

from datetime import UTC, datetime

import pytest

from nbgrader_plugin.cli.output import CommandFailed
from nbgrader_plugin.cli.typed_times import parse_time
from nbgrader_plugin.client.times import find_zone

BERLIN = find_zone("Europe/Berlin")


@pytest.mark.parametrize(
    ("typed", "hour"),
    [
        ("2027-01-31T12:00", 11),
        (" 2027-01-31 12:00:00 ", 11),
        ("2027-07-31T12:00", 10),
        ("2101-07-31T12:00", 10),
        ("2027-01-31T12:00Z", 12),
        ("2027-01-31T12:00z", 12),
        ("2027-01-31 12:00-03:00", 15),
    ],
)
def test_time_is_of_the_course_unless_it_has_an_offset(typed, hour):
    moment = parse_time(typed, BERLIN)
    assert (moment.hour, moment.tzinfo) == (hour, UTC)


@pytest.mark.parametrize("typed", ["none", "None", " NONE "])
def test_none_is_no_time(typed):
    assert parse_time(typed, BERLIN) is None


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("2027-01-31", "2027-01-31 lacks a time of day: write 2027-01-31T23:59, say."),
        ("tomorrow", "tomorrow is no time: write 2026-12-01T23:59, 2026-12-01T23:59+01:00, or none."),
        ("2027-02-30T12:00", "2027-02-30T12:00 is no time: write 2026-12-01T23:59, 2026-12-01T23:59+01:00, or none."),
        ("", " is no time: write 2026-12-01T23:59, 2026-12-01T23:59+01:00, or none."),
        ("0001-01-01T00:00+14:00", None),
        ("9999-12-31T23:59-14:00", None),
        (
            "2027-03-28T02:30",
            "There is no 2027-03-28T02:30 in the time zone of the course: the clocks go forward then.",
        ),
        (
            "2027-10-31T02:30",
            "2027-10-31T02:30 comes twice, as the clocks go back then: add the offset, +02:00 or +01:00.",
        ),
    ],
)
def test_what_is_no_time_or_two_is_refused(typed, sentence):
    with pytest.raises(CommandFailed) as caught:
        parse_time(typed, BERLIN)
    assert sentence is None or str(caught.value) == sentence


def test_each_of_two_equal_times_can_be_meant():
    times = [parse_time(f"2027-10-31T02:30{offset}", BERLIN) for offset in ("+02:00", "+01:00")]
    assert times == [datetime(2027, 10, 31, 0, 30, tzinfo=UTC), datetime(2027, 10, 31, 1, 30, tzinfo=UTC)]


def test_without_a_zone_times_need_an_offset():
    assert parse_time("2027-01-31T12:00+01:00", None).hour == 11
    with pytest.raises(CommandFailed, match="write times with an offset"):
        parse_time("2027-01-31T12:00", None)
