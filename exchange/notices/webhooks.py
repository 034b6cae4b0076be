"""Service functions of webhooks and deliveries, for administrators."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from courses import audit
from courses.errors import AlreadyExists, Invalid
from courses.models import Course
from courses.permissions import Actor
from exchange.notices import outbox, posting, signing
from exchange.notices.models import TEST, Delivery, Event, Kind, State, Webhook

FIELDS = ("name", "url", "course", "kinds", "active")
EARLIER_SECRET_KEPT = timedelta(days=1)


def create_webhook(
    name: str, url: str, kinds: Sequence[str], *, course: Course | None = None, by: Actor
) -> tuple[Webhook, str]:
    """Return the webhook and its secret, which nobody is told again.

    Errors: PermissionDenied, Invalid, AlreadyExists.
    """
    role = by.require_administrator()
    now, secret = timezone.now(), signing.new_secret()
    webhook = Webhook(name=name, url=url, course=course, kinds=list(kinds), created=now, secret_made=now)
    webhook.secret = signing.encrypt(secret)
    _check(webhook)
    try:
        with transaction.atomic():
            webhook.save(force_insert=True)
            details: dict[str, Any] = {"host": _host_of(url), "kinds": list(kinds)}
            audit.record("create webhook", by=by, role=role, about=webhook, course=course, target=name, **details)
    except IntegrityError as error:
        raise AlreadyExists(_("There is a webhook %(name)s already.") % {"name": name}) from error
    return webhook, secret


def change_webhook(webhook: Webhook, changes: Mapping[str, Any], *, by: Actor) -> None:
    """Set what `changes` names of FIELDS. Errors: PermissionDenied, Invalid, AlreadyExists."""
    role = by.require_administrator()
    for name, value in changes.items():
        setattr(webhook, name, value)
    _check(webhook)
    webhook.failures, webhook.paused_until = 0, None  # it is tried at once
    try:
        with transaction.atomic():
            webhook.save(update_fields=[*changes, "failures", "paused_until"])
            changed = dict(_in_log(name, value) for name, value in changes.items())
            course, target = webhook.course, webhook.name
            audit.record(
                "change webhook", by=by, role=role, about=webhook, course=course, target=target, changed=changed
            )
    except IntegrityError as error:
        raise AlreadyExists(_("There is a webhook %(name)s already.") % {"name": webhook.name}) from error


def make_new_secret(webhook: Webhook, *, by: Actor) -> str:
    """Return another secret. For a day, events are signed with the earlier one, too. Errors: PermissionDenied."""
    role, secret = by.require_administrator(), signing.new_secret()
    with transaction.atomic():
        webhook = Webhook.objects.select_for_update().get(pk=webhook.pk)
        webhook.earlier_secret, webhook.secret = webhook.secret, signing.encrypt(secret)
        webhook.secret_made = timezone.now()
        webhook.save(update_fields=["secret", "earlier_secret", "secret_made"])
        audit.record("make webhook secret", by=by, role=role, about=webhook, course=webhook.course, target=webhook.name)
    return secret


def delete_webhook(webhook: Webhook, *, by: Actor) -> None:
    """Delete a webhook with its deliveries, also those that wait. Errors: PermissionDenied."""
    role = by.require_administrator()
    with transaction.atomic():
        audit.record("delete webhook", by=by, role=role, about=webhook, course=webhook.course, target=webhook.name)
        webhook.delete()


def send_test(webhook: Webhook, *, by: Actor) -> Delivery:
    """Send an event of no course to a webhook. Errors: PermissionDenied, Invalid if it is switched off."""
    by.require_administrator()
    if not webhook.active:
        raise Invalid(_("%(webhook)s is switched off.") % {"webhook": webhook.name})
    now = timezone.now()
    body = outbox.body_of(TEST, now, {"course": None, "assignment": None, "links": {}})
    with transaction.atomic():
        event = Event.objects.create(kind=TEST, body=body, created=now)
        delivery = Delivery.objects.create(event=event, webhook=webhook, next_attempt=now)
        Webhook.objects.filter(pk=webhook.pk).update(paused_until=None)
        transaction.on_commit(outbox.written.set)
    return delivery


def send_again(deliveries: Sequence[Delivery], *, by: Actor) -> int:
    """Send deliveries anew, whatever became of them. Return how many. Errors: PermissionDenied.

    Those that are about to be sent anyway are not counted: the second click of two changes nothing.
    """
    role, now = by.require_administrator(), timezone.now()
    pks = [delivery.pk for delivery in deliveries]
    with transaction.atomic():
        is_next = Q(state=State.WAITING, attempts=0, next_attempt__lte=now)
        count = Delivery.objects.filter(~is_next, pk__in=pks).update(
            state=State.WAITING, attempts=0, next_attempt=now, done_at=None, again_since=now, error=""
        )
        Webhook.objects.filter(deliveries__in=pks).update(paused_until=None)
        if count:
            audit.record("send notices again", by=by, role=role, about=Delivery, count=count, deliveries=pks[:100])
        transaction.on_commit(outbox.written.set)
    return count


def _check(webhook: Webhook) -> None:
    """Errors: Invalid."""
    if not webhook.name.strip() or len(webhook.name) > 100 or not webhook.name.isprintable():
        raise Invalid(_("A webhook's name has 1 to 100 printable characters."))
    if len(webhook.url) > 1000:
        raise Invalid(_("The address has more than 1000 characters."))
    posting.check_address(webhook.url)
    if not webhook.kinds or not {*webhook.kinds} <= {*Kind.values}:
        raise Invalid(_("Choose notices: %(kinds)s.") % {"kinds": ", ".join(Kind.values)})


def _in_log(name: str, value: object) -> tuple[str, object]:
    if name == "url":
        return "host", _host_of(str(value))
    return name, str(value) if isinstance(value, Course) else value


def _host_of(address: str) -> str:
    """Return all of an address that the log keeps: the rest is often a secret of the receiver."""
    return urlsplit(address).hostname or ""
