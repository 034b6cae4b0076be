"""File sets: the rules that a tree obeys, who may read which, and how one comes to be stored.

A tree travels as a *manifest* (`ManifestEntry`s in their order) and the blobs that the server must be sent. A blob that is
not sent counts as already there only if the asking user could read it anyway: knowing a hash gives access to nothing.
"""

import hashlib
import json
import logging
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Count, QuerySet, Sum
from django.utils import timezone

from courses.errors import Conflict, Invalid, TooLarge, TryAgain
from courses.permissions import Actor, Permission
from exchange import paths
from exchange.models import Blob, FileEntry, FileSet
from exchange.storage import blobs

log = logging.getLogger(__name__)

BATCH_SIZE = 1000  # rows in one statement
FRESH = timedelta(hours=1)  # a blob touched within this time is not touched again: many count on the same ones


class BadPath(Invalid):
    code = "bad_path"


class BadManifest(Invalid):
    code = "bad_manifest"


class TooManyFiles(TooLarge):
    code = "too_many_files"


class BlobsMissing(Conflict):
    code = "blobs_missing"


@dataclass(frozen=True)
class ManifestEntry:
    """One file of a manifest."""

    path: str
    sha256: str
    size: int  # bytes


@dataclass
class Upload:
    """Trees that someone hands over: their manifests, and the blobs that came along, to be read once, in order.

    `sent` yields (sha256, stream); the stream must be read before the next one is asked for.
    """

    manifests: list[list[ManifestEntry]]
    sent: Iterable[tuple[str, blobs.Readable]] = field(default_factory=list)


# Rules


def check_manifest(lines: Sequence[ManifestEntry]) -> None:
    """The manifest obeys the rules and the limits. Errors: BadManifest, BadPath, TooManyFiles, TooLarge."""
    if len(lines) > settings.NGSHARE_MAX_FILES:
        raise TooManyFiles(
            f"The tree has {len(lines)} files, the limit is {settings.NGSHARE_MAX_FILES}.",
            files=len(lines),
            limit=settings.NGSHARE_MAX_FILES,
        )
    sizes: dict[str, int] = {}
    for line in lines:
        if not re.fullmatch("[0-9a-f]{64}", line.sha256):
            raise BadManifest(f"{line.path!r}: sha256 must be 64 lower-case hexadecimal digits.")
        if not 0 <= line.size < 2**63:
            raise BadManifest(f"{line.path!r}: the size must be a number of bytes.")
        if sizes.setdefault(line.sha256, line.size) != line.size:
            raise BadManifest(f"{line.path!r}: the same hash has two sizes.")
    try:
        paths.check_tree(line.path for line in lines)
    except paths.BadPath as error:
        raise BadPath(str(error)) from error
    _check_sizes(lines)


def _check_sizes(lines: Sequence[ManifestEntry]) -> None:
    if not lines:
        return
    largest = max(lines, key=lambda line: line.size)
    if largest.size > (limit := settings.NGSHARE_MAX_FILE_SIZE):
        raise TooLarge(
            f"{largest.path} is {readable_size(largest.size)}, the limit for one file is {readable_size(limit)}.",
            size=largest.size,
            limit=limit,
            largest=largest.path,
        )
    total = sum(line.size for line in lines)
    if total > (limit := settings.NGSHARE_MAX_SUBMISSION_SIZE):
        raise TooLarge(
            f"Your folder is {readable_size(total)}, the limit is {readable_size(limit)}; "
            f"the largest file is {largest.path}, {readable_size(largest.size)}.",
            size=total,
            limit=limit,
            largest=largest.path,
        )


def readable_size(size: int) -> str:
    """Bytes as people read them.

    >>> readable_size(80_000_000), readable_size(1_500), readable_size(12)
    ('80 MB', '1.5 kB', '12 bytes')
    """
    for unit, bytes_each in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if size >= bytes_each:
            return f"{size / bytes_each:.3g} {unit}"
    return f"{size} bytes"


def digest(lines: Iterable[ManifestEntry]) -> str:
    """One hash over the whole manifest, as docs/api.md defines it.

    >>> digest([])
    '4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945'
    """
    rows = [[line.path, line.sha256, line.size] for line in lines]
    return hashlib.sha256(json.dumps(rows, ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()


# Who may read what


def readable_blobs(actor: Actor, hashes: Collection[str]) -> dict[str, Blob]:
    """Return those of the hashes whose bytes the actor may read, {hash: blob}.

    These are: what is released in the actor's courses, their own submissions and the feedback on them; for staff,
    everything of the course; for administrators and the server, everything. In a few plain queries, the likeliest
    first.
    """
    found: dict[str, Blob] = {}
    for some in _portions(sorted(hashes)):
        known = {blob.pk: blob for blob in Blob.objects.filter(sha256__in=some, stored=True)}
        for may_read in _readable_entries(actor):
            if not known:
                break
            allowed = may_read.filter(blob__in=list(known)).values_list("blob_id", flat=True).distinct()
            for pk in allowed:
                blob = known.pop(pk)
                found[blob.sha256] = blob
    return found


def _readable_entries(actor: Actor) -> Iterator[QuerySet[FileEntry]]:
    entries = FileEntry.objects.order_by()
    if actor.may_everything:
        yield entries
        return
    user = actor.user
    if actor.roles:
        yield entries.filter(
            file_set__releases__assignment__course__in=actor.courses_with(Permission.SEE_COURSE),
            file_set__releases__assignment__withdrawn_at=None,
        )
    yield entries.filter(
        file_set__submissions__student=user, file_set__submissions__assignment__course__removed_at=None
    )
    yield entries.filter(
        file_set__feedbacks__submission__student=user,
        file_set__feedbacks__submission__assignment__course__removed_at=None,
    )
    if staffed := actor.courses_with(Permission.SEE_SUBMISSIONS):
        yield entries.filter(file_set__submissions__assignment__course__in=staffed)
        yield entries.filter(file_set__releases__assignment__course__in=staffed)
        yield entries.filter(file_set__feedbacks__submission__assignment__course__in=staffed)


def missing_blobs(lines: Sequence[ManifestEntry], *, by: Actor) -> list[str]:
    """The hashes whose bytes must be sent, in the manifest's order. Errors: as `check`, and WrongSize."""
    check_manifest(lines)
    there = readable_blobs(by, {line.sha256 for line in lines})
    _check_true_sizes(lines, there)
    return list(dict.fromkeys(line.sha256 for line in lines if line.sha256 not in there))


def _check_true_sizes(lines: Iterable[ManifestEntry], there: dict[str, Blob]) -> None:
    for line in lines:
        if line.sha256 in there and there[line.sha256].size != line.size:
            raise blobs.WrongSize(
                f"{line.path} is said to be {line.size} bytes; its content has {there[line.sha256].size}.",
                path=line.path,
            )


# How one comes to be stored


@contextmanager
def store_upload(upload: Upload, *, by: Actor) -> Iterator[None]:
    """Inside, all bytes of the upload's trees are durably stored, and `keep` may make file sets of them.

    In this order: the manifests are checked, what came along is read and verified, what did not come is checked
    to be there for this user; only then bytes go into the store. A crash leaves at most blobs without a file set,
    which the sweep removes. Errors: those of `check` and blobs.stage, BadManifest, BlobsMissing, WrongSize.
    """
    lines = [line for tree in upload.manifests for line in tree]
    for tree in upload.manifests:
        check_manifest(tree)
    sizes = {line.sha256: line.size for line in lines}
    with blobs.staging() as folder:
        staged = _receive(upload.sent, sizes, folder)
        there = readable_blobs(by, sizes.keys() - staged.keys())
        _check_true_sizes(lines, there)
        if absent := [sha256 for sha256 in sizes if sha256 not in staged and sha256 not in there]:
            raise BlobsMissing(
                f"{len(absent)} of the files must be sent: their content is not here yet.", missing=absent
            )
        for sha256 in _announce(staged, there):
            blobs.put(staged[sha256])
    yield


def _receive(sent: Iterable[tuple[str, blobs.Readable]], sizes: dict[str, int], folder: Any) -> dict[str, blobs.Staged]:
    staged: dict[str, blobs.Staged] = {}
    for sha256, stream in sent:
        if sha256 not in sizes or sha256 in staged:
            raise BadManifest(f"The blob {sha256[:80]} was sent, but the manifest does not ask for it (again).")
        staged[sha256] = blobs.stage(stream, folder, sha256=sha256, size=sizes[sha256])
    return staged


def _announce(staged: dict[str, blobs.Staged], there: dict[str, Blob]) -> list[str]:
    """Make rows for what is about to be stored and touch what is counted on, so that no sweep takes it away meanwhile.

    Returns the hashes whose bytes must be put into the store.
    """
    now = timezone.now()
    if stale := sorted(blob.sha256 for blob in there.values() if blob.touched < now - FRESH):
        _touch(stale, now)
    if not staged:
        return []
    # In the order of the hashes, as every upload does it: two uploads of the same files never wait for each other.
    rows = [
        Blob(sha256=one.sha256, md5=one.md5, size=one.size, touched=now)
        for one in sorted(staged.values(), key=lambda one: one.sha256)
    ]
    Blob.objects.bulk_create(rows, BATCH_SIZE, update_conflicts=True, unique_fields=["sha256"], update_fields=["touched"])
    stored: set[str] = set()
    for some in _portions(sorted(staged)):
        stored.update(Blob.objects.filter(sha256__in=some, stored=True).values_list("sha256", flat=True))
    return [sha256 for sha256 in staged if sha256 not in stored]


def _touch(hashes: Sequence[str], now: datetime) -> None:
    with transaction.atomic():
        for some in _portions(hashes):
            kept = Blob.objects.filter(sha256__in=some, stored=True)
            if len(kept.select_for_update().order_by("sha256").values_list("pk")) < len(some):
                raise TryAgain("A file that you counted on has just been removed. Try again.")
            kept.update(touched=now)


def create_file_set(lines: Sequence[ManifestEntry]) -> FileSet:
    """The file set of a settled tree: the one that is there already, or a new one. Call it in a transaction."""
    whole = digest(lines)
    hashes = sorted({line.sha256 for line in lines})
    ids: dict[str, int] = {}
    for some in _portions(hashes):
        known = Blob.objects.filter(sha256__in=some)
        ids.update((blob.sha256, blob.pk) for blob in known)
        if not all(blob.stored for blob in known):
            known.filter(stored=False).update(stored=True)  # not the others: many hand-ins share those rows
    if len(ids) < len(hashes):
        raise TryAgain("A file was swept away while it arrived. Try again.")
    file_set, is_new = FileSet.objects.get_or_create(
        digest=whole, defaults={"size": sum(line.size for line in lines), "file_count": len(lines)}
    )
    if is_new:
        entries = [
            FileEntry(file_set=file_set, position=position, path=line.path, blob_id=ids[line.sha256])
            for position, line in enumerate(lines)
        ]
        try:
            FileEntry.objects.bulk_create(entries, BATCH_SIZE)
        except IntegrityError as error:
            raise TryAgain("A file was swept away while it arrived. Try again.") from error
    return file_set


def manifest_of(file_set: FileSet) -> list[ManifestEntry]:
    """The manifest, in its order. One query, none where `entries__blob` is prefetched."""
    return [ManifestEntry(entry.path, entry.blob.sha256, entry.blob.size) for entry in file_set.entries.all()]


# What the store holds


def mark_missing(blob: Blob) -> None:
    """The store has lost these bytes: nobody may count on them any more, and the next upload of them heals the loss."""
    log.error("the bytes of the blob %s are gone from the store", blob.sha256)
    Blob.objects.filter(pk=blob.pk).update(stored=False)


def mark_present(hashes: Iterable[str]) -> None:
    """These bytes were read and are right: what was noted as lost may be counted on again. What no file set holds is
    left to the uploads and the sweep, which may be at work on it."""
    for some in _portions(sorted(hashes)):
        held = FileEntry.objects.filter(blob__sha256__in=some, blob__stored=False).order_by().values("blob")
        Blob.objects.filter(pk__in=held).update(stored=True)


def stored_totals() -> dict[str, int]:
    """How many blobs and bytes rest in the store."""
    totals = Blob.objects.filter(stored=True).aggregate(blobs=Count("pk"), size=Sum("size"))
    return {"blobs": totals["blobs"], "size": totals["size"] or 0}


def _portions(items: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(items), BATCH_SIZE):
        yield items[start : start + BATCH_SIZE]
