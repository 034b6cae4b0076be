"""Reading what is stored. Whoever finds bytes lost says so and marks them, so that the next upload sends them again.

Bytes count as lost if the store does not have them, or not in their size. Whether they are still right is seen by
whoever hashes them: clients, and verification.py.
"""

import logging
from collections.abc import Collection, Iterable, Iterator, Sequence

from django.db import transaction
from django.utils.translation import gettext as _

from courses import audit
from courses.errors import BytesLost
from courses.permissions import SERVER, Actor
from exchange.models import Blob, Fault, FileEntry
from exchange.storage import blobs
from exchange.storage.batches import in_batches

log = logging.getLogger(__name__)

MAX_NAMES = 1000  # in one error


def find_lost(rows: Iterable[Blob]) -> list[Blob]:
    """Return those of the blobs whose bytes are lost, and mark them. Call it outside a transaction.

    What an earlier reader marked is looked for again: a backup may have brought it back. Errors: StoreUnreachable.
    """
    by_hash = {blob.sha256: blob for blob in rows}
    lost = [by_hash[sha256] for sha256 in blobs.find_absent({blob.sha256: blob.size for blob in by_hash.values()})]
    mark_lost(lost)
    return lost


def find_unreliable(rows: Iterable[Blob]) -> list[Blob]:
    """Return what find_lost does, and the blobs in which the last verification found a fault, and mark them.

    No upload may rely on these. Call it outside a transaction. Errors: StoreUnreachable.
    """
    by_fault: dict[bool, list[Blob]] = {True: [], False: []}
    for blob in rows:
        by_fault[bool(blob.fault)].append(blob)
    mark_lost(by_fault[True])
    return by_fault[True] + find_lost(by_fault[False])


def require(rows: Iterable[Blob]) -> None:
    """Check that the bytes of all these blobs are there. Errors: BytesLost with their hashes, StoreUnreachable."""
    if lost := find_lost(rows):
        raise _bytes_lost([blob.sha256 for blob in lost])


def require_files(entries: Collection[FileEntry]) -> None:
    """The same for files, whose blobs are selected with them. Errors: BytesLost with their paths, StoreUnreachable."""
    if lost := {blob.pk for blob in find_lost(entry.blob for entry in entries)}:
        raise _bytes_lost([entry.path for entry in entries if entry.blob_id in lost])


def read(blob: Blob, *, start: int = 0, length: int | None = None, chunk: int = blobs.CHUNK) -> Iterator[bytes]:
    """Yield the bytes of a blob, or `length` of them from `start` on, in chunks. Errors: blobs.Absent, OSError."""
    try:
        yield from blobs.read(blob.sha256, start=start, length=blob.size if length is None else length, chunk=chunk)
    except blobs.Absent:
        mark_lost([blob])  # what was begun breaks off; a repeat is told why
        raise


def mark_lost(rows: Sequence[Blob], *, by: Actor = SERVER) -> None:
    """Note that the store has lost these bytes: no upload may rely on them until one sends them again."""
    role = by.require_administrator()
    for batch in in_batches(rows):
        pks = [blob.pk for blob in batch]
        with transaction.atomic():
            stored = Blob.objects.filter(pk__in=pks, stored=True)
            changed = list(stored.select_for_update(no_key=True).order_by("sha256"))
            Blob.objects.filter(pk__in=[blob.pk for blob in changed]).update(stored=False, fault=Fault.MISSING)
            for blob in changed:
                log.error("the bytes of the blob %s are gone from the store", blob.sha256)
                audit.record("mark bytes as missing", by=by, role=role, about=blob, target=blob.sha256)


def _bytes_lost(names: list[str]) -> BytesLost:
    if len(names) == 1:
        message = _(
            "The server has lost the content of %(name)s. Ask for the files to be sent again, or tell an "
            "administrator of ngshare, who can restore them from a backup."
        )
    else:
        message = _(
            "The server has lost the content of %(count)s files, %(name)s among them. Ask for the files to be sent "
            "again, or tell an administrator of ngshare, who can restore them from a backup."
        )
    return BytesLost(message % {"name": names[0], "count": len(names)}, lost=names[:MAX_NAMES])
