"""Whether the store still has what the database says: reading bytes again, and marking what is lost or back."""

from collections.abc import Callable, Iterable, Iterator

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone

from courses import audit
from courses.permissions import Actor
from exchange.models import Blob, Fault, Feedback, FileEntry, Release, Solution, Submission
from exchange.storage import blobs, reading
from exchange.storage.batches import in_batches

BATCH, BATCH_BYTES = 100, 2 * 10**8  # after so many blobs or bytes, what was found is written


def verifiable() -> QuerySet[Blob]:
    """Return the blobs whose bytes must be there, those first that were never verified, then the longest ago.

    What an upload is about to store is not among them.
    """
    in_use = FileEntry.objects.filter(blob=OuterRef("pk"))
    return Blob.objects.filter(Q(stored=True) | Exists(in_use)).order_by(F("verified").asc(nulls_first=True), "pk")


def verify(
    rows: Iterable[Blob], *, by: Actor, mark: bool = True, on_read: Callable[[int], None] = lambda size: None
) -> list[Blob]:
    """Read the bytes of these blobs, note what is wrong with each, and return those that are damaged or missing.

    With `mark` no upload relies on the broken ones, so that the next one that sends them repairs them, and those that
    were marked and are right again may be relied on. `on_read` is called with the size of each chunk that was read.
    What was found before an error is kept. Errors: PermissionDenied, StoreUnreachable.
    """
    by.require_administrator()
    broken: list[Blob] = []
    verified: list[Blob] = []
    size = 0
    try:
        for blob in rows:
            blob.fault = _find_fault(blob, on_read)
            verified.append(blob)
            size += blob.size
            if len(verified) >= BATCH or size >= BATCH_BYTES:
                broken += _note(verified, mark=mark, by=by)
                verified, size = [], 0
    finally:
        broken += _note(verified, mark=mark, by=by)
    return broken


def _find_fault(blob: Blob, on_read: Callable[[int], None]) -> str:
    try:
        return "" if blobs.is_intact(blob.sha256, on_read=on_read) else Fault.DAMAGED
    except FileNotFoundError:
        return Fault.MISSING
    except blobs.StoreUnreachable:
        if blobs.folder() is None:
            raise
        blobs.probe()  # the folder is there: it is this file that the disk cannot read
        return Fault.DAMAGED


def _note(verified: list[Blob], *, mark: bool, by: Actor) -> list[Blob]:
    """Write what was found. Return the broken ones; garbage collection may have removed some meanwhile."""
    now = timezone.now()
    found: dict[str, list[int]] = {}
    for blob in verified:
        found.setdefault(blob.fault, []).append(blob.pk)
    present = set(verifiable().filter(pk__in=[blob.pk for blob in verified if blob.fault]).values_list("pk", flat=True))
    broken = [blob for blob in verified if blob.pk in present]
    if mark:
        reading.mark_lost(broken, by=by)
        mark_present((blob.sha256 for blob in verified if not blob.fault), by=by)
    for fault, pks in found.items():
        Blob.objects.filter(pk__in=pks).update(verified=now, fault=fault)
    return broken


def mark_present(hashes: Iterable[str], *, by: Actor) -> None:
    """Note that these bytes were read and are right, so that what was marked as missing may be relied on again.

    Blobs of no file set are left alone: an upload or garbage collection may be at work on them.
    """
    role = by.require_administrator()
    for batch in in_batches(sorted(hashes)):
        in_use = FileEntry.objects.filter(blob__sha256__in=batch, blob__stored=False).order_by().values("blob")
        with transaction.atomic():
            for blob in Blob.objects.filter(pk__in=in_use).select_for_update(no_key=True).order_by("sha256"):
                Blob.objects.filter(pk=blob.pk).update(stored=True, fault="")
                audit.record("mark bytes as present", by=by, role=role, about=blob, target=blob.sha256)


def affected(blob: Blob) -> Iterator[tuple[Release | Submission | Feedback | Solution, str]]:
    """Yield what has the blob among its files, and the path there."""
    for entry in blob.entries.order_by("file_set", "position").select_related("file_set"):
        file_set = entry.file_set
        for release in file_set.releases.select_related("assignment__course").iterator():
            yield release, entry.path
        for submission in file_set.submissions.select_related("assignment__course", "student").iterator():
            yield submission, entry.path
        rows = file_set.feedbacks.select_related("submission__assignment__course", "submission__student")
        for feedback in rows.iterator():
            yield feedback, entry.path
        for solution in file_set.solutions.select_related("assignment__course").iterator():
            yield solution, entry.path


def unknown_files() -> Iterator[str]:
    """Yield the names of files in the store that no blob has. A restored older database leaves some, harmlessly."""
    for folder in blobs.folders():
        names = blobs.names_in(folder)  # before the rows, of which there is one before there are bytes
        known: set[str] = set()
        for batch in in_batches(names):
            known.update(Blob.objects.filter(sha256__in=batch).values_list("sha256", flat=True))
        yield from (name for name in names if name not in known)
