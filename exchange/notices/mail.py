"""Sending mail: what is due, over one connection, with a limit for each person and each topic."""

import smtplib
from contextlib import suppress
from datetime import timedelta

from django.conf import settings
from django.core.cache import cache
from django.core.mail import get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db.models import Max
from django.utils import timezone, translation

from courses.models import Membership
from exchange.notices import deliveries, due_soon, letters
from exchange.notices.models import Delivery, Kind, MailChoice, State

TAKEN = timedelta(minutes=5)  # for a batch of mail
BATCH = 10
GAP = timedelta(hours=1)  # between two mails of a topic to a person
DAY = timedelta(days=1)
PAUSE = timedelta(minutes=1)  # after the server failed: one mail tries it again, and webhooks do not wait for it
PAUSED = "notices-mail-paused"
FOR_EVER = range(500, 600)  # answers of SMTP after which the same mail need not be sent again


def send_due() -> int:
    """Send the mail that is due, or drop or postpone it. Return how much there was."""
    due = Delivery.objects.filter(webhook=None, state=State.WAITING, next_attempt__lte=timezone.now())
    if not due.exists() or cache.get(PAUSED):
        return 0
    end = timezone.now() + TAKEN / 2  # a slow server may take as long again for the last mail
    taken = deliveries.take_up(Delivery.objects.filter(webhook=None).select_related("user"), BATCH, TAKEN)
    server = get_connection()
    try:
        for delivery in taken:
            if cache.get(PAUSED):
                deliveries.postpone(delivery, timezone.now() + PAUSE)
            elif timezone.now() > end:
                deliveries.postpone(delivery, timezone.now())
            else:
                _send(delivery, server)
    finally:
        with suppress(smtplib.SMTPException, OSError):
            server.close()
    return len(taken)


def _send(delivery: Delivery, server: BaseEmailBackend) -> None:
    event, user = delivery.event, delivery.user
    member = Membership.objects.filter(course=event.course_id, user=user, user__is_active=True, course__removed_at=None)
    recipient = member.select_related("course").first()
    reason = _why_not(delivery) if recipient and recipient.email else "They have no address on the roster."
    if reason or recipient is None:
        deliveries.finish(delivery, State.DROPPED, reason)
        return
    sent = Delivery.objects.filter(user=delivery.user, state=State.SENT)
    last = sent.filter(topic=delivery.topic).aggregate(last=Max("done_at"))["last"]
    if last is not None and last + GAP > timezone.now():
        deliveries.postpone(delivery, last + GAP)
        return
    if sent.filter(done_at__gt=timezone.now() - DAY).count() >= settings.NGSHARE_MAIL_PER_DAY:
        deliveries.finish(delivery, State.DROPPED, "They had as much mail in 24 hours as NGSHARE_MAIL_PER_DAY allows.")
        return
    try:
        server.open()
        with translation.override(language_of(recipient.user_id) or settings.LANGUAGE_CODE):
            letter = letters.write(event, recipient.course, str(recipient.email))
        server.send_messages([letter])
    except smtplib.SMTPRecipientsRefused as error:
        code = max((code for code, _answer in error.recipients.values()), default=0)
        _fail(delivery, f"The mail server refused the address: {code}.", for_ever=code in FOR_EVER)
    except smtplib.SMTPDataError as error:  # of a filter, say, or a full mailbox: it is about this mail alone
        server.close()
        refused = f"The mail server refused the mail: {error.smtp_code}."
        _fail(delivery, refused, for_ever=error.smtp_code in FOR_EVER)
    except (smtplib.SMTPException, OSError) as error:
        server.close()
        cache.set(PAUSED, True, PAUSE.total_seconds())
        _fail(delivery, f"The mail server failed: {type(error).__name__}.")
    except ValueError:  # of Django, also where a name does not fit a header
        _fail(delivery, "The address on the roster is no mail address.", for_ever=True)
    else:
        deliveries.ATTEMPTS.labels("mail", "sent").inc()
        deliveries.finish(delivery, State.SENT)


def _fail(delivery: Delivery, error: str, *, for_ever: bool = False) -> None:
    deliveries.ATTEMPTS.labels("mail", "failed").inc()
    if for_ever:
        deliveries.finish(delivery, State.GIVEN_UP, error)
    else:
        deliveries.fail(delivery, error)


def _why_not(delivery: Delivery) -> str:
    """Return why somebody is not to get it any more; empty if they are."""
    event, user = delivery.event, delivery.user
    if event.kind not in settings.NGSHARE_MAIL:
        return "NGSHARE_MAIL does not name this notice any more."
    if event.kind in unwanted_by(user.pk if user else None):
        return "They do not want it."
    newer = Delivery.objects.filter(user=user, topic=delivery.topic, state=State.WAITING, event__gt=event.pk)
    if newer.exists():
        return "A newer one follows."
    if event.kind in (Kind.RELEASED, Kind.DUE_SOON):
        assignment = deliveries.find_assignment(event)
        if assignment is None or not assignment.is_shown:
            return "The assignment was unreleased."
        if event.kind == Kind.DUE_SOON and not due_soon.still_holds(event, assignment):
            return "It is no longer due then, or they have submitted."
    return ""


def unwanted_by(user: int | None) -> list[str]:
    """Return the kinds of notices that a person does not want to be mailed."""
    found: list[str] | None = MailChoice.objects.filter(user=user).values_list("unwanted", flat=True).first()
    return found or []


def language_of(user: int) -> str:
    """Return the language in which a person wants mail; empty for the one of the site."""
    return MailChoice.objects.filter(user=user).values_list("language", flat=True).first() or ""
