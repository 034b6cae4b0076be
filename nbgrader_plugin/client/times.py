"""Times as the server writes them, and as nbgrader does.

The server writes ISO 8601 in UTC. nbgrader has one text for several uses: the name of a feedback folder, a sort key,
and `timestamp.txt`, from which autograde takes lateness. It is always UTC here: nbgrader's own parser
(nbgrader/utils.py, `parse_utc`) takes "CEST" for UTC and "+0200" for 200 seconds.
"""

import re
from datetime import date, datetime, timezone, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dateutil.tz import gettz
from nbgrader.utils import parse_utc

from ..translation import gettext as _
from .errors import InvalidResponse

NBGRADER_FORMAT = "%Y-%m-%d %H:%M:%S.%f %Z"
USUAL = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6} UTC")  # a time in this form


def from_server(text: object) -> datetime:
    """Return an aware time, in UTC; raise InvalidResponse if the text is none."""
    if not isinstance(text, str):
        raise InvalidResponse(_("The exchange sent a time that is not text."))
    try:
        instant = datetime.fromisoformat(text[:-1] + "+00:00" if text.endswith("Z") else text)  # 3.10 knows no Z
        if instant.tzinfo is None:
            raise InvalidResponse(_("The exchange sent a time without a zone."))
        return instant.astimezone(timezone.utc)
    except (ValueError, OverflowError) as error:  # in UTC it may lie before the year 1
        raise InvalidResponse(_("The exchange sent a time that cannot be read.")) from error


def to_server(instant: datetime) -> str:
    """Return ISO 8601 with microseconds; a naive time is taken as UTC, as in nbgrader's gradebook."""
    aware = instant.replace(tzinfo=timezone.utc) if instant.tzinfo is None else instant.astimezone(timezone.utc)
    return f"{_iso(aware, 'T')}Z"


def to_nbgrader(instant: datetime, timestamp_format: str = NBGRADER_FORMAT) -> str:
    """Return nbgrader's text for an instant, in UTC.

    `timestamp_format` is `c.Exchange.timestamp_format`. One that loses microseconds would make two attempts of one
    second the same, and could not name a submission to the server: then nbgrader's default is used.
    """
    aware = instant.astimezone(timezone.utc)
    usual = f"{_iso(aware, ' ')} UTC"
    if timestamp_format == NBGRADER_FORMAT:
        return usual
    text = aware.strftime(timestamp_format)
    return text if "/" not in text and from_nbgrader(text) == aware else usual


def find_zone(name: str) -> tzinfo | None:
    """Return the time zone of this name; None if this computer does not know it.

    dateutil, which brings its own zones, is the second choice: it knows no daylight saving time after 2037.
    """
    try:
        return ZoneInfo(name)
    except ZoneInfoNotFoundError:
        return gettz(name)
    except (ValueError, OSError):  # a path, or a folder of zones
        return None


def for_reader(instant: datetime, zone: tzinfo | None = None, *, today: date | None = None) -> str:
    """Return an instant as a person reads it, with the name of the zone; without a `zone` in that of this computer.

    With `today`, a time of that day goes without the date.
    """
    try:
        local = instant.astimezone(zone)
    except (OverflowError, ValueError):  # there it lies before the year 1, or after 9999: "never", say
        local = instant.astimezone(timezone.utc)
    time_of_day = f"{local:%H:%M} {local:%Z}".rstrip()
    return time_of_day if local.date() == today else f"{local.date().isoformat()} {time_of_day}"


def _iso(aware: datetime, separator: str) -> str:
    """Return the time in UTC with all its digits: `strftime` writes the year 1 as `1`, which reads as 2001."""
    return aware.replace(tzinfo=None).isoformat(sep=separator, timespec="microseconds")


def from_nbgrader(text: str) -> datetime | None:
    """Return the instant that nbgrader would read from the text, aware, in UTC; None if it is no time."""
    text = text.strip()
    try:
        # Its parser takes a millisecond for each, and a collect has thousands.
        instant = datetime.fromisoformat(text[:-4]) if USUAL.fullmatch(text) else parse_utc(text)
    except (ValueError, OverflowError, TypeError):
        return None
    return instant.replace(tzinfo=timezone.utc)
