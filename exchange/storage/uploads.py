"""Uploads in parts: which blobs somebody has sent whole before the submission that names them, and which are over."""

from collections.abc import Collection

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from courses.models import User
from exchange.models import Blob, BlobUpload
from exchange.storage import parts, reading


def uploads_of(user: User) -> QuerySet[BlobUpload]:
    """Return the uploads of a user that have not expired."""
    return BlobUpload.objects.filter(user=user, expires__gt=timezone.now())


def claim(user: User | None, hashes: Collection[str]) -> dict[str, Blob]:
    """Return those of the hashes that the user has sent in parts, {hash: blob}, and keep their bytes for this request.

    They may be left out of a bundle, as what the user may read, but count as brought by it: nobody else's bytes and no
    quota depend on them. The query depends on the user alone. Call it outside a transaction. Errors: StoreUnreachable.
    """
    if user is None or not hashes:
        return {}
    completed = uploads_of(user).filter(completed__isnull=False).values_list("sha256", flat=True)
    claimed = set(completed).intersection(hashes)
    if not claimed:
        return {}
    with transaction.atomic():
        # What is touched under the lock, garbage collection leaves alone; what it has removed first, is not found.
        rows = list(Blob.objects.filter(sha256__in=claimed).select_for_update(no_key=True).order_by("sha256"))
        Blob.objects.filter(pk__in=[blob.pk for blob in rows]).update(touched=timezone.now())
    # Not stored: no file set has had it yet, or its bytes were lost before they were sent again in these parts.
    lost = reading.find_unreliable(blob for blob in rows if blob.stored)
    lost += reading.find_lost(blob for blob in rows if not blob.stored)
    return {blob.sha256: blob for blob in rows if blob not in lost}


def forget(user: User | None, hashes: Collection[str]) -> None:
    """Forget the uploads of blobs that a file set of the user has now."""
    if user is not None and hashes:
        uploads_of(user).filter(completed__isnull=False, sha256__in=hashes).delete()


def expired() -> QuerySet[BlobUpload]:
    return BlobUpload.objects.filter(expires__lte=timezone.now())


def remove_expired() -> int:
    """Remove the uploads whose time is over, and all parts that belong to no upload. Return how many were unfinished.

    Their blobs are left to garbage collection. Errors: StoreUnreachable.
    """
    found = parts.upload_ids()  # before the rows, of which there is one before there are parts
    unfinished = expired().filter(completed=None).count()
    expired().delete()
    kept = {str(pk) for pk in BlobUpload.objects.values_list("pk", flat=True)}
    for upload_id in found:
        if upload_id not in kept:
            parts.delete_folder(upload_id)
    return unfinished
