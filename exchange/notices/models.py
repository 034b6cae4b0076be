"""Webhooks, events, their deliveries, and what each person wants to be mailed.

An event names its course and assignment by plain ids: it tells what happened, whatever happens to them later.
"""

import secrets
from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from courses.models import Course, User


class Kind(models.TextChoices):
    """The types of notices, as settings, webhooks and payloads name them."""

    RELEASED = "released", _("released")
    SUBMITTED = "submitted", _("submitted")
    FEEDBACK_RETURNED = "feedback_returned", _("feedback returned")
    DUE_SOON = "due_soon", _("due soon")


TEST = "test"  # the type of the event that tries a webhook out


def new_event_name() -> str:
    return f"msg_{secrets.token_hex(16)}"


class Webhook(models.Model):
    """An address to which events are sent. webhooks.py changes it; signing.py encrypts the secrets."""

    name = models.CharField(_("name"), max_length=100, unique=True)
    url = models.CharField(_("address"), max_length=1000)
    course = models.ForeignKey(
        Course,
        verbose_name=_("course"),
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="webhooks",
        help_text=_("Empty: all courses."),
    )
    kinds = models.JSONField(_("notices"), default=list)
    active = models.BooleanField(_("active"), default=True)
    secret = models.TextField(editable=False, help_text=_("encrypted"))
    earlier_secret = models.TextField(blank=True, default="", editable=False, help_text=_("encrypted"))
    secret_made = models.DateTimeField(_("secret made"), editable=False)
    created = models.DateTimeField(editable=False)
    failures = models.PositiveIntegerField(_("failures in a row"), default=0, editable=False)
    paused_until = models.DateTimeField(_("paused until"), null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("webhook")
        verbose_name_plural = _("webhooks")
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return self.name

    @classmethod
    def wanting(cls, course: object) -> "models.QuerySet[Webhook]":
        """Return those that are told of a course, which is an id or an expression."""
        return cls.objects.filter(Q(course=None) | Q(course=course), active=True).order_by()


class Event(models.Model):
    """Something that happened. Its body is what is signed and sent, to the last byte, however often."""

    name = models.CharField(max_length=40, unique=True, default=new_event_name, help_text=_("the header webhook-id"))
    kind = models.CharField(max_length=20)
    course_id = models.BigIntegerField(null=True)
    assignment_id = models.BigIntegerField(null=True)
    person = models.ForeignKey(User, on_delete=models.CASCADE, null=True, related_name="+", help_text=_("the student"))
    once = models.CharField(  # noqa: DJ001
        max_length=100, null=True, unique=True, help_text=_("what may be told once only")
    )
    body = models.TextField()
    created = models.DateTimeField(db_index=True)
    ready_at = models.DateTimeField(null=True, help_text=_("when deliveries are to be made; null once they are"))

    class Meta:
        ordering: ClassVar = ["pk"]
        indexes: ClassVar = [
            models.Index(name="events_without_deliveries", fields=["ready_at"], condition=Q(ready_at__isnull=False))
        ]

    def __str__(self) -> str:
        return f"{self.kind}, {self.created:%Y-%m-%d %H:%M:%S} UTC"

    @classmethod
    def forget_person(cls, user: User) -> None:
        """Remove what names a person who is anonymised."""
        cls.objects.filter(person=user).delete()


class State(models.TextChoices):
    WAITING = "waiting", _("waiting")
    SENT = "sent", _("sent")
    DROPPED = "dropped", _("dropped")  # somebody is not to get it any more
    GIVEN_UP = "given up", _("given up")


class Delivery(models.Model):
    """An event for one webhook, or for one person by mail.

    A sender that takes it up first moves `next_attempt` on, so that no other one takes it meanwhile: if it is killed,
    the delivery is due again at that time.
    """

    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="deliveries", db_index=False)
    webhook = models.ForeignKey(Webhook, on_delete=models.CASCADE, null=True, related_name="deliveries")
    user = models.ForeignKey(User, on_delete=models.CASCADE, null=True, related_name="+", db_index=False)
    topic = models.CharField(max_length=60, blank=True, default="", help_text=_("of mail: kind and assignment"))
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.WAITING)
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    next_attempt = models.DateTimeField(_("next attempt"))
    again_since = models.DateTimeField(null=True, help_text=_("when an administrator sent it again"))
    done_at = models.DateTimeField(_("done"), null=True)
    error = models.CharField(_("last error"), max_length=300, blank=True, default="")

    class Meta:
        verbose_name = _("delivery")
        ordering: ClassVar = ["-pk"]
        verbose_name_plural = _("deliveries")
        constraints: ClassVar = [
            models.UniqueConstraint(name="one_delivery_to_a_webhook", fields=["event", "webhook"]),
            models.UniqueConstraint(name="one_delivery_to_a_person", fields=["event", "user"]),
            models.CheckConstraint(
                name="delivery_is_for_a_webhook_or_a_person",
                condition=Q(webhook__isnull=False, user=None) | Q(webhook=None, user__isnull=False),
            ),
        ]
        indexes: ClassVar = [
            models.Index(name="deliveries_due", fields=["next_attempt"], condition=Q(state="waiting")),
            models.Index(name="mail_of_a_person", fields=["user", "done_at"], condition=Q(user__isnull=False)),
        ]

    def __str__(self) -> str:
        return gettext("%(event)s to %(receiver)s") % {"event": self.event, "receiver": self.webhook or self.user}

    @classmethod
    def resolve_merge(cls, duplicate: User, kept: User) -> None:
        """Leave one delivery of an event that both accounts of a person were to get."""
        cls.objects.filter(user=duplicate, event__in=cls.objects.filter(user=kept).values("event")).delete()


class MailChoice(models.Model):
    """The notices that a person does not want to be mailed, and their language. Without a row, they get all."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, primary_key=True, related_name="mail_choice")
    unwanted = models.JSONField(default=list)
    language = models.CharField(max_length=10, blank=True, default="", help_text=_("Empty: the language of the site."))

    def __str__(self) -> str:
        return gettext("Choice of %(person)s") % {"person": self.user}

    @classmethod
    def resolve_merge(cls, duplicate: User, kept: User) -> None:
        """Leave what the kept account chose, where both did."""
        if cls.objects.filter(user=kept).exists():
            cls.objects.filter(user=duplicate).delete()
