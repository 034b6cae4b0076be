"""File sets: who may read which bytes, and how an upload is stored.

A file set travels as a *manifest* (`ManifestEntry`s, in order) and the blobs that the server must be sent. A blob that
is not sent counts as already there only if the user could read it anyway: knowing a hash gives access to nothing.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet
from django.utils import timezone

from courses import database_errors
from courses.errors import Conflict, TryAgain
from courses.permissions import Actor, Permission
from exchange.models import Blob, FileEntry, FileSet, Release
from exchange.storage import blobs, reading, uploads
from exchange.storage.manifests import BadManifest, ManifestEntry, check_manifest, digest

T = TypeVar("T")
BATCH = 1000  # rows in one statement
FRESH = timedelta(hours=1)  # a blob touched within this time is not touched again: many uploads share the same blobs


class BlobsMissing(Conflict):
    code = "blobs_missing"


@dataclass
class Upload:
    """File sets to store: their manifests, and the blobs that were sent, to be read once and in order.

    `sent` yields (sha256, stream). Read each stream before the next one.
    """

    manifests: list[list[ManifestEntry]]
    sent: Iterable[tuple[str, blobs.Readable]] = field(default_factory=list)


# Who may read what


def readable_blobs(actor: Actor, hashes: Collection[str], *, also_lost: bool = False) -> dict[str, Blob]:
    """Return those of the hashes whose bytes the actor may read, {hash: blob}.

    Students may read the latest releases in their courses, their own submissions and the feedback on them; staff
    everything of the course; administrators and the server everything. A blob counts only while its bytes are in the
    store, as far as anybody has noticed, unless `also_lost`; reading.find_unreliable looks.

    The query depends on the actor alone: no answer takes longer because somebody else has the same bytes.
    """
    rows = Blob.objects.filter(_is_readable(actor))
    rows = rows if also_lost else rows.filter(stored=True)
    return {blob.sha256: blob for batch in in_batches(sorted(hashes)) for blob in rows.filter(sha256__in=batch)}


def _is_readable(actor: Actor) -> Q:
    """Return the condition for blobs. Each alternative ends at the first file that fulfils it: joins find them all."""
    entries = FileEntry.objects.filter(blob=OuterRef("pk")).order_by()
    if actor.may_everything:
        return Q(Exists(entries))
    if actor.user is None:
        return Q(pk__in=[])  # none; to ask for a student who is nobody would find what has no student
    alternatives = [
        entries.filter(
            file_set__submissions__student=actor.user, file_set__submissions__assignment__course__removed_at=None
        ),
        entries.filter(
            file_set__feedbacks__submission__student=actor.user,
            file_set__feedbacks__submission__assignment__course__removed_at=None,
        ),
    ]
    if courses := actor.courses_with(Permission.SEE_COURSE):
        newer = Release.objects.filter(assignment=OuterRef("assignment"), number__gt=OuterRef("number"))
        released = Release.objects.filter(assignment__course__in=courses, assignment__withdrawn_at=None)
        alternatives.insert(0, entries.filter(file_set__releases__in=released.filter(~Exists(newer))))
    if courses := actor.courses_with(Permission.SEE_SUBMISSIONS):
        alternatives += [
            entries.filter(file_set__submissions__assignment__course__in=courses),
            entries.filter(file_set__releases__assignment__course__in=courses),
            entries.filter(file_set__feedbacks__submission__assignment__course__in=courses),
        ]
    return Q(*(Exists(alternative) for alternative in alternatives), _connector=Q.OR)


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
                f"{entry.path} is said to be {entry.size} bytes; its content has {known[entry.sha256].size}.",
                path=entry.path,
            )


# Storing


@contextmanager
def store_upload(
    upload: Upload, *, by: Actor, admit: Callable[[Mapping[str, int]], None] = lambda unreadable: None
) -> Iterator[None]:
    """Store the bytes of an upload durably; call create_file_set inside the `with`, in a transaction.

    First the manifests are checked, then what this actor may read already is looked up; `admit` gets the rest, {hash:
    bytes}, and may raise an error. Then what was sent is read and verified, and what was not sent is looked for in the
    store; only then are bytes stored. A crash leaves at most blobs without a file set, which garbage collection
    removes. Errors: those of check_manifest, `admit` and blobs.stage, BadManifest, BlobsMissing, WrongSize, TryAgain.
    """
    for manifest in upload.manifests:
        check_manifest(manifest)
    entries = [entry for manifest in upload.manifests for entry in manifest]
    sizes = {entry.sha256: entry.size for entry in entries}
    readable = readable_blobs(by, sizes)
    admit({sha256: size for sha256, size in sizes.items() if sha256 not in readable})
    with blobs.staging() as folder:
        staged = _receive(upload.sent, sizes, folder)
        _check_true_sizes(entries, {**readable, **staged})
        readable = {sha256: blob for sha256, blob in readable.items() if sha256 not in staged}
        for blob in reading.find_unreliable(readable.values()):
            del readable[blob.sha256]
        claimed = uploads.claim(by.user, sizes.keys() - staged.keys() - readable.keys())
        _check_true_sizes(entries, claimed)
        present = {*staged, *readable, *claimed}
        if missing := [sha256 for sha256 in sizes if sha256 not in present]:
            raise BlobsMissing(
                f"{len(missing)} of the files must be sent: their content is not here yet.", missing=missing
            )
        for sha256 in _announce(staged, readable):
            blobs.put(staged[sha256])
    try:
        yield
    except IntegrityError as error:
        if database_errors.is_reference_to_removed(error):
            raise TryAgain("A file was removed while it arrived. Try again.") from error
        raise
    uploads.forget(by.user, claimed)


def store_blob(staged: blobs.Staged) -> None:
    """Store one blob for a file set that will name it, as store_upload does. Errors: StoreUnreachable, StorageFull."""
    if _announce({staged.sha256: staged}, {}):
        blobs.put(staged)


def _receive(
    sent: Iterable[tuple[str, blobs.Readable]], sizes: dict[str, int], folder: Path
) -> dict[str, blobs.Staged]:
    staged: dict[str, blobs.Staged] = {}
    for sha256, stream in sent:
        if sha256 not in sizes or sha256 in staged:
            raise BadManifest(f"The blob {sha256[:80]} was sent, but the manifest does not ask for it (again).")
        staged[sha256] = blobs.stage(stream, folder, sha256=sha256, size=sizes[sha256])
    return staged


def _announce(staged: dict[str, blobs.Staged], readable: dict[str, Blob]) -> list[str]:
    """Write rows for what will be stored and touch what is relied on, so that garbage collection leaves both alone.

    Return the hashes whose bytes must be put into the store.
    """
    now = timezone.now()
    if stale := sorted(blob.sha256 for blob in readable.values() if blob.touched < now - FRESH):
        _touch(stale, now)
    if not staged:
        return []
    # Every upload locks in the order of the hashes, so two uploads of the same files never wait for each other.
    rows = [
        Blob(sha256=blob.sha256, md5=blob.md5, size=blob.size, touched=now)
        for blob in sorted(staged.values(), key=lambda blob: blob.sha256)
    ]
    Blob.objects.bulk_create(rows, BATCH, update_conflicts=True, unique_fields=["sha256"], update_fields=["touched"])
    stored: dict[str, Blob] = {}
    for batch in in_batches(sorted(staged)):
        stored.update((blob.sha256, blob) for blob in Blob.objects.filter(sha256__in=batch, stored=True))
    for blob in reading.find_unreliable(stored.values()):
        del stored[blob.sha256]
    return [sha256 for sha256 in staged if sha256 not in stored]


def _touch(hashes: Sequence[str], now: datetime) -> None:
    """Mark blobs as in use. Errors: TryAgain, if garbage collection has just removed one of them."""
    with transaction.atomic():
        for batch in in_batches(hashes):
            rows = Blob.objects.filter(sha256__in=batch, stored=True)
            if len(rows.select_for_update(no_key=True).order_by("sha256").values_list("pk")) < len(batch):
                raise TryAgain("A file that is on the server already has just been removed. Try again.")
            rows.update(touched=now)


def create_file_set(entries: Sequence[ManifestEntry]) -> tuple[FileSet, int]:
    """Return the file set of one stored manifest, as create_file_sets does."""
    return create_file_sets([entries])[0]


def create_file_sets(stored: Sequence[Sequence[ManifestEntry]]) -> list[tuple[FileSet, int]]:
    """Return the file sets of stored manifests, existing ones where there are equal ones. Call it in a transaction.

    Return also how many bytes of each are new: no file set, and none before it in the list, had them. Rows are locked
    and written in the order of their hashes, so that two callers never wait for each other. Errors: TryAgain.
    """
    ids, new = _mark_stored({entry.sha256 for entries in stored for entry in entries})
    by_digest = {digest(entries): entries for entries in stored}
    found = {row.digest: row for batch in in_batches(sorted(by_digest)) for row in _file_sets(batch)}
    if absent := sorted(by_digest.keys() - found.keys()):
        found |= _insert_file_sets({sha256: by_digest[sha256] for sha256 in absent}, ids)
    return [
        (found[digest(entries)], sum(new.pop(sha256, 0) for sha256 in {entry.sha256 for entry in entries}))
        for entries in stored
    ]


def _mark_stored(hashes: Collection[str]) -> tuple[dict[str, int], dict[str, int]]:
    """Mark the blobs as stored. Return {hash: primary key}, and {hash: bytes} of what no file set had.

    Errors: TryAgain, if garbage collection has removed one of them.
    """
    ids: dict[str, int] = {}
    new: dict[str, int] = {}
    for batch in in_batches(sorted(hashes)):
        rows = Blob.objects.filter(sha256__in=batch)
        ids.update((blob.sha256, blob.pk) for blob in rows)
        if not all(blob.stored for blob in rows):
            # These alone: many submissions share the other rows. The lock lets one of several uploads count them, and
            # no_key lets all of them refer to the rows: who waited for that at its commit would have the course's row.
            absent = rows.filter(stored=False)
            is_named = Exists(FileEntry.objects.filter(blob=OuterRef("pk")))  # its bytes were lost, and are back
            locked = absent.select_for_update(no_key=True).order_by("sha256").annotate(is_named=is_named)
            new.update((blob.sha256, blob.size) for blob in locked if not blob.is_named)
            absent.update(stored=True, fault="")
    if len(ids) < len(hashes):
        raise TryAgain("A file was removed while it arrived. Try again.")
    return ids, new


def _file_sets(digests: Collection[str]) -> QuerySet[FileSet]:
    return FileSet.objects.filter(digest__in=digests)


def _insert_file_sets(wanted: Mapping[str, Sequence[ManifestEntry]], ids: Mapping[str, int]) -> Mapping[str, FileSet]:
    """Insert the file sets, {digest: manifest}, in their order, and return them by digest. Errors: TryAgain."""
    rows = [
        FileSet(digest=key, size=sum(entry.size for entry in entries), file_count=len(entries))
        for key, entries in wanted.items()
    ]
    FileSet.objects.bulk_create(rows, BATCH, ignore_conflicts=True)
    # Another upload may have inserted one meanwhile: then it has its files, which were committed with it.
    has_files = Exists(FileEntry.objects.filter(file_set=OuterRef("pk")))
    found = {
        row.digest: row for batch in in_batches(list(wanted)) for row in _file_sets(batch).annotate(has_files=has_files)
    }
    files = [
        FileEntry(file_set=row, position=position, path=entry.path, blob_id=ids[entry.sha256])
        for row in found.values()
        if not row.has_files
        for position, entry in enumerate(wanted[row.digest])
    ]
    try:
        FileEntry.objects.bulk_create(files, BATCH)
    except IntegrityError as error:
        raise TryAgain("A file was removed while it arrived. Try again.") from error
    return found


def manifest_of(file_set: FileSet) -> list[ManifestEntry]:
    """Return the manifest in its order, with one query, or none where `prefetch_entries` was used."""
    return [ManifestEntry(entry.path, entry.blob.sha256, entry.blob.size) for entry in file_set.entries.all()]


def prefetch_entries(path: str = "entries") -> Prefetch:
    """Return what to prefetch for the files at the end of `path`, with their blobs.

    The blobs are joined. Django would ask for them separately with an alternative for each, and SQLite takes 1,000.
    """
    return Prefetch(path, queryset=FileEntry.objects.select_related("blob"))


def in_batches(items: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), BATCH):
        yield items[start : start + BATCH]
