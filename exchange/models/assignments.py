"""Assignments, their releases and solutions."""

from datetime import datetime
from typing import ClassVar

from django.db import models
from django.db.models import Expression, F, Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from courses.models import Course, User
from exchange.models.files import FileSet


def shown_at(moment: "datetime | Expression", assignment: str = "") -> Q:
    """Return the condition that students see an assignment at a moment; `assignment` is the path to it and `__`."""
    released = Q((f"{assignment}withdrawn_at", None))
    return released & (Q((f"{assignment}release_at", None)) | Q((f"{assignment}release_at__lte", moment)))


class AssignmentQuerySet(models.QuerySet["Assignment"]):
    def released(self) -> "AssignmentQuerySet":
        """Return the assignments that staff have not unreleased; the release time of some may be to come."""
        return self.filter(withdrawn_at=None)

    def shown(self) -> "AssignmentQuerySet":
        """Return the assignments that students see now."""
        return self.filter(shown_at(timezone.now()))


class Assignment(models.Model):
    """An assignment of a course. Unreleasing hides it and keeps everything; releasing it again continues it."""

    course = models.ForeignKey(Course, verbose_name=_("course"), on_delete=models.CASCADE, related_name="assignments")
    name = models.CharField(_("name"), max_length=255)
    # What holds for whom, with extensions: deadlines.py.
    release_at = models.DateTimeField(
        _("release time"), null=True, blank=True, help_text=_("Students see the assignment from then on.")
    )
    due = models.DateTimeField(_("due date"), null=True, blank=True)
    cut_off = models.DateTimeField(_("cut-off"), null=True, blank=True, help_text=_("Nothing is accepted after it."))
    max_attempts = models.PositiveIntegerField(
        _("attempt limit"), null=True, blank=True, help_text=_("How often a student may submit; empty for no limit.")
    )
    withdrawn_at = models.DateTimeField(_("unreleased since"), null=True, blank=True, editable=False)
    # The one with the highest number: whoever adds a release sets it. It is deleted with the assignment alone.
    latest_release = models.ForeignKey(
        "Release", on_delete=models.RESTRICT, null=True, blank=True, editable=False, related_name="latest_of"
    )
    created = models.DateTimeField(_("created"), db_default=Now(), editable=False)

    objects = AssignmentQuerySet.as_manager()

    class Meta:
        verbose_name = _("assignment")
        verbose_name_plural = _("assignments")
        ordering: ClassVar = ["course", "name"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="assignment_name_taken_once_in_a_course",
                fields=["course", "name"],
                violation_error_message=_("An assignment of this name exists already."),
            ),
            models.CheckConstraint(
                name="assignment_name_fits_nbgrader",
                condition=Q(name__length__gt=0)
                & ~Q(name__contains="/")
                & ~Q(name__contains="+")
                & ~Q(name__in=[".", ".."]),
                violation_error_message=_("The name of an assignment may be any text without '/' and '+'."),
            ),
            models.CheckConstraint(
                name="cut_off_is_not_before_the_due_date",
                condition=Q(due=None) | Q(cut_off=None) | Q(cut_off__gte=F("due")),
                violation_error_message=_("The cut-off may not be before the due date."),
            ),
            models.CheckConstraint(
                name="release_is_before_the_deadlines",
                condition=Q(release_at=None)
                | (Q(due=None) | Q(release_at__lt=F("due"))) & (Q(cut_off=None) | Q(release_at__lt=F("cut_off"))),
                violation_error_message=_("The release time must be before the due date and the cut-off."),
            ),
            models.CheckConstraint(
                name="one_attempt_at_least",
                condition=Q(max_attempts=None) | Q(max_attempts__gt=0),
                violation_error_message=_("The attempt limit is 1 or more."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.course}: {self.name}"

    @property
    def status(self) -> str:
        return "withdrawn" if self.withdrawn_at else "released"

    @property
    def is_shown(self) -> bool:
        """Whether students see it now: released, and its release time has come."""
        return self.withdrawn_at is None and (self.release_at is None or self.release_at <= timezone.now())


class Release(models.Model):
    """One published version of an assignment's files. Students fetch the one with the highest number."""

    assignment = models.ForeignKey(
        Assignment, verbose_name=_("assignment"), on_delete=models.CASCADE, related_name="releases"
    )
    number = models.PositiveIntegerField(_("number"))
    file_set = models.ForeignKey(FileSet, on_delete=models.PROTECT, related_name="releases")
    released_by = models.ForeignKey(
        User, verbose_name=_("released by"), on_delete=models.SET_NULL, null=True, related_name="+"
    )
    created = models.DateTimeField(_("created"))
    new_bytes = models.BigIntegerField(default=0, editable=False, help_text=_("bytes that it brought to the server"))

    class Meta:
        verbose_name = _("release")
        verbose_name_plural = _("releases")
        ordering: ClassVar = ["assignment", "number"]
        constraints: ClassVar = [
            models.UniqueConstraint(name="release_number_taken_once", fields=["assignment", "number"]),
        ]

    def __str__(self) -> str:
        return gettext("%(assignment)s, release %(number)s") % {"assignment": self.assignment, "number": self.number}


class Solution(models.Model):
    """A file set that solves an assignment. Each student may fetch the present one after their own cut-off."""

    assignment = models.ForeignKey(Assignment, on_delete=models.CASCADE, related_name="solutions")
    file_set = models.ForeignKey(FileSet, on_delete=models.PROTECT, related_name="solutions")
    added_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created = models.DateTimeField(_("added"))
    withdrawn_at = models.DateTimeField(_("withdrawn since"), null=True, blank=True, editable=False)
    new_bytes = models.BigIntegerField(default=0, editable=False, help_text=_("bytes that it brought to the server"))

    class Meta:
        verbose_name = _("solution")
        verbose_name_plural = _("solutions")
        ordering: ClassVar = ["assignment", "id"]
        constraints: ClassVar = [
            models.UniqueConstraint(name="one_present_solution", fields=["assignment"], condition=Q(withdrawn_at=None)),
        ]

    def __str__(self) -> str:
        return gettext("Solution of %(assignment)s") % {"assignment": self.assignment}
