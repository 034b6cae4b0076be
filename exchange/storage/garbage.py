"""Removing what nothing names any more: bytes of uploads that ended in the middle, and of work deleted for good.

`before` is a time: what an upload has counted on since then is left alone. It must be FRESH (filesets.py) and as long
as an upload may take ago, at least.
"""

from datetime import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from exchange.models import Blob, FileEntry, FileSet
from exchange.storage import blobs


def orphans(before: datetime) -> QuerySet[Blob]:
    """Blobs of no file set in use that no upload has counted on since."""
    in_use = FileEntry.objects.filter(blob=OuterRef("pk")).exclude(file_set__in=_let_go(before))
    return Blob.objects.filter(~Exists(in_use), touched__lt=before)


def _let_go(before: datetime) -> QuerySet[FileSet]:
    """File sets of what was deleted for good."""
    fresh = FileEntry.objects.filter(file_set=OuterRef("pk"), blob__touched__gte=before)
    unused = FileSet.objects.filter(releases=None, submissions=None, feedbacks=None, file_count__gt=0)
    return unused.filter(~Exists(fresh))


def _remove_file_set(pk: int, before: datetime) -> None:
    """Under the locks of its blobs: an upload of the same tree has touched them, or waits and then makes it anew."""
    with transaction.atomic():
        held = Blob.objects.filter(pk__in=FileEntry.objects.filter(file_set=pk).order_by().values("blob"))
        list(held.select_for_update().order_by("sha256").values_list("pk"))
        for file_set in _let_go(before).filter(pk=pk):
            file_set.delete()


def collect_garbage(before: datetime) -> tuple[int, int]:
    """Remove what `sweepable` names, bytes and rows, and file sets that nothing uses. Returns how many blobs and how
    many bytes.

    Safe beside running uploads: an upload that comes first has touched the row, one that comes later waits for the
    lock and then stores the bytes anew; after a crash between bytes and row, `stored` is false and so they are too.
    """
    count = size = 0
    for pk in list(_let_go(before).values_list("pk", flat=True)):
        _remove_file_set(pk, before)
    bare = Blob.objects.filter(entries=None, touched__lt=before)
    bare.update(stored=False)
    for pk in list(bare.values_list("pk", flat=True)):
        with transaction.atomic():
            blob = Blob.objects.select_for_update().filter(pk=pk, touched__lt=before, stored=False).first()
            if blob is None or blob.entries.exists():
                continue
            blobs.delete(blob.sha256)
            blob.delete()
            count, size = count + 1, size + blob.size
    return count, size
