"""Service functions of uploads in parts: begin, store a part, complete.

A large file arrives in parts that may be sent in any order, by any process, and again. Once they are complete, the
submission, release or feedback that names the file need not send it. What is in the audit log is that act.
"""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from courses.errors import Conflict, NotFound
from courses.models import Course, User
from courses.permissions import Actor, Permission
from courses.sizes import readable_size
from exchange import quotas
from exchange.models import BlobUpload
from exchange.quotas import Quota, QuotaExceeded
from exchange.storage import blobs, file_sets, parts, possession, uploads
from exchange.storage.blobs import Readable, StoreUnreachable, WrongHash, WrongSize
from exchange.storage.manifests import ManifestEntry

PART_SIZE = 2**23  # bytes; what a connection that breaks loses at most
KEPT = timedelta(days=1)  # an upload, after it was begun, continued or completed
MAX_UPLOADS = 1000  # of one person at a time


class PartsMissing(Conflict):
    code = "parts_missing"


def begin_upload(course: Course, sha256: str, size: int, *, by: Actor) -> tuple[BlobUpload, bool]:
    """Return the actor's upload of this file to the course, and whether it is new.

    What the actor may read anyway, or has sent whole, is complete at once; the former is no row. Errors: those that a
    submission of the file would end with: PermissionDenied, TooLarge, TooManySubmissions, QuotaExceeded, WrongSize.
    """
    by.require(Permission.SUBMIT, course)
    user, now = by.required_user, timezone.now()
    same = uploads.uploads_of(user).filter(course=course, sha256=sha256, size=size)
    completed = same.values_list("completed", flat=True).first()
    if not file_sets.missing_blobs([ManifestEntry("The file", sha256, size)], by=by):
        present = BlobUpload(pk=None, user=user, course=course, sha256=sha256, size=size, part_size=PART_SIZE)
        present.created = present.completed = now
        present.expires = now + KEPT
        return same.filter(completed__isnull=False).first() or present, False
    _check_quota(course, user, {sha256: size}, by=by)
    upload = BlobUpload(user=user, course=course, sha256=sha256, size=size, part_size=PART_SIZE, created=now)
    with transaction.atomic():
        User.objects.select_for_update(no_key=True).get(pk=user.pk)  # one of several processes of the user begins it
        found = same.select_for_update(no_key=True).first()  # who completes it waits, or has done so
        upload = found or upload
        if is_as_before := upload.completed == completed:
            removed = _make_room(upload, now, by=by)
            upload.completed, upload.expires = None, now + KEPT
            upload.save()
    if not is_as_before:  # another process of the user has completed it
        return begin_upload(course, sha256, size, by=by)
    for pk in removed:
        _delete_parts(pk)
    return upload, found is None


def _check_quota(course: Course, user: User, sizes: dict[str, int], *, by: Actor) -> None:
    """Errors: TooManySubmissions, QuotaExceeded. What staff send may be for a release or for feedback."""
    is_staff = by.may(Permission.SEE_SUBMISSIONS, course)
    quota = Quota(course) if is_staff else quotas.start_submission(course, user, quotas.use_of(user, course))
    quota.admit(sizes)


def _make_room(current: BlobUpload, now: datetime, *, by: Actor) -> list[str]:
    """Remove the user's oldest unfinished uploads where all are too many or too large. Return the ids of the removed.

    Those that are complete stay: their bytes are in the store, and count for nobody yet. Errors: QuotaExceeded.
    """
    others = BlobUpload.objects.filter(user=current.user).exclude(pk=current.pk).order_by("-expires")
    removed = list(others.filter(expires__lte=now).values_list("pk", flat=True))
    unused = _unused(others.filter(completed__isnull=False, expires__gt=now), by=by)
    _check_room(unused, current.size)
    room = _room() - current.size - sum(upload.size for upload in unused)
    for count, upload in enumerate(others.filter(completed=None, expires__gt=now), len(unused) + 2):
        room -= upload.size
        if room < 0 or count > MAX_UPLOADS:
            removed.append(upload.pk)
    BlobUpload.objects.filter(pk__in=removed).delete()
    return [str(pk) for pk in removed]


def _unused(completed: Iterable[BlobUpload], *, by: Actor) -> list[BlobUpload]:
    """Return the uploads without those that the actor has submitted in another way: these count already."""
    rows = list(completed)
    readable = possession.readable_blobs(by, {upload.sha256 for upload in rows}, also_lost=True)
    return [upload for upload in rows if upload.sha256 not in readable]


def _check_room(unused: Sequence[BlobUpload], size: int) -> None:
    """Check that another upload may be begun beside the complete ones, the last to end first. Errors: QuotaExceeded."""
    used = left = sum(upload.size for upload in unused)
    ends = None
    for count, upload in zip(range(len(unused), 0, -1), reversed(unused), strict=True):
        if left + size <= _room() and count < MAX_UPLOADS:
            break
        left, ends = left - upload.size, upload.expires
    if ends is not None:
        message = ngettext(
            "%(user)s has sent %(used)s in %(count)d large file that no submission has used yet; the limit is "
            "%(limit)s in %(max_count)s files. Submit what was sent, or try again after %(time)s UTC.",
            "%(user)s has sent %(used)s in %(count)d large files that no submission has used yet; the limit is "
            "%(limit)s in %(max_count)s files. Submit what was sent, or try again after %(time)s UTC.",
            len(unused),
        )
        numbers = {"used": readable_size(used), "count": len(unused), "limit": readable_size(_room())}
        time = f"{ends.astimezone(UTC) + timedelta(minutes=1):%Y-%m-%d %H:%M}"
        raise QuotaExceeded(
            message % {**numbers, "user": unused[0].user.username, "max_count": MAX_UPLOADS, "time": time},
            size=size,
            used=used,
            limit=_room(),
        )


def _room() -> int:
    """Return how many bytes a person's uploads may have together."""
    return 2 * settings.NGSHARE_MAX_SUBMISSION_SIZE


def store_part(upload: BlobUpload, number: int, stream: Readable, *, by: Actor) -> None:
    """Store a part, or nothing of it if it breaks off. Errors: PermissionDenied, NotFound, WrongSize."""
    by.require(Permission.SUBMIT, upload.course)
    check_number(upload, number)
    parts.put(upload, number, stream)


def check_number(upload: BlobUpload, number: int) -> None:
    """Errors: NotFound."""
    if not 1 <= number <= upload.part_count:
        raise NotFound(
            _("This upload has the parts 1 to %(part_count)s; there is no part %(number)s.")
            % {"part_count": upload.part_count, "number": number}
        )


def complete_upload(upload: BlobUpload, *, by: Actor) -> None:
    """Put the parts together, verify them, and store them as a blob, durably. A repeat does no harm.

    The blob belongs to nobody yet: its row says that it is not stored until a file set names it, as in every upload, so
    that it counts then. Errors: PermissionDenied, NotFound if the upload has expired, PartsMissing, WrongHash after
    which all parts are removed, TryAgain, StorageFull.
    """
    by.require(Permission.SUBMIT, upload.course)
    if _is_complete(upload, by):
        return
    if missing := parts.missing(upload):
        if _is_complete(upload, by):  # by another process, which has removed them
            return
        raise PartsMissing(
            _("%(count)s of %(part_count)s parts have not arrived.")
            % {"count": len(missing), "part_count": upload.part_count},
            missing=missing,
        )
    with blobs.staging() as folder:
        try:
            staged = blobs.stage(parts.Parts(upload), folder, sha256=upload.sha256, size=upload.size)
        except parts.PartGone:
            return complete_upload(upload, by=by)
        except (WrongHash, WrongSize) as error:
            _delete_parts(str(upload.pk))
            raise WrongHash(
                _("What arrived is not the file that was announced. Send it again from its beginning."),
                sha256=upload.sha256,
            ) from error
        file_sets.store_blob(staged)
    now = timezone.now()
    with transaction.atomic():
        by.require_still(Permission.SUBMIT, upload.course)
        if not BlobUpload.objects.filter(pk=upload.pk).update(completed=now, expires=now + KEPT):
            raise _not_found()
    upload.completed, upload.expires = now, now + KEPT
    _delete_parts(str(upload.pk))


def _is_complete(upload: BlobUpload, by: Actor) -> bool:
    """Return whether it is complete by now, and its bytes are in the store. Errors: NotFound."""
    current = BlobUpload.objects.filter(pk=upload.pk, expires__gt=timezone.now()).first()
    if current is None:
        raise _not_found()
    upload.completed, upload.expires = current.completed, current.expires
    return upload.completed is not None and bool(uploads.claim(by.user, [upload.sha256]))


def _not_found() -> NotFound:
    return NotFound(_("There is no such upload, or its time is over. Begin it again."))


def find_upload(course: Course, upload_id: str, *, by: Actor) -> BlobUpload:
    """Return an upload of the actor. Errors: NotFound, also for somebody else's."""
    upload = uploads.uploads_of(by.required_user).filter(course=course, pk=upload_id).select_related("course").first()
    if upload is None:
        raise _not_found()
    return upload


def _delete_parts(upload_id: str) -> None:
    """Remove parts that are needed no more; `sweep_blobs` removes what stays."""
    with suppress(StoreUnreachable):
        parts.delete(upload_id)
