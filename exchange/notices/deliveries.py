"""Deliveries: made of events, taken up by one sender at a time, and what becomes of them.

A sender takes up a delivery by moving its next attempt on, in a short transaction; then it sends, without one. So no
two send the same, and what a killed sender had taken up is due again a little later.
"""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone
from prometheus_client import Counter

from courses.failures import REGISTRY
from courses.models import Membership, Role
from exchange.models import Assignment
from exchange.notices.models import Delivery, Event, Kind, MailChoice, State, Webhook

BATCH = 100  # events whose deliveries are made in one transaction
PAUSES = (5, 30, 120, 600, 1800, 3600, 7200, 14_400, 28_800)  # seconds after the first, second, … failure
GIVE_UP = timedelta(days=3)
LOOK_AGAIN = timedelta(minutes=5)  # whether the release time of an assignment has come

ATTEMPTS = Counter("ngshare_notice_attempts", "Notices sent, or not", ["channel", "result"], registry=REGISTRY)
for _channel in ("webhook", "mail"):
    for _result in ("sent", "failed"):
        ATTEMPTS.labels(_channel, _result)  # there from the start: the increase from nothing to one is not seen


def make() -> int:
    """Make deliveries of the events that are ready. Return of how many."""
    if not Event.objects.filter(ready_at__lte=timezone.now()).exists():  # so that no transaction is opened for nothing
        return 0
    with transaction.atomic():
        ready = Event.objects.select_for_update(skip_locked=True).filter(ready_at__lte=timezone.now())
        events = list(ready.order_by("pk")[:BATCH])
        webhooks = list(Webhook.objects.filter(active=True))
        for event in events:
            _make_deliveries(event, webhooks, timezone.now())
    return len(events)


def _make_deliveries(event: Event, webhooks: Sequence[Webhook], now: datetime) -> None:
    assignment = find_assignment(event)
    is_shown = assignment is not None and assignment.is_shown
    if event.kind == Kind.RELEASED and assignment and assignment.withdrawn_at is None and not is_shown:
        event.ready_at = min(assignment.release_at or now, now + LOOK_AGAIN)  # which may change meanwhile
        event.save(update_fields=["ready_at"])
        return
    if is_shown or event.kind != Kind.RELEASED:
        wanting = [each for each in webhooks if each.course_id in (None, event.course_id) and event.kind in each.kinds]
        rows = [Delivery(event=event, webhook=webhook, next_attempt=now) for webhook in wanting]
        topic = f"{event.kind} {event.assignment_id}"
        rows += [Delivery(event=event, user_id=pk, topic=topic, next_attempt=now) for pk in _mailed(event)]
        Delivery.objects.bulk_create(rows, 1000)
    event.ready_at = None
    event.save(update_fields=["ready_at"])


def find_assignment(event: Event) -> Assignment | None:
    """Return the event's assignment, if there is one whose course is not in the trash."""
    return Assignment.objects.filter(pk=event.assignment_id or 0, course__removed_at=None).first()


def _mailed(event: Event) -> list[int]:
    """Return the ids of the people who are to get mail about an event."""
    if event.kind not in settings.NGSHARE_MAIL:
        return []
    members = Membership.objects.filter(course=event.course_id, user__is_active=True).exclude(email=None).order_by()
    if event.kind == Kind.RELEASED:
        members = members.filter(role=Role.STUDENT)
    else:
        members = members.filter(user=event.person_id, role=Role.STUDENT)
    choices = MailChoice.objects.filter(user__in=members.values("user")).values_list("user", "unwanted")
    unwanted = {pk for pk, kinds in choices if event.kind in kinds}
    return [pk for pk in members.exclude(email="").values_list("user", flat=True) if pk not in unwanted]


def take_up(rows: QuerySet[Delivery], count: int, span: timedelta) -> list[Delivery]:
    """Return up to so many of these deliveries that are due, the oldest first.

    No other sender takes them up before the span is over.
    """
    with transaction.atomic():
        now = timezone.now()
        due = rows.filter(state=State.WAITING, next_attempt__lte=now).order_by("next_attempt", "pk")
        taken = list(due.select_for_update(skip_locked=True, of=("self",)).select_related("event")[:count])
        for delivery in taken:
            delivery.attempts, delivery.next_attempt = delivery.attempts + 1, now + span
        Delivery.objects.bulk_update(taken, ["attempts", "next_attempt"])
    return taken


# What becomes of a delivery. Nothing is changed where another sender has taken it up since.


def finish(delivery: Delivery, state: State, error: str = "") -> None:
    _taken(delivery).update(state=state, done_at=timezone.now(), error=error[:300])


def fail(delivery: Delivery, error: str, *, wait: int = 0) -> None:
    """Send it again later, or give it up."""
    now = timezone.now()
    if now - (delivery.again_since or delivery.event.created) > GIVE_UP:
        finish(delivery, State.GIVEN_UP, error)
    else:
        pause = max(wait, pause_after(delivery.attempts))
        _taken(delivery).update(next_attempt=now + timedelta(seconds=pause), error=error[:300])


def postpone(delivery: Delivery, moment: datetime) -> None:
    """Send it at a later time; this was no attempt."""
    _taken(delivery).update(next_attempt=moment, attempts=F("attempts") - 1)


def _taken(delivery: Delivery) -> QuerySet[Delivery]:
    return Delivery.objects.filter(pk=delivery.pk, state=State.WAITING, attempts=delivery.attempts)


def pause_after(failures: int) -> float:
    """Return the seconds to wait after so many failures, a little more or less: not all come at the same moment."""
    return PAUSES[min(failures, len(PAUSES)) - 1] * random.uniform(0.9, 1.1)
