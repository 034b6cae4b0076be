"""Filters that write an instant in the zone of the page.

Django's `date` leaves out the name of the zone in an hour that comes twice, where it matters most.
"""

from datetime import datetime

from django import template
from django.utils import timezone

register = template.Library()


@register.filter
def local(moment: datetime | None) -> str:
    """Return an instant to the minute with its zone; empty for None."""
    return f"{timezone.localtime(moment):%Y-%m-%d %H:%M %Z}" if moment else ""


@register.filter
def local_seconds(moment: datetime | None) -> str:
    """The same to the second."""
    return f"{timezone.localtime(moment):%Y-%m-%d %H:%M:%S %Z}" if moment else ""
