"""Filters that write an instant in the zone and the language of the page."""

from datetime import datetime, timedelta, tzinfo
from typing import Any

from django import template
from django.utils import timezone
from django.utils.timesince import timesince, timeuntil
from django.utils.translation import gettext as _
from django.utils.translation import ngettext_lazy

from courses.timestamps import text_in_zone

register = template.Library()
MINUTE = timedelta(minutes=1)
AGO: dict[str, Any] = {  # lazy, where the stubs have str
    "year": ngettext_lazy("%(num)d year ago", "%(num)d years ago", "num"),
    "month": ngettext_lazy("%(num)d month ago", "%(num)d months ago", "num"),
    "week": ngettext_lazy("%(num)d week ago", "%(num)d weeks ago", "num"),
    "day": ngettext_lazy("%(num)d day ago", "%(num)d days ago", "num"),
    "hour": ngettext_lazy("%(num)d hour ago", "%(num)d hours ago", "num"),
    "minute": ngettext_lazy("%(num)d minute ago", "%(num)d minutes ago", "num"),
}
AHEAD: dict[str, Any] = {
    "year": ngettext_lazy("in %(num)d year", "in %(num)d years", "num"),
    "month": ngettext_lazy("in %(num)d month", "in %(num)d months", "num"),
    "week": ngettext_lazy("in %(num)d week", "in %(num)d weeks", "num"),
    "day": ngettext_lazy("in %(num)d day", "in %(num)d days", "num"),
    "hour": ngettext_lazy("in %(num)d hour", "in %(num)d hours", "num"),
    "minute": ngettext_lazy("in %(num)d minute", "in %(num)d minutes", "num"),
}


@register.filter
def local(moment: datetime | None, zone: tzinfo | None = None) -> str:
    """Return an instant to the minute with its zone, which is the page's unless another is given; empty for None."""
    return text_in_zone(moment, zone or timezone.get_current_timezone()) if moment else ""


@register.filter
def local_seconds(moment: datetime | None) -> str:
    """The same to the second."""
    return text_in_zone(moment, timezone.get_current_timezone(), seconds=True) if moment else ""


@register.filter
def relative(moment: datetime | None) -> str:
    """Return how far away an instant is, in its largest unit: “in 3 hours”, “2 days ago”; empty for None."""
    if moment is None:
        return ""
    now = timezone.now()
    if abs(now - moment) < MINUTE:
        return _("now")
    if moment < now:
        text = timesince(moment, now, time_strings=AGO, depth=1)
    else:
        text = timeuntil(moment, now, time_strings=AHEAD, depth=1)
    return text.replace("\xa0", " ")
