"""What is late: the one rule, in Python for a single submission and in SQL for many.

A submission is late if it came after the due date of its assignment; at the very instant it is in time, and without a
due date nothing is late.
"""

from datetime import datetime

from django.db.models import F, Q

LATE = Q(created__gt=F("assignment__due"))  # for a queryset of submissions


def is_late(created: datetime, due: datetime | None) -> bool:
    return due is not None and created > due
