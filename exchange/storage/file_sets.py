"""File sets: how an upload is stored.

A file set travels as a *manifest* (`ManifestEntry`s, in order) and the blobs that the server must be sent. A blob that
is not sent counts as already there only if the user could read it anyway: knowing a hash gives access to nothing.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.db import IntegrityError, connection
from django.db.models import Exists, OuterRef, Prefetch, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from courses import database_errors
from courses.database_sync import unsynced_transaction
from courses.errors import Conflict, TryAgain
from courses.permissions import Actor
from courses.prepared import insert, prepared_update
from exchange.models import Blob, Fault, FileEntry, FileSet
from exchange.storage import blobs, reading, uploads
from exchange.storage.batches import in_batches
from exchange.storage.manifests import BadManifest, ManifestEntry, check_manifest, digest
from exchange.storage.possession import readable_blobs

FRESH = timedelta(hours=1)  # a blob touched within this time is not touched again: many uploads share the same blobs


class BlobsMissing(Conflict):
    code = "blobs_missing"


@dataclass
class Upload:
    """File sets to store: their manifests, and the blobs that were sent, to be read once and in order.

    `sent` yields (sha256, stream). Read each stream before the next one. `staged` are bytes that were verified while
    they arrived, by their hash; they are moved into the store.
    """

    manifests: list[list[ManifestEntry]]
    sent: Iterable[tuple[str, blobs.Readable]] = field(default_factory=list)
    staged: Mapping[str, blobs.Staged] = field(default_factory=dict)


# What must be sent


def missing_blobs(entries: Sequence[ManifestEntry], *, by: Actor) -> list[str]:
    """Return the hashes whose bytes must be sent, in the order of the manifest.

    Errors: those of check_manifest, WrongSize, StoreUnreachable.
    """
    check_manifest(entries)
    readable = readable_blobs(by, {entry.sha256 for entry in entries})
    _check_true_sizes(entries, readable)
    for blob in reading.find_unreliable(readable.values()):
        del readable[blob.sha256]
    readable |= uploads.claim(by.user, {entry.sha256 for entry in entries if entry.sha256 not in readable})
    _check_true_sizes(entries, readable)
    return list(dict.fromkeys(entry.sha256 for entry in entries if entry.sha256 not in readable))


def _check_true_sizes(entries: Iterable[ManifestEntry], known: Mapping[str, Blob | blobs.Staged]) -> None:
    for entry in entries:
        if entry.sha256 in known and known[entry.sha256].size != entry.size:
            raise blobs.WrongSize(
                _("%(path)s is said to be %(size)s bytes; its content has %(true_size)s.")
                % {"path": entry.path, "size": entry.size, "true_size": known[entry.sha256].size},
                path=entry.path,
            )


# Storing


@contextmanager
def store_upload(
    upload: Upload, *, by: Actor, admit: Callable[[Mapping[str, int]], None] = lambda unreadable: None
) -> Iterator[dict[str, Blob]]:
    """Store the bytes of an upload durably and yield their rows, {hash: blob}, for create_file_set.

    Call that inside the `with`, in a transaction. First the manifests are checked, then what this actor may read
    already is looked up; `admit` gets the rest, {hash: bytes}, and may raise an error. Then what was sent is read and
    verified, and what was not sent is looked for in the store; only then are bytes stored. A crash leaves at most blobs
    without a file set, which garbage collection removes. Errors: those of check_manifest, `admit` and blobs.stage,
    BadManifest, BlobsMissing, WrongSize, TryAgain.
    """
    for manifest in upload.manifests:
        check_manifest(manifest)
    entries = [entry for manifest in upload.manifests for entry in manifest]
    sizes = {entry.sha256: entry.size for entry in entries}
    readable = readable_blobs(by, sizes)
    admit({sha256: size for sha256, size in sizes.items() if sha256 not in readable})
    with blobs.staging() as folder:
        staged = {**upload.staged, **_receive(upload.sent, sizes, folder)}
        _check_true_sizes(entries, {**readable, **staged})
        readable = {sha256: blob for sha256, blob in readable.items() if sha256 not in staged}
        for blob in reading.find_unreliable(readable.values()):
            del readable[blob.sha256]
        claimed = uploads.claim(by.user, sizes.keys() - staged.keys() - readable.keys())
        _check_true_sizes(entries, claimed)
        present = {*staged, *readable, *claimed}
        if missing := [sha256 for sha256 in sizes if sha256 not in present]:
            raise BlobsMissing(
                _("%(count)s of the files must be sent: their content is not here yet.") % {"count": len(missing)},
                missing=missing,
            )
        sent = _announce(staged, readable)
        for sha256 in staged:
            if not sent[sha256].stored:
                blobs.put(staged[sha256])
    try:
        yield {**readable, **claimed, **sent}
    except IntegrityError as error:
        if database_errors.is_reference_to_removed(error):
            raise _removed() from error
        raise
    uploads.forget(by.user, claimed)


def store_blob(staged: blobs.Staged) -> None:
    """Store one blob for a file set that will name it, as store_upload does. Errors: StoreUnreachable, StorageFull."""
    if not _announce({staged.sha256: staged}, {})[staged.sha256].stored:
        blobs.put(staged)


def _receive(
    sent: Iterable[tuple[str, blobs.Readable]], sizes: dict[str, int], folder: Path
) -> dict[str, blobs.Staged]:
    staged: dict[str, blobs.Staged] = {}
    for sha256, stream in sent:
        if sha256 not in sizes or sha256 in staged:
            raise BadManifest(
                _("The blob %(sha256)s was sent, but the manifest does not ask for it (again).")
                % {"sha256": sha256[:80]}
            )
        staged[sha256] = blobs.stage(stream, folder, sha256=sha256, size=sizes[sha256])
    return staged


def _announce(staged: Mapping[str, blobs.Staged], readable: Mapping[str, Blob]) -> dict[str, Blob]:
    """Write rows for what will be stored and touch what is relied on, so that garbage collection leaves both alone.

    Return the rows of what was sent, {hash: blob}; those that are not `stored` must be put into the store. A power cut
    ends the upload, too: the rows need not survive it any longer than the transaction that uses them.
    """
    now = timezone.now()
    if stale := sorted(blob.sha256 for blob in readable.values() if blob.touched < now - FRESH):
        _touch(stale, now)
    if not staged:
        return {}
    # Every upload locks in the order of the hashes, so two uploads of the same files never wait for each other.
    rows = [Blob(sha256=sha256, size=staged[sha256].size, touched=now) for sha256 in sorted(staged)]
    with unsynced_transaction():
        insert(rows, unique=["sha256"], update=["touched"])
    if not connection.features.can_return_rows_from_bulk_insert:  # SQLite before 3.35
        rows = list(find_rows(staged).values())
    for blob in reading.find_unreliable([blob for blob in rows if blob.stored]):
        blob.stored, blob.fault = False, Fault.MISSING
    return {blob.sha256: blob for blob in rows}


def _touch(hashes: Sequence[str], now: datetime) -> None:
    """Mark blobs as in use. Errors: TryAgain, if garbage collection has just removed one of them."""
    with unsynced_transaction():
        for batch in in_batches(hashes):
            rows = Blob.objects.filter(sha256__in=batch, stored=True)
            if len(rows.select_for_update(no_key=True).order_by("sha256").values_list("pk")) < len(batch):
                raise TryAgain(_("A file that is on the server already has just been removed. Try again."))
            rows.update(touched=now)


def find_rows(hashes: Collection[str]) -> dict[str, Blob]:
    """Return what the database has of these blobs, {hash: blob}, whoever may read them."""
    return {blob.sha256: blob for batch in in_batches(sorted(hashes)) for blob in Blob.objects.filter(sha256__in=batch)}


def create_file_set(
    entries: Sequence[ManifestEntry],
    stored: Mapping[str, Blob] | None = None,
    existing: Mapping[str, FileSet] | None = None,
) -> tuple[FileSet, int]:
    """Return the file set of one stored manifest, as create_file_sets does."""
    return create_file_sets([entries], stored, existing)[0]


def create_file_sets(
    manifests: Sequence[Sequence[ManifestEntry]],
    stored: Mapping[str, Blob] | None = None,
    existing: Mapping[str, FileSet] | None = None,
) -> list[tuple[FileSet, int]]:
    """Return the file sets of stored manifests, existing ones where there are equal ones. Call it in a transaction.

    `stored` are the rows of their bytes, as store_upload yields them, and `existing` the equal file sets, {digest: file
    set}, as the transaction found them. What is not given is looked up. Return also how many bytes of each are new: no
    file set, and none before it in the list, had them. Rows are locked and written in the order of their hashes, so
    that two callers never wait for each other. Errors: TryAgain.
    """
    hashes = {entry.sha256 for entries in manifests for entry in entries}
    rows = find_rows(hashes) if stored is None else stored
    if not hashes <= rows.keys():
        raise _removed()
    new = _mark_stored([rows[sha256] for sha256 in sorted(hashes) if not rows[sha256].stored])
    digests = [digest(entries) for entries in manifests]
    by_digest = dict(zip(digests, manifests, strict=True))
    found = dict(_find_file_sets(by_digest) if existing is None else existing)
    if absent := sorted(by_digest.keys() - found.keys()):
        found |= _insert_file_sets({key: by_digest[key] for key in absent}, rows)
    return [
        (found[key], sum(new.pop(sha256, 0) for sha256 in {entry.sha256 for entry in entries}))
        for key, entries in zip(digests, manifests, strict=True)
    ]


def _mark_stored(rows: Sequence[Blob]) -> dict[str, int]:
    """Mark blobs, given in the order of their hashes, as stored. Return {hash: bytes} of what no file set had.

    Errors: TryAgain, if garbage collection has removed one of them.
    """
    new: dict[str, int] = {}
    for batch in in_batches(rows):
        changed = _mark.run(pks=[blob.pk for blob in batch])
        new |= {blob.sha256: blob.size for blob in batch}
        if changed < len(batch) or any(blob.fault for blob in batch):
            # Another upload of the same bytes was faster, or bytes were lost and are back: a file names them by now.
            found = Blob.objects.filter(pk__in=[blob.pk for blob in batch]).annotate(
                is_named=Exists(FileEntry.objects.filter(blob=OuterRef("pk")))
            )
            if len(found) < len(batch):
                raise _removed()
            for blob in found:
                if blob.is_named:
                    del new[blob.sha256]
    return new


@prepared_update
def _mark(pks: list[Any]) -> tuple[QuerySet[Blob], dict[str, object]]:
    # The absent ones alone: many submissions share the other rows. The lock lets one of several uploads count them, and
    # no_key lets all of them refer to the rows: who waited for that at its commit would have the course's row.
    absent = Blob.objects.filter(pk__in=pks, stored=False).select_for_update(no_key=True).order_by("sha256")
    return Blob.objects.filter(pk__in=absent.values("pk")), {"stored": True, "fault": ""}


def _removed() -> TryAgain:
    return TryAgain(_("A file was removed while it arrived. Try again."))


def describe(entries: Sequence[ManifestEntry], key: str, pk: int | None = None) -> FileSet:
    """Return the row of the file set of this manifest and its digest."""
    return FileSet(pk=pk, digest=key, size=sum(entry.size for entry in entries), file_count=len(entries))


def _find_file_sets(digests: Collection[str]) -> dict[str, FileSet]:
    rows = FileSet.objects.all()
    return {row.digest: row for batch in in_batches(sorted(digests)) for row in rows.filter(digest__in=batch)}


def _insert_file_sets(wanted: Mapping[str, Sequence[ManifestEntry]], rows: Mapping[str, Blob]) -> Mapping[str, FileSet]:
    """Insert the file sets, {digest: manifest}, in their order, and return them by digest. Errors: TryAgain.

    Another upload may have inserted one meanwhile. Then it has the same files already, which were committed with it.
    """
    inserted = {key: describe(entries, key) for key, entries in wanted.items()}
    insert(list(inserted.values()), unique=["digest"], update=["file_count"])
    if not connection.features.can_return_rows_from_bulk_insert:
        inserted = _find_file_sets(wanted)
    files = [
        FileEntry(file_set=row, position=position, path=entry.path, blob=rows[entry.sha256])
        for key, row in inserted.items()
        for position, entry in enumerate(wanted[key])
    ]
    try:
        insert(files, unique=["file_set", "position"], update=["path"])
    except IntegrityError as error:
        raise _removed() from error
    return inserted


def manifest_of(file_set: FileSet) -> list[ManifestEntry]:
    """Return the manifest in its order, with one query, or none where `prefetch_entries` was used."""
    return [ManifestEntry(entry.path, entry.blob.sha256, entry.blob.size) for entry in file_set.entries.all()]


def prefetch_entries(path: str = "entries") -> Prefetch:
    """Return what to prefetch for the files at the end of `path`, with their blobs.

    The blobs are joined. Django would ask for them separately with an alternative for each, and SQLite takes 1,000.
    """
    return Prefetch(path, queryset=FileEntry.objects.select_related("blob"))
