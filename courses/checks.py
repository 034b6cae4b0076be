"""System checks of what a site may set about rosters. Imports no models: apps.py needs this before they are there."""

from django.conf import settings
from django.core.checks import CheckMessage, Error

PLACE = "{course}"  # where a group's pattern has the course's name


def group_patterns_name_the_course(**kwargs: object) -> list[CheckMessage]:
    return [
        Error(
            f"NGSHARE_GROUP_{role.upper()}S={pattern!r} must have {PLACE} in it, once.",
            hint="Leave the variable away for the default, or write off for no such group.",
            id="courses.E001",
        )
        for role, pattern in settings.NGSHARE_GROUP_PATTERNS.items()
        if pattern and pattern.count(PLACE) != 1
    ]
