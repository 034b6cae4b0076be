"""Who may read which bytes. Knowing a hash gives access to nothing.

What the user may read, they need not send: a blob counts as already there for them alone.
"""

from collections.abc import Collection, Sequence
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce
from django.utils import timezone

from courses.permissions import Actor, Permission
from courses.prepared import Parameter, prepared
from exchange import deadlines
from exchange.deadlines import Pair
from exchange.models import Blob, Feedback, FileEntry, Release, Solution, Submission, shown_at
from exchange.storage.batches import in_batches


def readable_blobs(actor: Actor, hashes: Collection[str], *, also_lost: bool = False) -> dict[str, Blob]:
    """Return those of the hashes whose bytes the actor may read, {hash: blob}.

    Students may read the latest releases in their courses, their own submissions and the feedback on them; staff
    everything of the course; administrators and the server everything. A blob counts only while its bytes are in the
    store, as far as anybody has noticed, unless `also_lost`; reading.find_unreliable looks. Solutions: see below.

    The query depends on the actor alone: no answer takes longer because somebody else has the same bytes.
    """
    if actor.user is None and not actor.may_everything:
        return {}
    found = (blob for batch in in_batches(sorted(hashes)) for blob in _find_readable(actor, batch))
    return {blob.sha256: blob for blob in found if blob.stored or also_lost}


def readable_solutions(actor: Actor, hashes: Collection[str]) -> dict[str, Blob]:
    """Return those of the hashes that are in solutions which the actor may fetch by now, {hash: blob}.

    Nobody submits them, so that uploads do not ask.
    """
    if actor.user is None or not hashes:
        return {}
    courses, now = actor.courses_with(Permission.SEE_COURSE), timezone.now()
    batches = in_batches(sorted(hashes))
    found = (_solved.rows(hashes=list(batch), user=actor.user.pk, courses=courses, now=now) for batch in batches)
    return {blob.sha256: blob for blobs in found for blob in blobs}


@prepared
def _solved(hashes: list[Any], user: Parameter, courses: list[Any], now: Parameter) -> QuerySet[Blob]:
    pair = Pair.at("assignment", user)
    rows = Solution.objects.filter(shown_at(now, "assignment__"), assignment__course__pk__in=courses)
    closed = Coalesce(deadlines.cut_off_in_sql(pair), deadlines.due_in_sql(pair))
    rows = rows.filter(withdrawn_at=None).annotate(closed=closed).filter(closed__lt=now)
    entries = FileEntry.objects.filter(file_set__in=rows.order_by().values("file_set")).order_by()
    return Blob.objects.filter(pk__in=entries.values("blob"), sha256__in=hashes)


def _find_readable(actor: Actor, hashes: Sequence[str]) -> list[Blob]:
    if actor.may_everything:
        return _named.rows(hashes=list(hashes))
    return _readable.rows(
        hashes=list(hashes),
        user=actor.required_user.pk,
        courses=actor.courses_with(Permission.SEE_COURSE),
        staffed=actor.courses_with(Permission.SEE_SUBMISSIONS),
        now=timezone.now(),
    )


@prepared
def _named(hashes: list[Any]) -> QuerySet[Blob]:
    return Blob.objects.filter(Exists(FileEntry.objects.filter(blob=OuterRef("pk"))), sha256__in=hashes)


@prepared
def _readable(
    hashes: list[Any], user: Parameter, courses: list[Any], staffed: list[Any], now: Parameter
) -> QuerySet[Blob]:
    """Return those of the blobs that are in a file set that the user may read.

    A student has few file sets: what is in them is made once. A blob may be in the file sets of the whole site, as the
    empty file is. Staff's many file sets are looked at from the blob, one by one until one is in their courses: for
    minutes after an import PostgreSQL knows nothing about the tables, and must not have to guess how many there are.
    """
    own = Submission.objects.filter(student=user)  # also in courses that they left or that are in the trash
    returned = Feedback.objects.filter(submission__student=user)
    released = Release.objects.filter(shown_at(now, "latest_of__"), latest_of__course__pk__in=courses)
    entries = FileEntry.objects.order_by()
    file_sets: list[QuerySet[Any, Any]] = [rows.order_by().values("file_set") for rows in (released, own, returned)]
    readable = [Q(pk__in=entries.filter(file_set__in=each).values("blob")) for each in file_sets]
    if staffed:
        this = OuterRef("file_set")
        of_courses = (
            Q(Exists(Submission.objects.filter(file_set=this, assignment__course__pk__in=staffed)))
            | Q(Exists(Release.objects.filter(file_set=this, assignment__course__pk__in=staffed)))
            | Q(Exists(Solution.objects.filter(file_set=this, assignment__course__pk__in=staffed)))
            | Q(Exists(Feedback.objects.filter(file_set=this, submission__assignment__course__pk__in=staffed)))
        )
        readable.append(Q(Exists(entries.filter(of_courses, blob=OuterRef("pk")))))
    return Blob.objects.filter(Q(*readable, _connector=Q.OR), sha256__in=hashes)
