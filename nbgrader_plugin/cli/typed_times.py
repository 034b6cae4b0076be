"""Times as people type them into a command: ISO 8601, with an offset or in the time zone of the course."""

import re
from datetime import datetime, timezone, tzinfo

from dateutil import tz

from ..translation import gettext as _
from .output import CommandFailed

NONE = "none"  # clears a deadline
DATE_ALONE = re.compile(r"\d{4}-\d{2}-\d{2}")


def parse_time(text: str, zone: tzinfo | None) -> datetime | None:
    """Return the instant, aware, in UTC; None for `none`. Raise CommandFailed if it cannot be told which is meant.

    >>> parse_time("2026-12-01 23:59", timezone.utc).isoformat()
    '2026-12-01T23:59:00+00:00'
    >>> parse_time("2026-12-01T23:59-05:00", None).isoformat()
    '2026-12-02T04:59:00+00:00'
    """
    text = text.strip()
    if text.lower() == NONE:
        return None
    if DATE_ALONE.fullmatch(text):
        raise CommandFailed(_("%(text)s lacks a time of day: write %(text)sT23:59, say.") % {"text": text})
    try:
        moment = datetime.fromisoformat(re.sub("[zZ]$", "+00:00", text))  # 3.10 knows no Z
        if moment.tzinfo is None:
            moment = _in_zone(moment, text, zone)
        return moment.astimezone(timezone.utc)
    except (ValueError, OverflowError) as error:
        raise CommandFailed(
            _("%(text)s is no time: write 2026-12-01T23:59, 2026-12-01T23:59+01:00, or none.") % {"text": text}
        ) from error


def _in_zone(moment: datetime, text: str, zone: tzinfo | None) -> datetime:
    if zone is None:
        raise CommandFailed(_("This computer does not know the time zone of the course: write times with an offset."))
    if not tz.datetime_exists(moment, zone):
        raise CommandFailed(
            _("There is no %(text)s in the time zone of the course: the clocks go forward then.") % {"text": text}
        )
    if tz.datetime_ambiguous(moment, zone):
        offsets = " or ".join(moment.replace(tzinfo=zone, fold=fold).isoformat()[-6:] for fold in (0, 1))
        raise CommandFailed(
            _("%(text)s comes twice, as the clocks go back then: add the offset, %(offsets)s.")
            % {"text": text, "offsets": offsets}
        )
    return moment.replace(tzinfo=zone)
