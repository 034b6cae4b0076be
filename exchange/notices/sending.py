"""The sender: sends what is due, to webhooks and by mail. Any number of senders may run at once."""

import logging
import time
from datetime import timedelta
from threading import Thread

from django.core.cache import cache
from django.db import DatabaseError, InterfaceError, connection, transaction
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone

from courses import audit
from courses.errors import Conflict
from courses.failures import Part, count_failure
from courses.permissions import SERVER, SERVER_ROLE
from exchange.notices import deliveries, due_soon, mail, outbox, posting, signing
from exchange.notices.models import Delivery, Event, State, Webhook
from exchange.notices.posting import PostFailed
from exchange.notices.webhooks import EARLIER_SECRET_KEPT

log = logging.getLogger(__name__)

TAKEN = timedelta(minutes=2)  # for a delivery to a webhook; longer than any request takes
SHARE = 2.0  # seconds for one webhook, before the others have their turn
LONGEST_PAUSE = 3600  # seconds, of a whole webhook
KEPT = timedelta(days=30)  # what is done
MOST_REMOVED = 5000  # events at once
REGULARLY = 600  # seconds between two looks at due dates, and at what is to be removed
IDLE = 5.0  # seconds between two looks at what is due, unless this process writes an event
TROUBLE = 30.0  # seconds after the database did not answer


def run() -> None:
    """Send for ever."""
    while True:
        outbox.written.clear()
        try:
            is_busy = run_once() > 0
        except (DatabaseError, InterfaceError):
            log.exception("the sender of notices cannot use the database")
            count_failure(Part.DATABASE)
            connection.close()
            time.sleep(TROUBLE)
            continue
        if not is_busy:
            connection.close_if_unusable_or_obsolete()
            outbox.written.wait(IDLE)


def start() -> None:
    """Send for ever, in a thread of this process, which ends with it."""
    Thread(target=_run_in_thread, name="notices", daemon=True).start()


def _run_in_thread() -> None:
    try:
        run()
    finally:  # after an error that nobody foresaw, which the interpreter logs
        time.sleep(TROUBLE)
        start()


def run_once() -> int:
    """Do what is due. Return how much was done: 0 for nothing."""
    if cache.add("notices-regular", True, REGULARLY):
        _work_regularly()
    return deliveries.make() + send_to_webhooks() + mail.send_due()


def _work_regularly() -> None:
    due_soon.find()
    waiting = Delivery.objects.filter(state=State.WAITING).exclude(webhook__active=False)
    old = Event.objects.filter(created__lt=timezone.now() - KEPT, ready_at=None).exclude(pk__in=waiting.values("event"))
    Event.objects.filter(pk__in=list(old.values_list("pk", flat=True)[:MOST_REMOVED])).delete()


# Webhooks


def send_to_webhooks() -> int:
    """Send what is due to each webhook that is not paused, for a while to each. Return how much was sent, or tried."""
    now = timezone.now()
    due = Delivery.objects.filter(webhook=OuterRef("pk"), state=State.WAITING, next_attempt__lte=now)
    webhooks = Webhook.objects.filter(Q(paused_until=None) | Q(paused_until__lte=now), Exists(due), active=True)
    return sum(_send_to(webhook) for webhook in webhooks.order_by("failures", "pk"))


def _send_to(webhook: Webhook) -> int:
    """Send for a while, or until it fails."""
    count, end, succeeds = 0, time.monotonic() + SHARE, True
    while succeeds and time.monotonic() < end and (taken := deliveries.take_up(webhook.deliveries.all(), 1, TAKEN)):
        succeeds = _post(webhook, taken[0])
        count += 1
    return count


def _post(webhook: Webhook, delivery: Delivery) -> bool:
    """Send one delivery. Return whether it arrived."""
    event, now = delivery.event, timezone.now()
    kept = [webhook.secret]
    if webhook.earlier_secret and now < webhook.secret_made + EARLIER_SECRET_KEPT:
        kept.append(webhook.earlier_secret)
    try:
        headers = signing.headers(event.name, int(now.timestamp()), event.body, kept)
        posting.post(webhook.url, event.body, {**headers, "Content-Type": "application/json"})
    except (PostFailed, Conflict) as error:
        deliveries.ATTEMPTS.labels("webhook", "failed").inc()
        wait = error.wait if isinstance(error, PostFailed) else 0
        _pause(webhook, wait, is_gone=isinstance(error, PostFailed) and error.is_gone)
        deliveries.fail(delivery, str(error), wait=wait)
        return False
    deliveries.ATTEMPTS.labels("webhook", "sent").inc()
    deliveries.finish(delivery, State.SENT)
    if webhook.failures:
        Webhook.objects.filter(pk=webhook.pk).update(failures=0, paused_until=None)
        webhook.failures = 0
    return True


def _pause(webhook: Webhook, wait: int, *, is_gone: bool) -> None:
    """Leave a webhook alone for a while, the longer the more often it has failed in a row."""
    webhook.failures += 1
    pause = max(wait, min(deliveries.pause_after(webhook.failures), LONGEST_PAUSE))
    changes = {"failures": F("failures") + 1, "paused_until": timezone.now() + timedelta(seconds=pause)}
    with transaction.atomic():
        Webhook.objects.filter(pk=webhook.pk).update(**changes, **({"active": False} if is_gone else {}))
        if is_gone:
            course, target, changed = webhook.course, webhook.name, {"active": False}
            audit.record(
                "change webhook",
                by=SERVER,
                role=SERVER_ROLE,
                about=webhook,
                course=course,
                target=target,
                changed=changed,
            )
