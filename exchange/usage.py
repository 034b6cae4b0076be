"""What the service holds: counts and sizes for the metrics and for the administrators' overview."""

from pathlib import Path
from shutil import disk_usage
from typing import NamedTuple

from django.conf import settings
from django.db import connection
from django.db.models import Count, Exists, Min, OuterRef, Q, QuerySet, Sum
from django.utils import timezone

from courses.models import Course, User
from exchange.models import Assignment, Blob, BlobUpload, Feedback, FileEntry, Release, Submission
from exchange.notices.models import Delivery, Event
from exchange.notices.models import State as DeliveryState
from exchange.storage import blobs


class Usage(NamedTuple):
    courses: int  # without those in the trash
    people: int
    assignments: int
    releases: int
    submissions: int
    feedback: int
    blobs: int  # in the store
    blob_bytes: int
    blobs_missing: int
    database_bytes: int


class Disk(NamedTuple):
    path: Path
    size: int  # bytes
    free: int  # bytes


def measure() -> Usage:
    """Count everything. A constant number of queries, the slowest of which reads the table of blobs once."""
    stored = Blob.objects.filter(stored=True).aggregate(count=Count("pk"), size=Sum("size"))
    return Usage(
        courses=Course.objects.present().count(),
        people=User.objects.count(),
        assignments=Assignment.objects.count(),
        releases=Release.objects.count(),
        submissions=Submission.objects.count(),
        feedback=Feedback.objects.count(),
        blobs=stored["count"],
        blob_bytes=stored["size"] or 0,
        blobs_missing=missing_blobs().count(),
        database_bytes=_database_bytes(),
    )


def missing_blobs() -> QuerySet[Blob]:
    """Return the blobs of files whose bytes the store has lost or damaged, as far as somebody has noticed."""
    in_use = Exists(FileEntry.objects.filter(blob=OuterRef("pk")))
    return Blob.objects.filter(Q(stored=False) | ~Q(fault=""), in_use)


def uploads_under_way() -> tuple[int, int]:
    """Return how many uploads in parts are unfinished or not yet submitted, and how many bytes they may have."""
    totals = BlobUpload.objects.aggregate(count=Count("pk"), size=Sum("size", default=0))
    return totals["count"], totals["size"]


def largest_courses(count: int) -> QuerySet[Course]:
    """Return the courses, also those in the trash, that brought the most bytes, with `submissions_made`."""
    largest = Course.objects.order_by("-stored_bytes", "name").values("pk")[:count]
    rows = Course.objects.filter(pk__in=largest)  # found first: only their submissions are counted
    return rows.annotate(submissions_made=Count("assignments__submissions")).order_by("-stored_bytes", "name")


def largest_people(count: int) -> QuerySet[User]:
    """Return the people whose submissions brought the most bytes, with `brought` bytes and `submissions_made`."""
    brought = Sum("submissions__new_bytes")
    people = User.objects.annotate(brought=brought, submissions_made=Count("submissions"))
    return people.filter(~Q(submissions_made=0)).order_by("-brought", "username")[:count]


def notices() -> dict[str, float]:
    """Return how many deliveries of notices there are by state, and for how many seconds the oldest has been due."""
    now = timezone.now()
    is_on = ~Q(webhook__active=False) & ~Q(webhook__paused_until__gt=now)
    rows = (
        Delivery.objects.order_by().values("state").annotate(count=Count("pk"), next=Min("next_attempt", filter=is_on))
    )
    counts, oldest = dict.fromkeys(DeliveryState.values, 0), [Event.objects.aggregate(at=Min("ready_at"))["at"]]
    for state, count, next_attempt in rows.values_list("state", "count", "next"):
        counts[state] = count
        oldest += [next_attempt] if state == DeliveryState.WAITING else []
    overdue = max(((now - moment).total_seconds() for moment in oldest if moment), default=0.0)
    return {**counts, "overdue": max(0.0, overdue)}


def disks() -> dict[str, Disk]:
    """Return the file systems of this machine that the service writes to: `data` and, if blobs are files, `blobs`."""
    places = {"data": Path(settings.DATA)}
    if blob_folder := blobs.folder():
        places["blobs"] = blob_folder
    found = {}
    for name, path in places.items():
        existing = next(folder for folder in (path, *path.parents) if folder.exists())
        usage = disk_usage(existing)
        found[name] = Disk(path, usage.total, usage.free)
    return found


def _database_bytes() -> int:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_database_size(current_database())")
            return int(cursor.fetchone()[0])
    files = [Path(f"{connection.settings_dict['NAME']}{suffix}") for suffix in ("", "-wal")]
    return sum(file.stat().st_size for file in files if file.is_file())
