"""Whether the store still has what the database says: reading bytes again, and marking what is lost or back."""

import logging
from collections.abc import Collection, Iterable

from exchange.models import Blob, FileEntry
from exchange.storage import blobs
from exchange.storage.file_sets import in_batches

log = logging.getLogger(__name__)


def verify(rows: Collection[Blob]) -> list[Blob]:
    """Read the bytes of these blobs and mark each as missing or present. Return those that are broken or gone."""
    broken = [blob for blob in rows if not blobs.verify(blob.sha256)]
    for blob in broken:
        mark_missing(blob)
    mark_present({blob.sha256 for blob in rows} - {blob.sha256 for blob in broken})
    return broken


def mark_missing(blob: Blob) -> None:
    """Note that the store has lost these bytes: no upload may rely on them until one sends them again."""
    log.error("the bytes of the blob %s are gone from the store", blob.sha256)
    Blob.objects.filter(pk=blob.pk).update(stored=False)


def mark_present(hashes: Iterable[str]) -> None:
    """Note that these bytes were read and are right, so that what was marked as missing may be relied on again.

    Blobs of no file set are left alone: an upload or garbage collection may be at work on them.
    """
    for batch in in_batches(sorted(hashes)):
        in_use = FileEntry.objects.filter(blob__sha256__in=batch, blob__stored=False).order_by().values("blob")
        Blob.objects.filter(pk__in=in_use).update(stored=True)
