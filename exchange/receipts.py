"""Receipts: what a submit answers, signed, so that it can be shown and verified later.

The signature is an HMAC with the service's secret key over the receipt's other fields. Keys that were in use before
still verify while they are named in NGSHARE_SECRET_KEY_FALLBACKS.
"""

import json
from typing import Any

from django.core.signing import BadSignature, Signer

from courses.timestamps import format_timestamp
from exchange.models import Submission

_SIGNER_SALT = "ngshare.receipt"


def _facts(submission: Submission) -> dict[str, Any]:
    """What a receipt says. Needs assignment, course, student, submitted_by, release, file_set."""
    return {
        "id": submission.pk,
        "course": submission.assignment.course.name,
        "assignment": submission.assignment.name,
        "student": submission.student.username,
        "submitted_by": submission.submitted_by.username if submission.submitted_by else None,
        "timestamp": format_timestamp(submission.created),
        "release": submission.release.number if submission.release else None,
        "late": submission.late,
        "trial": submission.trial,
        "digest": submission.file_set.digest,
        "size": submission.file_set.size,
        "file_count": submission.file_set.file_count,
    }


def receipt(submission: Submission) -> dict[str, Any]:
    facts = _facts(submission)
    return {**facts, "signature": _signer().signature(_text(facts))}


def verify(claimed: dict[str, Any]) -> tuple[bool, str]:
    """Did this server sign exactly this receipt, and does it hold what the receipt names? With a sentence."""
    facts = {name: value for name, value in claimed.items() if name != "signature"}
    try:
        _signer().unsign(f"{_text(facts)}:{_ascii(claimed.get('signature'))}")
    except BadSignature:
        return False, "This is no receipt of this server, or it was changed."
    submission = Submission.objects.select_related("file_set").filter(pk=facts["id"]).first()
    if submission is None or format_timestamp(submission.created) != facts["timestamp"]:
        return False, "The receipt is genuine, but the submission was deleted for good by an administrator."
    if submission.file_set.digest != facts["digest"]:
        return False, "The receipt is genuine, but the submission has other files now."
    return True, "The receipt is genuine and the submission is here, with exactly these files."


def _signer() -> Signer:
    return Signer(salt=_SIGNER_SALT)


def _text(facts: dict[str, Any]) -> str:
    return json.dumps(facts, sort_keys=True, ensure_ascii=True, separators=(",", ":"))


def _ascii(signature: object) -> str:
    return signature if isinstance(signature, str) and signature.isascii() else ""
