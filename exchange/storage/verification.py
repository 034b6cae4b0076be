"""Whether the store still has what the database says: reading bytes again, and marking what is lost or back."""

from collections.abc import Collection, Iterable

from django.db import transaction

from courses import audit
from courses.permissions import SERVER, Actor
from exchange.models import Blob, FileEntry
from exchange.storage import blobs, reading
from exchange.storage.file_sets import in_batches


def verify(rows: Collection[Blob], *, by: Actor) -> list[Blob]:
    """Read the bytes of these blobs and mark each as missing or present. Return those that are broken or gone.

    Errors: PermissionDenied.
    """
    by.require_administrator()
    broken = [blob for blob in rows if not blobs.verify(blob.sha256)]
    for blob in broken:
        mark_missing(blob, by=by)
    mark_present({blob.sha256 for blob in rows} - {blob.sha256 for blob in broken}, by=by)
    return broken


def mark_missing(blob: Blob, *, by: Actor = SERVER) -> None:
    """Note that the store has lost these bytes: no upload may rely on them until one sends them again."""
    reading.mark_lost([blob], by=by)


def mark_present(hashes: Iterable[str], *, by: Actor) -> None:
    """Note that these bytes were read and are right, so that what was marked as missing may be relied on again.

    Blobs of no file set are left alone: an upload or garbage collection may be at work on them.
    """
    role = by.require_administrator()
    for batch in in_batches(sorted(hashes)):
        in_use = FileEntry.objects.filter(blob__sha256__in=batch, blob__stored=False).order_by().values("blob")
        with transaction.atomic():
            for blob in Blob.objects.filter(pk__in=in_use).select_for_update(no_key=True).order_by("sha256"):
                Blob.objects.filter(pk=blob.pk).update(stored=True)
                audit.record("mark bytes as present", by=by, role=role, about=blob, target=blob.sha256)
