"""Times of the server and of nbgrader."""

from datetime import UTC, date, datetime, timedelta

import pytest
from dateutil.tz import gettz
from nbgrader.utils import parse_utc

from nbgrader_plugin.client import times
from nbgrader_plugin.client.errors import InvalidResponse


def test_time_survives_the_way_to_nbgrader_and_back():
    instant = times.from_server("2026-11-24T14:33:56.000006+02:00")
    text = times.to_nbgrader(instant)
    assert text == "2026-11-24 12:33:56.000006 UTC"
    assert parse_utc(text) == instant.replace(tzinfo=None)
    assert times.from_nbgrader(f"{text}\n") == instant
    assert times.to_server(instant) == "2026-11-24T12:33:56.000006Z"


@pytest.mark.parametrize(
    "text", ["2026-11-24 12:33:56.000006 UTC", "2026-11-24 12:33:56.000006 CET", "2026-02-30 12:33:56.000006 UTC"]
)
def test_text_is_read_as_nbgrader_reads_it(text):
    try:
        expected = parse_utc(text).replace(tzinfo=UTC)
    except ValueError:
        expected = None
    assert times.from_nbgrader(text) == expected


@pytest.mark.parametrize("form", ["%Y-%m-%d %H:%M", "%Y/%m/%d %H:%M:%S.%f", "nonsense", "../%Y-%m-%d %H:%M:%S.%f"])
def test_format_that_loses_the_time_or_is_no_name_is_not_used(form):
    instant = datetime(2026, 11, 24, 12, 33, 56, 7, UTC)
    assert times.to_nbgrader(instant, form) == "2026-11-24 12:33:56.000007 UTC"


@pytest.mark.parametrize(
    "text", [None, 3, "", "yesterday", "2026-11-24T12:00:00", "0001-01-01T00:00:00+05:00", "9999-12-31T23:59:59-05:00"]
)
def test_time_of_another_form_is_refused(text):
    with pytest.raises(InvalidResponse):
        times.from_server(text)


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00.000000Z", "0099-03-04T05:06:07.000008Z"])
def test_first_years_keep_their_zeros(text):
    instant = times.from_server(text)
    assert times.to_server(instant) == text
    assert times.to_nbgrader(instant) == f"{text[:10]} {text[11:-1]} UTC"
    assert times.from_nbgrader(times.to_nbgrader(instant)) == instant


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("2027-01-31T22:59:00Z", "2027-01-31 23:59 CET"),
        ("2027-07-01T21:59:00Z", "2027-07-01 23:59 CEST"),
        ("2027-03-28T00:59:00Z", "2027-03-28 01:59 CET"),
        ("2027-03-28T01:00:00Z", "03:00 CEST"),
        ("9999-12-31T23:59:59Z", "9999-12-31 23:59 UTC"),
    ],
)
def test_reader_is_told_the_zone(text, shown):
    today = date(2027, 3, 28) if shown[0] == "0" else None
    assert times.for_reader(times.from_server(text), gettz("Europe/Berlin"), today=today) == shown


@pytest.mark.parametrize(("name", "hours"), [("Europe/Berlin", 2), ("UTC", 0)])
def test_zone_has_daylight_saving_time_in_any_year(name, hours):
    assert times.find_zone(name).utcoffset(datetime(2101, 7, 1)) == timedelta(hours=hours)


@pytest.mark.parametrize("name", ["Nowhere/Nothing", "../etc/passwd", "/etc/passwd", "Europe"])
def test_unknown_zone_is_none(name):
    assert times.find_zone(name) is None
