"""Garbage collection: removing the bytes of uploads that broke off, and of what was deleted permanently.

`before` is a time: what an upload has relied on since then is left alone. It must lie at least file_sets.FRESH plus the
duration of the longest upload in the past.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from courses import audit
from courses.permissions import SERVER, SERVER_ROLE
from exchange.models import Blob, FileEntry, FileSet
from exchange.storage import blobs
from exchange.storage.batches import in_batches


def orphans(before: datetime) -> QuerySet[Blob]:
    """Return the blobs of no file set in use on which no upload has relied since."""
    in_use = FileEntry.objects.filter(blob=OuterRef("pk")).exclude(file_set__in=_unused_file_sets(before))
    return Blob.objects.filter(~Exists(in_use), touched__lt=before)


def collect_garbage(before: datetime) -> tuple[int, int]:
    """Remove the orphans, bytes and rows, and the file sets that nothing uses. Return how many blobs and bytes went.

    Safe beside running uploads. An upload that comes first has touched the row; one that comes later waits for the lock
    and then stores the bytes anew. After a crash between bytes and row, `stored` is false, and the next upload stores
    the bytes anew, too.
    """
    count = size = file_sets = 0
    for pk in list(_unused_file_sets(before).values_list("pk", flat=True)):
        file_sets += _remove_file_set(pk, before)
    pks = list(Blob.objects.filter(entries=None, touched__lt=before).order_by("sha256").values_list("pk", flat=True))
    for batch in in_batches(pks):
        _mark_as_going(batch, before)
    for pk in pks:
        with transaction.atomic():
            blob = Blob.objects.select_for_update().filter(pk=pk, touched__lt=before, stored=False).first()
            if blob is None:
                continue
            if blob.entries.exists():  # an upload that was under way when the row was marked has used it after all
                Blob.objects.filter(pk=pk, fault="").update(stored=True)
                continue
            sha256 = blob.sha256
            blob.delete()
            blobs.delete(sha256)
            count, size = count + 1, size + blob.size
    if count or file_sets:
        totals: dict[str, Any] = {"blobs": count, "bytes": size, "file_sets": file_sets}
        audit.record("collect garbage", by=SERVER, role=SERVER_ROLE, about=Blob, **totals)
    return count, size


def _unused_file_sets(before: datetime) -> QuerySet[FileSet]:
    """Return the file sets of what was deleted permanently."""
    fresh = FileEntry.objects.filter(file_set=OuterRef("pk"), blob__touched__gte=before)
    unused = FileSet.objects.filter(releases=None, submissions=None, feedbacks=None, solutions=None, file_count__gt=0)
    return unused.filter(~Exists(fresh))


def _remove_file_set(pk: int, before: datetime) -> bool:
    """Remove it under the locks of its blobs: an upload of equal files has touched them, or waits and makes it anew.

    Return whether it was still unused. Its own lock makes an upload that uses it wait, which then has to be repeated.
    """
    with transaction.atomic():
        of_file_set = FileEntry.objects.filter(file_set=pk).order_by().values("blob")
        list(Blob.objects.filter(pk__in=of_file_set).select_for_update().order_by("sha256").values_list("pk"))
        list(FileSet.objects.filter(pk=pk).select_for_update().values_list("pk"))
        file_set = _unused_file_sets(before).filter(pk=pk).first()
        if file_set is not None:
            file_set.delete()
        return file_set is not None


def _mark_as_going(pks: Sequence[int], before: datetime) -> None:
    """Mark blobs as not stored, in the order in which uploads lock them, before the bytes of the first one go."""
    with transaction.atomic():
        rows = Blob.objects.filter(pk__in=pks, touched__lt=before).select_for_update(no_key=True).order_by("sha256")
        Blob.objects.filter(pk__in=[blob.pk for blob in rows], entries=None).update(stored=False)
