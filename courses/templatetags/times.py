"""Filters that write an instant in the zone of the page.

Django's `date` leaves out the name of the zone in an hour that comes twice, where it matters most.
"""

from datetime import datetime, timedelta, tzinfo

from django import template
from django.utils import timezone
from django.utils.timesince import timesince, timeuntil

from courses.timestamps import in_zone

register = template.Library()
MINUTE = timedelta(minutes=1)


@register.filter
def local(moment: datetime | None, zone: tzinfo | None = None) -> str:
    """Return an instant to the minute with its zone, which is the page's unless another is given; empty for None."""
    return f"{in_zone(moment, zone or timezone.get_current_timezone()):%Y-%m-%d %H:%M %Z}" if moment else ""


@register.filter
def local_seconds(moment: datetime | None) -> str:
    """The same to the second."""
    return f"{in_zone(moment, timezone.get_current_timezone()):%Y-%m-%d %H:%M:%S %Z}" if moment else ""


@register.filter
def relative(moment: datetime | None) -> str:
    """Return how far away an instant is, in its largest unit: “in 3 hours”, “2 days ago”; empty for None."""
    if moment is None:
        return ""
    now = timezone.now()
    if abs(now - moment) < MINUTE:
        return "now"
    text = f"{timesince(moment, depth=1)} ago" if moment < now else f"in {timeuntil(moment, depth=1)}"
    return text.replace("\xa0", " ")
