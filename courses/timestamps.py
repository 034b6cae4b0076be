"""How an instant is written in JSON."""

from datetime import datetime


def format_timestamp(moment: datetime) -> str:
    """Return an aware UTC instant in ISO 8601 with microseconds.

    >>> from datetime import UTC
    >>> format_timestamp(datetime(2026, 11, 24, 14, 33, 56, 120, tzinfo=UTC))
    '2026-11-24T14:33:56.000120Z'
    """
    # Not strftime, which writes the year 1 without its zeros.
    return f"{moment.replace(tzinfo=None).isoformat(timespec='microseconds')}Z"
