"""How regular tasks ended: garbage collection, verification, backup. Metrics and the admin's overview read it."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import Any

from django.db import DatabaseError, transaction
from django.db.models import Max
from django.utils import timezone

from exchange.models import MaintenanceRun

KEPT = 100  # runs of a task; and its last success, however long ago
MAX_ERROR = 500  # characters


@contextmanager
def recorded_run(task: str) -> Iterator[dict[str, Any]]:
    """Record how a run of the task ends. What the caller puts into the dictionary (values for JSON) is its summary.

    An error, `sys.exit` or an interrupt makes it a failed run, with the error's text in the summary, and is raised
    again. A process that is killed leaves no row; the age of the last success tells.
    """
    started = timezone.now()
    summary: dict[str, Any] = {}
    try:
        yield summary
    except BaseException as error:
        summary["error"] = (str(error) or type(error).__name__)[:MAX_ERROR]
        with suppress(DatabaseError):  # the error that is raised may be the database's
            _record(task, started, succeeded=False, summary=summary)
        raise
    _record(task, started, succeeded=True, summary=summary)


def last_runs(*, succeeded: bool | None = None) -> dict[str, MaintenanceRun]:
    """Return the last run of each task by its name; where `succeeded` is given, the last that did, or did not."""
    runs = MaintenanceRun.objects.order_by()
    if succeeded is not None:
        runs = runs.filter(succeeded=succeeded)
    last = runs.values("task").annotate(last=Max("pk")).values("last")
    return {run.task: run for run in MaintenanceRun.objects.filter(pk__in=last).order_by("task")}


def _record(task: str, started: datetime, *, succeeded: bool, summary: dict[str, Any]) -> None:
    with transaction.atomic():
        MaintenanceRun.objects.create(
            task=task, started=started, ended=timezone.now(), succeeded=succeeded, summary=summary
        )
        runs = MaintenanceRun.objects.filter(task=task).order_by("-pk")
        kept = [
            *runs.values_list("pk", flat=True)[:KEPT],
            *runs.filter(succeeded=True).values_list("pk", flat=True)[:1],
        ]
        runs.order_by().exclude(pk__in=kept).delete()
