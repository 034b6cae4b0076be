"""Blobs, file sets, assignments, releases, submissions and feedback; docs/design.md explains the words.

Nothing here is overwritten: releases, submissions, feedback and file sets are only added, and what is hidden has a time
in its column `withdrawn_at`.
"""

import math
import uuid
from datetime import datetime
from typing import ClassVar

from django.db import models
from django.db.models import Expression, F, Q
from django.db.models.functions import Now
from django.utils import timezone

from courses.models import Course, User


class Fault(models.TextChoices):
    """What the last verification found wrong with a blob."""

    MISSING = "missing"
    DAMAGED = "damaged"


class Blob(models.Model):
    """Bytes, named by their hash. Only storage/blobs.py touches the bytes themselves."""

    sha256 = models.CharField(max_length=64, unique=True)
    md5 = models.CharField(
        max_length=32, blank=True, default="", help_text="the checksum of API v1, computed when it is first asked for"
    )
    size = models.BigIntegerField(help_text="bytes")
    # The row is written before the bytes, and every upload that uses the bytes touches it, so that garbage collection
    # sees uploads under way. Only a file set keeps a blob for ever.
    stored = models.BooleanField(default=False, db_default=False, help_text="the bytes are in the store")
    touched = models.DateTimeField(db_index=True, help_text="when an upload last used it")
    verified = models.DateTimeField(null=True, db_index=True, help_text="when its bytes were last read and compared")
    fault = models.CharField(max_length=10, blank=True, default="", db_default="", choices=Fault)

    class Meta:
        indexes: ClassVar = [
            models.Index(name="blobs_with_a_fault", fields=["fault"], condition=~Q(fault="")),
            models.Index(name="blobs_not_in_the_store", fields=["id"], condition=Q(stored=False)),
            models.Index(name="blobs_with_a_checksum", fields=["md5"], condition=~Q(md5="")),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(name="blob_sha256_is_lowercase_hex", condition=Q(sha256__regex=r"^[0-9a-f]{64}$")),
            models.CheckConstraint(name="blob_size_is_not_negative", condition=Q(size__gte=0)),
        ]

    def __str__(self) -> str:
        return self.sha256


class FileSet(models.Model):
    """An immutable set of files. Equal file sets are one row, whoever submits them."""

    digest = models.CharField(max_length=64, unique=True, help_text="SHA-256 over the manifest")
    size = models.BigIntegerField(help_text="bytes of all files together")
    file_count = models.PositiveIntegerField()

    def __str__(self) -> str:
        return f"{self.file_count} files, {self.digest[:12]}"


class FileEntry(models.Model):
    file_set = models.ForeignKey(FileSet, on_delete=models.CASCADE, related_name="entries")
    position = models.PositiveIntegerField(help_text="place in the manifest")
    path = models.CharField(max_length=1024)
    blob = models.ForeignKey(Blob, on_delete=models.PROTECT, related_name="entries")

    class Meta:
        ordering: ClassVar = ["file_set", "position"]
        verbose_name = "file"
        constraints: ClassVar = [
            models.UniqueConstraint(name="path_comes_once_in_a_file_set", fields=["file_set", "path"]),
            models.UniqueConstraint(name="position_comes_once_in_a_file_set", fields=["file_set", "position"]),
            models.CheckConstraint(
                name="path_stays_inside",
                condition=~Q(path="") & ~Q(path__startswith="/") & ~Q(path__contains="\\"),
            ),
        ]

    def __str__(self) -> str:
        return self.path


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

    course = models.ForeignKey(Course, on_delete=models.CASCADE, related_name="assignments")
    name = models.CharField(max_length=255)
    # What holds for whom, with extensions: deadlines.py.
    release_at = models.DateTimeField(
        "release time", null=True, blank=True, help_text="Students see the assignment from then on."
    )
    due = models.DateTimeField("due date", null=True, blank=True)
    cut_off = models.DateTimeField("cut-off", null=True, blank=True, help_text="Nothing is accepted after it.")
    max_attempts = models.PositiveIntegerField(
        "attempt limit", null=True, blank=True, help_text="How often a student may submit; empty for no limit."
    )
    withdrawn_at = models.DateTimeField("unreleased since", null=True, blank=True, editable=False)
    # The one with the highest number: whoever adds a release sets it. It is deleted with the assignment alone.
    latest_release = models.ForeignKey(
        "Release", on_delete=models.RESTRICT, null=True, blank=True, editable=False, related_name="latest_of"
    )
    created = models.DateTimeField(db_default=Now(), editable=False)

    objects = AssignmentQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["course", "name"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="assignment_name_taken_once_in_a_course",
                fields=["course", "name"],
                violation_error_message="An assignment of this name exists already.",
            ),
            models.CheckConstraint(
                name="assignment_name_fits_nbgrader",
                condition=Q(name__length__gt=0)
                & ~Q(name__contains="/")
                & ~Q(name__contains="+")
                & ~Q(name__in=[".", ".."]),
                violation_error_message="The name of an assignment may be any text without '/' and '+'.",
            ),
            models.CheckConstraint(
                name="cut_off_is_not_before_the_due_date",
                condition=Q(due=None) | Q(cut_off=None) | Q(cut_off__gte=F("due")),
                violation_error_message="The cut-off may not be before the due date.",
            ),
            models.CheckConstraint(
                name="release_is_before_the_deadlines",
                condition=Q(release_at=None)
                | (Q(due=None) | Q(release_at__lt=F("due"))) & (Q(cut_off=None) | Q(release_at__lt=F("cut_off"))),
                violation_error_message="The release time must be before the due date and the cut-off.",
            ),
            models.CheckConstraint(
                name="one_attempt_at_least",
                condition=Q(max_attempts=None) | Q(max_attempts__gt=0),
                violation_error_message="The attempt limit is 1 or more.",
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

    assignment = models.ForeignKey(Assignment, on_delete=models.CASCADE, related_name="releases")
    number = models.PositiveIntegerField()
    file_set = models.ForeignKey(FileSet, on_delete=models.PROTECT, related_name="releases")
    released_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created = models.DateTimeField()
    new_bytes = models.BigIntegerField(default=0, editable=False, help_text="bytes that it brought to the server")

    class Meta:
        ordering: ClassVar = ["assignment", "number"]
        constraints: ClassVar = [
            models.UniqueConstraint(name="release_number_taken_once", fields=["assignment", "number"]),
        ]

    def __str__(self) -> str:
        return f"{self.assignment}, release {self.number}"


class Extension(models.Model):
    """Another due date and cut-off of an assignment for one person or one section. deadlines.py has the rule."""

    assignment = models.ForeignKey(Assignment, on_delete=models.CASCADE, related_name="extensions", db_index=False)
    user = models.ForeignKey(
        User, on_delete=models.CASCADE, null=True, blank=True, related_name="extensions", verbose_name="person"
    )
    # Null where it is for one person, so that the index of the constraint finds it.
    section = models.CharField(max_length=255, null=True, blank=True)  # noqa: DJ001
    due = models.DateTimeField("due date", null=True, blank=True, help_text="Empty: the assignment's.")
    cut_off = models.DateTimeField(
        "cut-off", null=True, blank=True, help_text="Empty: the assignment's, and not before the due date."
    )
    attempts = models.PositiveIntegerField("further attempts", default=0)
    reason = models.CharField(max_length=500, blank=True, default="")
    granted_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+", editable=False)
    created = models.DateTimeField("granted", editable=False)

    class Meta:
        ordering: ClassVar = ["assignment", "section", "user"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="one_extension_of_a_person",
                fields=["assignment", "user"],
                violation_error_message="This person has an extension of the assignment already.",
            ),
            models.UniqueConstraint(
                name="one_extension_of_a_section",
                fields=["assignment", "section"],
                violation_error_message="This section has an extension of the assignment already.",
            ),
            models.CheckConstraint(
                name="extension_is_for_a_person_or_a_section",
                condition=Q(user__isnull=False, section=None) | Q(user=None, section__isnull=False) & ~Q(section=""),
                violation_error_message="An extension is for a person or for a section.",
            ),
            models.CheckConstraint(
                name="extension_extends_something",
                condition=Q(due__isnull=False) | Q(cut_off__isnull=False) | Q(attempts__gt=0),
                violation_error_message="An extension needs a due date, a cut-off or further attempts.",
            ),
            models.CheckConstraint(
                name="extended_cut_off_is_not_before_the_due_date",
                condition=Q(due=None) | Q(cut_off=None) | Q(cut_off__gte=F("due")),
                violation_error_message="The cut-off may not be before the due date.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.assignment}, extension for {self.user or f'section {self.section}'}"

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


class Solution(models.Model):
    """A file set that solves an assignment. Each student may fetch the present one after their own cut-off."""

    assignment = models.ForeignKey(Assignment, on_delete=models.CASCADE, related_name="solutions")
    file_set = models.ForeignKey(FileSet, on_delete=models.PROTECT, related_name="solutions")
    added_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created = models.DateTimeField("added")
    withdrawn_at = models.DateTimeField("withdrawn since", null=True, blank=True, editable=False)
    new_bytes = models.BigIntegerField(default=0, editable=False, help_text="bytes that it brought to the server")

    class Meta:
        ordering: ClassVar = ["assignment", "id"]
        constraints: ClassVar = [
            models.UniqueConstraint(name="one_present_solution", fields=["assignment"], condition=Q(withdrawn_at=None)),
        ]

    def __str__(self) -> str:
        return f"Solution of {self.assignment}"


class SubmissionQuerySet(models.QuerySet["Submission"]):
    def present(self) -> "SubmissionQuerySet":
        """Return the submissions that staff have not withdrawn."""
        return self.filter(withdrawn_at=None)


class Submission(models.Model):
    """What one student submitted at one instant, which is its name in nbgrader: in UTC, by the server's clock."""

    assignment = models.ForeignKey(Assignment, on_delete=models.CASCADE, related_name="submissions")
    student = models.ForeignKey(User, on_delete=models.PROTECT, related_name="submissions")
    submitted_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created = models.DateTimeField("submitted")
    due = models.DateTimeField(
        "due date then", null=True, editable=False, help_text="the one in force for the student when it arrived"
    )
    release = models.ForeignKey(
        Release,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="submissions",
        help_text="the latest release at that time",
    )
    file_set = models.ForeignKey(FileSet, on_delete=models.PROTECT, related_name="submissions")
    trial = models.BooleanField(default=False, help_text="submitted by staff to try the assignment; not collected")
    collected_at = models.DateTimeField("collected", null=True, blank=True, editable=False)
    withdrawn_at = models.DateTimeField("withdrawn since", null=True, blank=True, editable=False)
    idempotency_key = models.CharField(max_length=200, null=True, editable=False)  # noqa: DJ001
    new_bytes = models.BigIntegerField(default=0, editable=False, help_text="bytes that it brought to the server")
    own_bytes = models.BigIntegerField(
        default=0, editable=False, help_text="bytes that its sender could not read before"
    )

    objects = SubmissionQuerySet.as_manager()

    class Meta:
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
        ]

    def __str__(self) -> str:
        return f"{self.assignment}, {self.student}, {self.created:%Y-%m-%d %H:%M:%S.%f} UTC"


class Feedback(models.Model):
    """A file set returned on one submission. The student sees the newest; earlier ones are kept."""

    submission = models.ForeignKey(Submission, on_delete=models.CASCADE, related_name="feedbacks", db_index=False)
    file_set = models.ForeignKey(FileSet, on_delete=models.PROTECT, related_name="feedbacks")
    returned_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created = models.DateTimeField()
    new_bytes = models.BigIntegerField(default=0, editable=False, help_text="bytes that it brought to the server")

    class Meta:
        ordering: ClassVar = ["submission", F("id").desc()]
        verbose_name_plural = "feedback"
        # With the id: without statistics, PostgreSQL would look for the newest one by reading all feedback backwards.
        indexes: ClassVar = [models.Index(name="newest_feedback_of_submission", fields=["submission", "-id"])]

    def __str__(self) -> str:
        return f"Feedback on {self.submission}"


class BlobUpload(models.Model):
    """A large file that somebody sends in parts, and goes on sending where a connection broke.

    Which parts have arrived is in the store alone. Once it is complete, its sender may leave the blob out of bundles.
    """

    # Nobody can guess it, and none comes again after a backup is restored: parts in the store are named by it.
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    course = models.ForeignKey(Course, on_delete=models.CASCADE, related_name="+")
    sha256 = models.CharField(max_length=64)
    size = models.BigIntegerField(help_text="bytes")
    part_size = models.PositiveIntegerField(help_text="bytes of each part but the last")
    created = models.DateTimeField()
    completed = models.DateTimeField(null=True)
    expires = models.DateTimeField(db_index=True)

    class Meta:
        ordering: ClassVar = ["created", "id"]
        verbose_name = "upload in parts"
        verbose_name_plural = "uploads in parts"
        constraints: ClassVar = [
            models.CheckConstraint(name="upload_sha256_is_lowercase_hex", condition=Q(sha256__regex=r"^[0-9a-f]{64}$")),
            models.CheckConstraint(name="upload_has_parts", condition=Q(size__gt=0, part_size__gt=0)),
        ]

    def __str__(self) -> str:
        return f"{self.sha256}, {self.user} in {self.course}"

    @property
    def part_count(self) -> int:
        return math.ceil(self.size / self.part_size)

    def length_of(self, number: int) -> int:
        """Return how many bytes a part has; the first is number 1."""
        return min(self.part_size, self.size - (number - 1) * self.part_size)


class MaintenanceRun(models.Model):
    """How a regular task ended, such as garbage collection or a backup; maintenance.py writes it."""

    task = models.CharField(max_length=50, help_text="the command's name")
    started = models.DateTimeField()
    ended = models.DateTimeField()
    succeeded = models.BooleanField()
    summary = models.JSONField(default=dict, help_text="numbers, and the error of a run that failed")

    class Meta:
        ordering: ClassVar = ["-pk"]
        verbose_name = "run of a regular task"
        verbose_name_plural = "runs of regular tasks"
        indexes: ClassVar = [models.Index(fields=["task", "succeeded"])]

    def __str__(self) -> str:
        return f"{self.task}, {self.started:%Y-%m-%d %H:%M} UTC"

    @property
    def result(self) -> str:
        """The summary as people read it: `blobs: 3; bytes: 12`."""
        return "; ".join(f"{name.replace('_', ' ')}: {value}" for name, value in self.summary.items())
