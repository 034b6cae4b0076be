"""Who may read which bytes. Knowing a hash gives access to nothing.

What the user may read, they need not send: a blob counts as already there for them alone.
"""

from collections.abc import Collection, Sequence
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from courses.permissions import Actor, Permission
from courses.prepared import Parameter, prepared
from exchange.models import Blob, Feedback, FileEntry, Release, Submission
from exchange.storage.batches import in_batches


def readable_blobs(actor: Actor, hashes: Collection[str], *, also_lost: bool = False) -> dict[str, Blob]:
    """Return those of the hashes whose bytes the actor may read, {hash: blob}.

    Students may read the latest releases in their courses, their own submissions and the feedback on them; staff
    everything of the course; administrators and the server everything. A blob counts only while its bytes are in the
    store, as far as anybody has noticed, unless `also_lost`; reading.find_unreliable looks.

    The query depends on the actor alone: no answer takes longer because somebody else has the same bytes.
    """
    if actor.user is None and not actor.may_everything:
        return {}
    found = (blob for batch in in_batches(sorted(hashes)) for blob in _find_readable(actor, batch))
    return {blob.sha256: blob for blob in found if blob.stored or also_lost}


def _find_readable(actor: Actor, hashes: Sequence[str]) -> list[Blob]:
    if actor.may_everything:
        return _named.rows(hashes=list(hashes))
    return _readable.rows(
        hashes=list(hashes),
        user=actor.required_user.pk,
        courses=actor.courses_with(Permission.SEE_COURSE),
        staffed=actor.courses_with(Permission.SEE_SUBMISSIONS),
    )


@prepared
def _named(hashes: list[Any]) -> QuerySet[Blob]:
    return Blob.objects.filter(Exists(FileEntry.objects.filter(blob=OuterRef("pk"))), sha256__in=hashes)


@prepared
def _readable(hashes: list[Any], user: Parameter, courses: list[Any], staffed: list[Any]) -> QuerySet[Blob]:
    """Return those of the blobs that are in a file set that the user may read.

    A student has few file sets: what is in them is made once. A blob may be in the file sets of the whole site, as the
    empty file is. Staff's many file sets are looked at from the blob, one by one until one is in their courses: for
    minutes after an import PostgreSQL knows nothing about the tables, and must not have to guess how many there are.
    """
    own = Submission.objects.filter(student=user)  # also in courses that they left or that are in the trash
    returned = Feedback.objects.filter(submission__student=user)
    released = Release.objects.filter(latest_of__course__pk__in=courses, latest_of__withdrawn_at=None)
    entries = FileEntry.objects.order_by()
    file_sets: list[QuerySet[Any, Any]] = [rows.order_by().values("file_set") for rows in (released, own, returned)]
    readable = [Q(pk__in=entries.filter(file_set__in=each).values("blob")) for each in file_sets]
    if staffed:
        this = OuterRef("file_set")
        of_courses = (
            Q(Exists(Submission.objects.filter(file_set=this, assignment__course__pk__in=staffed)))
            | Q(Exists(Release.objects.filter(file_set=this, assignment__course__pk__in=staffed)))
            | Q(Exists(Feedback.objects.filter(file_set=this, submission__assignment__course__pk__in=staffed)))
        )
        readable.append(Q(Exists(entries.filter(of_courses, blob=OuterRef("pk")))))
    return Blob.objects.filter(Q(*readable, _connector=Q.OR), sha256__in=hashes)
