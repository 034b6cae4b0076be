"""MD5 of blobs: the checksums of API v1, which alone needs them. They are computed when it first asks for them."""

import hashlib
from collections.abc import Sequence

from exchange.models import Blob
from exchange.storage import blobs, reading
from exchange.storage.batches import in_batches

BATCH = 100  # blobs after which the checksums are stored


def complete(rows: Sequence[Blob]) -> None:
    """Compute and store the checksums that these blobs do not have yet: each blob is read once, ever.

    What the store has lost or damaged is left without. Errors: StoreUnreachable.
    """
    unknown = {blob.pk: blob for blob in rows if not blob.md5}
    lost = {blob.pk for blob in reading.find_lost(unknown.values())}
    # In the order of their keys, so that two requests do not lock them in different orders.
    for batch in in_batches([unknown[pk] for pk in sorted(unknown.keys() - lost)], BATCH):
        for blob in batch:
            blob.md5 = _checksum(blob)
        Blob.objects.bulk_update(batch, ["md5"])
    for blob in rows:
        blob.md5 = blob.md5 or unknown[blob.pk].md5


def _checksum(blob: Blob) -> str:
    checksum, verified = hashlib.md5(usedforsecurity=False), hashlib.sha256()
    try:
        for chunk in reading.read(blob):
            checksum.update(chunk)
            verified.update(chunk)
    except blobs.Absent:  # gone since it was looked for
        return ""
    except blobs.STORE_ERRORS as error:
        raise blobs.StoreUnreachable(f"The store cannot be read just now: {error}.") from error
    return checksum.hexdigest() if verified.hexdigest() == blob.sha256 else ""  # it would outlive the damage
