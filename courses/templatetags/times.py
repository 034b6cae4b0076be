"""Filters that write an instant in the zone of the page.

Django's `date` leaves out the name of the zone in an hour that comes twice, where it matters most.
"""

from datetime import datetime, tzinfo

from django import template
from django.utils import timezone

from courses.timestamps import in_zone

register = template.Library()


@register.filter
def local(moment: datetime | None, zone: tzinfo | None = None) -> str:
    """Return an instant to the minute with its zone, which is the page's unless another is given; empty for None."""
    return f"{in_zone(moment, zone or timezone.get_current_timezone()):%Y-%m-%d %H:%M %Z}" if moment else ""


@register.filter
def local_seconds(moment: datetime | None) -> str:
    """The same to the second."""
    return f"{in_zone(moment, timezone.get_current_timezone()):%Y-%m-%d %H:%M:%S %Z}" if moment else ""
