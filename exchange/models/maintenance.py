"""How regular tasks ended."""

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _


class MaintenanceRun(models.Model):
    """How a regular task ended, such as garbage collection or a backup; maintenance.py writes it."""

    task = models.CharField(_("task"), max_length=50, help_text=_("the command's name"))
    started = models.DateTimeField(_("started"))
    ended = models.DateTimeField(_("ended"))
    succeeded = models.BooleanField(_("succeeded"))
    summary = models.JSONField(default=dict, help_text=_("numbers, and the error of a run that failed"))

    class Meta:
        ordering: ClassVar = ["-pk"]
        verbose_name = _("run of a regular task")
        verbose_name_plural = _("runs of regular tasks")
        indexes: ClassVar = [models.Index(fields=["task", "succeeded"])]

    def __str__(self) -> str:
        return f"{self.task}, {self.started:%Y-%m-%d %H:%M} UTC"

    @property
    def result(self) -> str:
        """The summary as people read it: `blobs: 3; bytes: 12`."""
        return "; ".join(f"{name.replace('_', ' ')}: {value}" for name, value in self.summary.items())
