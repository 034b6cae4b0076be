"""Submissions, the feedback on them, and the keys that sign their receipts."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from courses.models import User
from courses.timestamps import text_in_zone
from exchange import short_codes
from exchange.models.assignments import Assignment, Release
from exchange.models.files import FileSet


class SubmissionQuerySet(models.QuerySet["Submission"]):
    def present(self) -> "SubmissionQuerySet":
        """Return the submissions that staff have not withdrawn."""
        return self.filter(withdrawn_at=None)


class Submission(models.Model):
    """What one student submitted at one instant, which is its name in nbgrader: in UTC, by the server's clock."""

    assignment = models.ForeignKey(
        Assignment, verbose_name=_("assignment"), on_delete=models.CASCADE, related_name="submissions"
    )
    student = models.ForeignKey(User, verbose_name=_("student"), on_delete=models.PROTECT, related_name="submissions")
    submitted_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created = models.DateTimeField(_("submitted"))
    due = models.DateTimeField(
        _("due date then"), null=True, editable=False, help_text=_("the one in force for the student when it arrived")
    )
    release = models.ForeignKey(
        Release,
        verbose_name=_("release"),
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="submissions",
        help_text=_("the latest release at that time"),
    )
    file_set = models.ForeignKey(FileSet, on_delete=models.PROTECT, related_name="submissions")
    trial = models.BooleanField(default=False, help_text=_("submitted by staff to try the assignment; not collected"))
    collected_at = models.DateTimeField(_("collected"), null=True, blank=True, editable=False)
    withdrawn_at = models.DateTimeField(_("withdrawn since"), null=True, blank=True, editable=False)
    idempotency_key = models.CharField(max_length=200, null=True, editable=False)  # noqa: DJ001
    new_bytes = models.BigIntegerField(default=0, editable=False, help_text=_("bytes that it brought to the server"))
    own_bytes = models.BigIntegerField(
        default=0, editable=False, help_text=_("bytes that its sender could not read before")
    )
    # Without a value in rows that an older version adds while the service is upgraded, until their receipt is asked for
    code = models.CharField(  # noqa: DJ001
        _("short code"), max_length=short_codes.LENGTH, null=True, editable=False, default=short_codes.new_code
    )
    receipt = models.TextField(
        blank=True,
        default="",
        db_default="",
        editable=False,
        help_text=_(
            "as it was signed, so that it stays the same; empty until somebody asks for it, if it was imported"
        ),
    )

    names_people: ClassVar = ("receipt",)  # emptied when somebody is anonymised
    objects = SubmissionQuerySet.as_manager()

    class Meta:
        verbose_name = _("submission")
        verbose_name_plural = _("submissions")
        ordering: ClassVar = ["created", "id"]
        indexes: ClassVar = [  # for the filters of the admin; no student's submission is in either
            models.Index(name="submissions_in_the_trash", fields=["id"], condition=Q(withdrawn_at__isnull=False)),
            models.Index(name="trials", fields=["id"], condition=Q(trial=True)),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="one_submission_of_a_student_at_an_instant", fields=["assignment", "student", "created"]
            ),
            models.UniqueConstraint(
                name="idempotency_key_used_once", fields=["assignment", "student", "idempotency_key"]
            ),
            models.UniqueConstraint(name="short_code_given_once", fields=["code"]),
        ]

    def __str__(self) -> str:
        moment = text_in_zone(self.created, timezone.get_current_timezone(), seconds=True)
        return f"{self.assignment}, {self.student}, {moment}"


class Feedback(models.Model):
    """A file set returned on one submission. The student sees the newest; earlier ones are kept."""

    submission = models.ForeignKey(
        Submission, verbose_name=_("submission"), on_delete=models.CASCADE, related_name="feedbacks", db_index=False
    )
    file_set = models.ForeignKey(FileSet, on_delete=models.PROTECT, related_name="feedbacks")
    returned_by = models.ForeignKey(
        User, verbose_name=_("returned by"), on_delete=models.SET_NULL, null=True, related_name="+"
    )
    created = models.DateTimeField(_("created"))
    new_bytes = models.BigIntegerField(default=0, editable=False, help_text=_("bytes that it brought to the server"))

    class Meta:
        verbose_name = _("feedback")
        ordering: ClassVar = ["submission", F("id").desc()]
        verbose_name_plural = pgettext_lazy("several", "feedback")
        # With the id: without statistics, PostgreSQL would look for the newest one by reading all feedback backwards.
        indexes: ClassVar = [models.Index(name="newest_feedback_of_submission", fields=["submission", "-id"])]

    def __str__(self) -> str:
        return gettext("Feedback on %(submission)s") % {"submission": self.submission}


class ReceiptKey(models.Model):
    """The public half of a key that signs receipts, kept for ever. receipt_keys.py derives the other half."""

    key_id = models.CharField(max_length=16, unique=True, help_text=_("first digits of the SHA-256 of the public key"))
    number = models.PositiveIntegerField(
        null=True, help_text=_("which one of the secret key; none if of another server")
    )
    public_key = models.CharField(max_length=43, help_text=_("32 bytes of Ed25519 as base64url"))
    created = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["pk"]
        verbose_name = _("key of receipts")
        verbose_name_plural = _("keys of receipts")

    def __str__(self) -> str:
        return self.key_id
