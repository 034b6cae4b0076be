"""Extensions of deadlines."""

from datetime import datetime
from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from courses.models import User
from exchange.models.assignments import Assignment


class Extension(models.Model):
    """Another due date and cut-off of an assignment for one person or one section. deadlines.py has the rule."""

    assignment = models.ForeignKey(Assignment, on_delete=models.CASCADE, related_name="extensions", db_index=False)
    user = models.ForeignKey(
        User, on_delete=models.CASCADE, null=True, blank=True, related_name="extensions", verbose_name=_("person")
    )
    # Null where it is for one person, so that the index of the constraint finds it.
    section = models.CharField(_("section"), max_length=255, null=True, blank=True)  # noqa: DJ001
    due = models.DateTimeField(_("due date"), null=True, blank=True, help_text=_("Empty: the assignment's."))
    cut_off = models.DateTimeField(
        _("cut-off"), null=True, blank=True, help_text=_("Empty: the assignment's, and not before the due date.")
    )
    attempts = models.PositiveIntegerField(_("further attempts"), default=0)
    reason = models.CharField(_("reason"), max_length=500, blank=True, default="")
    granted_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+", editable=False)
    created = models.DateTimeField(_("granted"), editable=False)

    class Meta:
        verbose_name = _("extension")
        verbose_name_plural = _("extensions")
        ordering: ClassVar = ["assignment", "section", "user"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="one_extension_of_a_person",
                fields=["assignment", "user"],
                violation_error_message=_("This person has an extension of the assignment already."),
            ),
            models.UniqueConstraint(
                name="one_extension_of_a_section",
                fields=["assignment", "section"],
                violation_error_message=_("This section has an extension of the assignment already."),
            ),
            models.CheckConstraint(
                name="extension_is_for_a_person_or_a_section",
                condition=Q(user__isnull=False, section=None) | Q(user=None, section__isnull=False) & ~Q(section=""),
                violation_error_message=_("An extension is for a person or for a section."),
            ),
            models.CheckConstraint(
                name="extension_extends_something",
                condition=Q(due__isnull=False) | Q(cut_off__isnull=False) | Q(attempts__gt=0),
                violation_error_message=_("An extension needs a due date, a cut-off or further attempts."),
            ),
            models.CheckConstraint(
                name="extended_cut_off_is_not_before_the_due_date",
                condition=Q(due=None) | Q(cut_off=None) | Q(cut_off__gte=F("due")),
                violation_error_message=_("The cut-off may not be before the due date."),
            ),
        ]

    def __str__(self) -> str:
        if self.user:
            return gettext("%(assignment)s, extension for %(person)s") % {
                "assignment": self.assignment,
                "person": self.user,
            }
        text = gettext("%(assignment)s, extension for section %(section)s")
        return text % {"assignment": self.assignment, "section": self.section}

    @classmethod
    def resolve_merge(cls, duplicate: User, kept: User) -> None:
        """Where both accounts of a person have an extension of an assignment, leave the most generous of both."""
        existing = {extension.assignment_id: extension for extension in cls.objects.filter(user=kept)}
        for other in cls.objects.filter(user=duplicate, assignment__in=existing):
            extension = existing[other.assignment_id]
            extension.due = _latest(extension.due, other.due)
            extension.cut_off = _latest(extension.cut_off, other.cut_off)
            if extension.due and extension.cut_off:
                extension.cut_off = max(extension.due, extension.cut_off)
            extension.attempts = max(extension.attempts, other.attempts)
            extension.save(update_fields=["due", "cut_off", "attempts"])
            other.delete()

    @classmethod
    def forget_person(cls, user: User) -> None:
        """Take out what tells something about a person who is anonymised."""
        cls.objects.filter(user=user).update(reason="")


def _latest(one: datetime | None, other: datetime | None) -> datetime | None:
    return max((time for time in (one, other) if time), default=None)
