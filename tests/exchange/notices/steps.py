"""Steps of these tests: send what is due, and let time pass."""

from datetime import timedelta

from django.core.cache import cache
from django.db.models import F
from django.utils import timezone

from exchange.notices import sending
from exchange.notices.models import Delivery, Event, Webhook


def send():
    """Send all that is due. Return how much was done."""
    done = 0
    while count := sending.run_once():
        done += count
    return done


def pass_time(**span):
    """Let time pass for what waits, and for what was done."""
    span = timedelta(**span)
    cache.clear()
    Delivery.objects.update(next_attempt=F("next_attempt") - span, done_at=F("done_at") - span)
    Event.objects.update(created=F("created") - span, ready_at=F("ready_at") - span)
    Webhook.objects.filter(paused_until__isnull=False).update(paused_until=F("paused_until") - span)


def make_due():
    """Let what waits be due now."""
    Delivery.objects.update(next_attempt=timezone.now())
    Webhook.objects.update(paused_until=None)
