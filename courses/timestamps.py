"""How an instant is written: in JSON in UTC, in sentences for people in the zone of their course."""

from datetime import datetime
from zoneinfo import ZoneInfo


def format_timestamp(moment: datetime) -> str:
    """Return an aware UTC instant in ISO 8601 with microseconds.

    >>> from datetime import UTC
    >>> format_timestamp(datetime(2026, 11, 24, 14, 33, 56, 120, tzinfo=UTC))
    '2026-11-24T14:33:56.000120Z'
    """
    # Not strftime, which writes the year 1 without its zeros.
    return f"{moment.replace(tzinfo=None).isoformat(timespec='microseconds')}Z"


def local_text(moment: datetime, zone: ZoneInfo) -> str:
    """Return an instant to the minute, with its zone. The abbreviation tells apart the hour that comes twice.

    >>> from datetime import UTC
    >>> local_text(datetime(2026, 10, 25, 0, 30, tzinfo=UTC), ZoneInfo("Europe/Berlin"))
    '2026-10-25 02:30 CEST (Europe/Berlin)'
    >>> local_text(datetime(2026, 10, 25, 0, 30, tzinfo=UTC), ZoneInfo("UTC"))
    '2026-10-25 00:30 UTC'
    """
    text = f"{moment.astimezone(zone):%Y-%m-%d %H:%M %Z}"
    return text if zone.key == "UTC" else f"{text} ({zone.key})"
