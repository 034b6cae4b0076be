"""MD5 of blobs, the checksums of API v1. Nothing else needs them, so they are computed when they are first asked for."""

import hashlib
from collections.abc import Sequence

from exchange.models import Blob
from exchange.storage import reading
from exchange.storage.file_sets import in_batches

BATCH = 100  # blobs after which the checksums are stored


def complete(rows: Sequence[Blob]) -> None:
    """Compute and store the checksums that these blobs do not have yet: each blob is read once, ever.

    Errors: BytesLost, StoreUnreachable, OSError.
    """
    unknown = {blob.pk: blob for blob in rows if not blob.md5}
    reading.require(unknown.values())
    for batch in in_batches(list(unknown.values()), BATCH):
        for blob in batch:
            blob.md5 = _checksum(blob)
        Blob.objects.bulk_update(batch, ["md5"])
    for blob in rows:
        blob.md5 = blob.md5 or unknown[blob.pk].md5


def _checksum(blob: Blob) -> str:
    checksum = hashlib.md5(usedforsecurity=False)
    for chunk in reading.read(blob):
        checksum.update(chunk)
    return checksum.hexdigest()
