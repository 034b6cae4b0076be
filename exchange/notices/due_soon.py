"""Who is to be told that a due date is near: the one in force for them, of what they have not submitted."""

import json
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from courses.models import Membership, Role
from courses.timestamps import format_timestamp
from exchange import deadlines
from exchange.deadlines import Pair
from exchange.models import Assignment, Extension
from exchange.notices import outbox
from exchange.notices.models import Event, Kind, Webhook
from exchange.states import counted_submissions


def find() -> int:
    """Record for each student, once, that a due date of theirs is near. Return how many were recorded."""
    return sum(_find(assignment) for assignment in _candidates().filter(_is_told()))


def _is_told() -> Q:
    """Return the condition that somebody is told of the due dates of an assignment."""
    webhooks = Webhook.objects.filter(active=True).values_list("course", "kinds")
    courses = {course for course, kinds in webhooks if Kind.DUE_SOON in kinds}
    if Kind.DUE_SOON in settings.NGSHARE_MAIL or None in courses:
        return Q()
    return Q(course__in=courses)


def _candidates() -> QuerySet[Assignment]:
    """Return the assignments that may be due soon for somebody.

    What is in force is the latest of three times: the assignment's own, which is therefore never after the window, an
    extension's, and the one of a late registrant. One of them is in the window. Old assignments have none.
    """
    now = timezone.now()
    until = now + _lead()
    extended = Extension.objects.filter(assignment=OuterRef("pk"), due__gt=now, due__lte=until)
    joined = deadlines.late_registrants().filter(role=Role.STUDENT, until__gt=now, until__lte=until)
    may_be_due = Q(due__gt=now) | Q(Exists(extended)) | Q(course__in=joined.values("course"))
    rows = Assignment.objects.shown().filter(may_be_due, course__removed_at=None, due__lte=until)
    return rows.select_related("course").order_by("pk")


def still_holds(event: Event, assignment: Assignment) -> bool:
    """Return whether an event is as true as when it was recorded: mail may have waited for its server for days."""
    due = json.loads(event.body)["data"]["due"]
    return any(format_timestamp(each.due_now) == due for each in _near(assignment).filter(user=event.person_id))


def _find(assignment: Assignment) -> int:
    students = [(member.user, member.due_now) for member in _near(assignment)]
    return outbox.record_due_soon(assignment, students) if students else 0


def _near(assignment: Assignment) -> QuerySet[Membership, Any]:
    """Return the students who have submitted nothing, and whose due date, `due_now`, is near."""
    now = timezone.now()
    submitted = counted_submissions([assignment]).order_by().values("student")
    members = Membership.objects.filter(course=assignment.course, role=Role.STUDENT, user__is_active=True)
    members = members.exclude(user__in=submitted).select_related("user").order_by("pk")
    members = members.annotate(due_now=deadlines.due_in_sql(Pair.of(assignment, "user")))
    return members.filter(due_now__gt=now, due_now__lte=now + _lead())


def _lead() -> timedelta:
    return timedelta(hours=settings.NGSHARE_DUE_SOON_HOURS)
