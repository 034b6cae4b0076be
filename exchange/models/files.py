"""Blobs, file sets, and large files that arrive in parts."""

import math
import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from courses.models import Course, User


class Fault(models.TextChoices):
    """What the last verification found wrong with a blob."""

    MISSING = "missing", _("Missing")
    DAMAGED = "damaged", _("Damaged")


class Blob(models.Model):
    """Bytes, named by their hash. Only storage/blobs.py touches the bytes themselves."""

    sha256 = models.CharField(max_length=64, unique=True)
    md5 = models.CharField(
        max_length=32,
        blank=True,
        default="",
        help_text=_("the checksum of API v1, computed when it is first asked for"),
    )
    size = models.BigIntegerField(help_text=_("bytes"))
    # The row is written before the bytes, and every upload that uses the bytes touches it, so that garbage collection
    # sees uploads under way. Only a file set keeps a blob for ever.
    stored = models.BooleanField(
        _("stored"), default=False, db_default=False, help_text=_("the bytes are in the store")
    )
    touched = models.DateTimeField(_("touched"), db_index=True, help_text=_("when an upload last used it"))
    verified = models.DateTimeField(
        _("verified"), null=True, db_index=True, help_text=_("when its bytes were last read and compared")
    )
    fault = models.CharField(_("fault"), max_length=10, blank=True, default="", db_default="", choices=Fault)

    class Meta:
        verbose_name = _("blob")
        verbose_name_plural = _("blobs")
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

    digest = models.CharField(_("digest"), max_length=64, unique=True, help_text=_("SHA-256 over the manifest"))
    size = models.BigIntegerField(help_text=_("bytes of all files together"))
    file_count = models.PositiveIntegerField(_("file count"))

    class Meta:
        verbose_name = _("file set")
        verbose_name_plural = _("file sets")

    def __str__(self) -> str:
        text = ngettext("%(count)d file, %(digest)s", "%(count)d files, %(digest)s", self.file_count)
        return text % {"count": self.file_count, "digest": self.digest[:12]}


class FileEntry(models.Model):
    file_set = models.ForeignKey(FileSet, on_delete=models.CASCADE, related_name="entries")
    position = models.PositiveIntegerField(help_text=_("place in the manifest"))
    path = models.CharField(max_length=1024)
    blob = models.ForeignKey(Blob, on_delete=models.PROTECT, related_name="entries")

    class Meta:
        verbose_name_plural = _("files")
        ordering: ClassVar = ["file_set", "position"]
        verbose_name = _("file")
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


class BlobUpload(models.Model):
    """A large file that somebody sends in parts, and goes on sending where a connection broke.

    Which parts have arrived is in the store alone. Once it is complete, its sender may leave the blob out of bundles.
    """

    # Nobody can guess it, and none comes again after a backup is restored: parts in the store are named by it.
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    course = models.ForeignKey(Course, on_delete=models.CASCADE, related_name="+")
    sha256 = models.CharField(max_length=64)
    size = models.BigIntegerField(help_text=_("bytes"))
    part_size = models.PositiveIntegerField(help_text=_("bytes of each part but the last"))
    created = models.DateTimeField()
    completed = models.DateTimeField(null=True)
    expires = models.DateTimeField(db_index=True)

    class Meta:
        ordering: ClassVar = ["created", "id"]
        verbose_name = _("upload in parts")
        verbose_name_plural = _("uploads in parts")
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
