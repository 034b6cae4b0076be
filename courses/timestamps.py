"""How an instant is written and read: in JSON in UTC, in sentences, forms and tables in the zone of their course."""

import re
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import pgettext_lazy

from courses.errors import Invalid

# The abbreviations of zones that have another one in other languages
ZONES = {"CET": pgettext_lazy("time zone", "CET"), "CEST": pgettext_lazy("time zone", "CEST")}
DATE_ALONE = re.compile(r"\d{4}-?\d\d-?\d\d")


def format_timestamp(moment: datetime) -> str:
    """Return an aware UTC instant in ISO 8601 with microseconds.

    >>> from datetime import UTC
    >>> format_timestamp(datetime(2026, 11, 24, 14, 33, 56, 120, tzinfo=UTC))
    '2026-11-24T14:33:56.000120Z'
    """
    # Not strftime, which writes the year 1 without its zeros.
    return f"{moment.replace(tzinfo=None).isoformat(timespec='microseconds')}Z"


def in_zone(moment: datetime, zone: tzinfo) -> datetime:
    """Return an instant in the zone; in UTC where the calendar ends: a due date of the year 9999 may mean never.

    >>> in_zone(datetime(9999, 12, 31, 23, 59, tzinfo=UTC), ZoneInfo("Europe/Berlin"))
    datetime.datetime(9999, 12, 31, 23, 59, tzinfo=datetime.timezone.utc)
    """
    try:
        return moment.astimezone(zone)
    except OverflowError:
        return moment.astimezone(UTC)


def text_in_zone(moment: datetime, zone: tzinfo, *, seconds: bool = False) -> str:
    """Return an instant to the minute, or second, with its zone, as the language of the page writes it.

    The abbreviation tells apart the hour that comes twice, in which Django's own format leaves it out.
    """
    local = in_zone(moment, zone)
    abbreviation = f"{local:%Z}"
    time = f"{local:%H:%M:%S}" if seconds else f"{local:%H:%M}"
    return f"{date_format(local, 'DATE_FORMAT')} {time} {ZONES.get(abbreviation, abbreviation)}"


def local_text(moment: datetime, zone: ZoneInfo) -> str:
    """Return an instant to the minute, with the abbreviation and the name of its zone.

    >>> from datetime import UTC
    >>> local_text(datetime(2026, 10, 25, 0, 30, tzinfo=UTC), ZoneInfo("Europe/Berlin"))
    '2026-10-25 02:30 CEST (Europe/Berlin)'
    >>> local_text(datetime(2026, 10, 25, 0, 30, tzinfo=UTC), ZoneInfo("UTC"))
    '2026-10-25 00:30 UTC'
    """
    text = text_in_zone(moment, zone)
    return text if zone.key == "UTC" else f"{text} ({zone.key})"


def parse_iso(text: str, zone: ZoneInfo) -> datetime:
    """Return the instant of a time in ISO 8601; one without an offset is in this zone. Errors: Invalid.

    >>> parse_iso("2026-10-25T02:30+02:00", ZoneInfo("UTC")), parse_iso("2026-07-01 12:00", ZoneInfo("Europe/Berlin"))
    (datetime.datetime(2026, 10, 25, 0, 30, tzinfo=datetime.timezone.utc), \
datetime.datetime(2026, 7, 1, 10, 0, tzinfo=datetime.timezone.utc))
    """
    if DATE_ALONE.fullmatch(text.strip()):
        raise Invalid(_("%(date)s lacks the time of day; write for example %(date)sT23:59") % {"date": text.strip()})
    try:
        moment = datetime.fromisoformat(text.strip())
        return moment.astimezone(UTC) if moment.tzinfo else from_local(moment, zone)
    except (ValueError, OverflowError) as error:
        sentence = _("%(text)r is not a time; write it as 2026-11-30T23:59 or, with an offset, 2026-11-30T23:59+01:00")
        raise Invalid(sentence % {"text": text[:40]}) from error


def from_local(naive: datetime, zone: ZoneInfo) -> datetime:
    """Return the instant of a local time. In an hour that comes twice it is the second: nobody is late too early.

    Errors: Invalid for a time that the clocks skip.

    >>> from_local(datetime(2026, 10, 25, 2, 30), ZoneInfo("Europe/Berlin"))
    datetime.datetime(2026, 10, 25, 1, 30, tzinfo=datetime.timezone.utc)
    """
    try:
        moment = naive.replace(tzinfo=zone, fold=1).astimezone(UTC)
        exists = moment.astimezone(zone).replace(tzinfo=None) == naive
    except (ValueError, OverflowError) as error:
        raise Invalid(_("%(time)s is too early or too late a time.") % {"time": naive}) from error
    if not exists:
        text = _("%(time)s does not exist in %(zone)s: the clocks are put forward over it.")
        raise Invalid(text % {"time": f"{naive:%Y-%m-%d %H:%M}", "zone": zone.key})
    return moment
