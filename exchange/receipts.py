"""Receipts: what a submit answers, signed, so that it can be shown and verified later.

The signature is an HMAC with the service's secret key over the other fields. Earlier keys verify as long as they are
named in NGSHARE_SECRET_KEY_FALLBACKS. The bytes that are signed must never change: students keep receipts for years.
"""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import cast

from django.core.signing import BadSignature, Signer

from courses.timestamps import format_timestamp
from exchange import deadlines
from exchange.models import Submission

Receipt = dict[str, object]

NO_RECEIPT = "This is no receipt of this server, or it was changed."

_SALT = "ngshare.receipt"
_FIELDS = (
    *("id", "course", "assignment", "student", "submitted_by", "timestamp", "release", "late", "trial"),
    *("digest", "size", "file_count", "signature"),
)
_BLANKS = re.compile(r'("(?:[^"\\]|\\.)*")|[ \t\r\n]+')  # between the tokens of JSON; a string is kept


def receipt(submission: Submission) -> Receipt:
    """Return the signed receipt. Needs assignment, course, student, submitted_by, release and file_set."""
    fields: Receipt = {
        "id": submission.pk,
        "course": submission.assignment.course.name,
        "assignment": submission.assignment.name,
        "student": submission.student.username,
        "submitted_by": submission.submitted_by.username if submission.submitted_by else None,
        "timestamp": format_timestamp(submission.created),
        "release": submission.release.number if submission.release else None,
        "late": deadlines.is_late(submission.created, submission.due),
        "trial": submission.trial,
        "digest": submission.file_set.digest,
        "size": submission.file_set.size,
        "file_count": submission.file_set.file_count,
    }
    return {**fields, "signature": _signer().signature(_signed_text(fields))}


def is_spelled_plainly(text: str, value: object) -> bool:
    """Return whether a JSON text says what it means to a reader, too: no key twice, no number or letter in disguise.

    `value` is what the text was read as. Blanks between the tokens do not count.

    >>> is_spelled_plainly('{"id": 1}', {"id": 1}), is_spelled_plainly('{"id": 2, "id": 1}', {"id": 1})
    (True, False)
    """
    compact = _BLANKS.sub(r"\1", text)
    return any(compact == json.dumps(value, ensure_ascii=is_ascii, separators=(",", ":")) for is_ascii in (True, False))


def verify(claimed: Mapping[str, object]) -> tuple[bool, str]:
    """Return whether this server signed exactly this receipt and still has what it names, and a sentence about it.

    The fields must be those of `receipt`, in their order.
    """
    if tuple(claimed) != _FIELDS or not is_genuine(claimed):
        return False, NO_RECEIPT
    submission = _find(claimed)
    if submission is None:
        return False, "The receipt is genuine, but an administrator deleted the submission permanently."
    if submission.file_set.digest != claimed["digest"]:
        return False, "The receipt is genuine, but the submission has other files now."
    return True, "The receipt is genuine and the submission is here, with exactly these files."


def _find(genuine: Mapping[str, object]) -> Submission | None:
    """Return what a genuine receipt names: by its id or, if it came in an archive of its course, by its names."""
    rows = Submission.objects.select_related("file_set")
    submission = rows.filter(pk=cast(int, genuine["id"])).first()
    if submission and format_timestamp(submission.created) == genuine["timestamp"]:
        return submission
    return rows.filter(
        assignment__course__name=genuine["course"],
        assignment__name=genuine["assignment"],
        student__username=genuine["student"],
        created=datetime.fromisoformat(str(genuine["timestamp"])),
    ).first()


def is_genuine(claimed: Mapping[str, object], keys: Sequence[str] = ()) -> bool:
    """Return whether one of the keys signed these fields; the service's own, and its earlier ones, without `keys`."""
    fields = {name: value for name, value in claimed.items() if name != "signature"}
    signature = claimed.get("signature")
    if not isinstance(signature, str) or not signature.isascii():
        return False
    signer = Signer(key=keys[0], fallback_keys=list(keys[1:]), salt=_SALT) if keys else _signer()
    try:
        signer.unsign(f"{_signed_text(fields)}:{signature}")
    except BadSignature:
        return False
    return True


def _signer() -> Signer:
    return Signer(salt=_SALT)


def _signed_text(fields: Mapping[str, object]) -> str:
    return json.dumps(fields, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
