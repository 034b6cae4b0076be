"""Receipts: what a submit answers, signed, so that anybody can verify it later.

A receipt states facts that never change and is kept as it was signed, so a submission has the same receipt for ever:
after its course's due date changed, its student's name, or the key. receipt_keys.py has the keys; docs/api.md says what
exactly is signed. Receipts of earlier versions have a signature that this server alone can verify, with SECRET_KEY.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import cast

from django.core.signing import BadSignature, Signer
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from courses.timestamps import format_timestamp
from exchange import receipt_keys, short_codes
from exchange.models import Submission
from exchange.receipt_keys import SigningKey

Receipt = dict[str, object]

MAX_SIZE = 2**14  # bytes; one with the longest names has a third
_SALT = "ngshare.receipt"
_FIELDS = (
    *("id", "code", "course", "assignment", "student", "submitted_by", "timestamp", "due", "release", "trial"),
    *("digest", "size", "file_count", "key", "signature"),
)
_EARLIER_FIELDS = (
    *("id", "course", "assignment", "student", "submitted_by", "timestamp", "release", "late", "trial"),
    *("digest", "size", "file_count", "signature"),
)
_KEY_ID = re.compile("[0-9a-f]{16}")
_BLANKS = re.compile(r'("(?:[^"\\]|\\.)*")|[ \t\r\n]+')  # between the tokens of JSON; a string is kept


class State(StrEnum):
    GENUINE = "genuine"  # and the submission is here
    DELETED = "deleted"  # genuine
    OTHER_FILES = "other files"  # genuine
    CHANGED = "changed"
    UNKNOWN_KEY = "unknown key"
    NO_RECEIPT = "no receipt"


MESSAGES = {
    State.GENUINE: _("The receipt is genuine and the submission is here, with exactly these files."),
    State.DELETED: _("The receipt is genuine, but an administrator deleted the submission permanently."),
    State.OTHER_FILES: _("The receipt is genuine, but the submission has other files now."),
    State.CHANGED: _("This receipt was changed: what it says does not fit its signature."),
    State.UNKNOWN_KEY: _("This receipt was not signed by any key that this server knows. Is it of another server?"),
    State.NO_RECEIPT: _("This is no receipt of this server, or it was changed."),
}


@dataclass(frozen=True)
class Verdict:
    state: State
    submission: Submission | None = None  # what the receipt is for, where it is here

    @property
    def valid(self) -> bool:
        return self.state == State.GENUINE

    @property
    def message(self) -> str:
        return str(MESSAGES[self.state])


# Signing


def receipt(submission: Submission) -> Receipt:
    """Return the signed receipt. Needs assignment, course, student, submitted_by, release and file_set.

    A submission that was imported, or made by an earlier version, is given its receipt when it is first asked for.
    """
    if not submission.receipt:
        _give_receipt(submission)
    return cast(Receipt, json.loads(submission.receipt))


def sign(submission: Submission, key: SigningKey) -> str:
    """Return the text of the receipt of a submission, whose id and code are known."""
    fields: Receipt = {
        "id": submission.pk,
        "code": short_codes.grouped(cast(str, submission.code)),
        "course": submission.assignment.course.name,
        "assignment": submission.assignment.name,
        "student": submission.student.username,
        "submitted_by": submission.submitted_by.username if submission.submitted_by else None,
        "timestamp": format_timestamp(submission.created),
        "due": format_timestamp(submission.due) if submission.due else None,
        "release": submission.release.number if submission.release else None,
        "trial": submission.trial,
        "digest": submission.file_set.digest,
        "size": submission.file_set.size,
        "file_count": submission.file_set.file_count,
        "key": key.key_id,
    }
    return to_text({**fields, "signature": key.sign(to_text(fields))})


def _give_receipt(submission: Submission) -> None:
    """Sign the receipt and keep it, unless somebody else did so at the same time: then use theirs."""
    submission.code = submission.code or short_codes.new_code()
    text = sign(submission, receipt_keys.current_key())
    rows = Submission.objects.filter(pk=submission.pk)
    if rows.filter(receipt="").update(receipt=text, code=submission.code):
        submission.receipt = text
    else:
        submission.refresh_from_db(fields=["receipt", "code"])


def to_text(fields: Mapping[str, object]) -> str:
    """Return the only text that is signed for these fields: JSON in ASCII without blanks, in their order."""
    return json.dumps(fields, ensure_ascii=True, separators=(",", ":"))


# Verifying


def read(text: str) -> Receipt | None:
    """Return the receipt in a text that somebody hands in; None if it is none, or reads differently to a person."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) and is_spelled_plainly(text, value) else None


def is_spelled_plainly(text: str, value: object) -> bool:
    """Return whether a JSON text says what it means to a reader, too: no key twice, no number or letter in disguise.

    `value` is what the text was read as. Blanks between the tokens do not count.

    >>> is_spelled_plainly('{"id": 1}', {"id": 1}), is_spelled_plainly('{"id": 2, "id": 1}', {"id": 1})
    (True, False)
    """
    compact = _BLANKS.sub(r"\1", text)
    return any(compact == json.dumps(value, ensure_ascii=is_ascii, separators=(",", ":")) for is_ascii in (True, False))


def verify(claimed: Mapping[str, object]) -> Verdict:
    """Return whether exactly this receipt was signed here, and whether what it is for is still here.

    The fields must be those of `receipt`, in their order.
    """
    state = _check_signature(claimed)
    if state != State.GENUINE:
        return Verdict(state)
    submission = _find(claimed)
    if submission is None:
        return Verdict(State.DELETED)
    if submission.file_set.digest != claimed["digest"]:
        return Verdict(State.OTHER_FILES, submission)
    return Verdict(state, submission)


def is_genuine(claimed: Mapping[str, object]) -> bool:
    """Return whether this receipt was signed here."""
    return _check_signature(claimed) == State.GENUINE


def fits(claimed: Mapping[str, object], public_key: str) -> bool:
    """Return whether the public key signed these fields."""
    fields, signature = _split(claimed)
    return tuple(claimed) == _FIELDS and receipt_keys.verifies(public_key, to_text(fields), signature)


def is_of_earlier_version(claimed: Mapping[str, object]) -> bool:
    return tuple(claimed) == _EARLIER_FIELDS


def fits_secret(claimed: Mapping[str, object], secrets: Sequence[str] = ()) -> bool:
    """Return whether one of the secret keys signed these fields of an earlier version; our own without `secrets`."""
    fields, signature = _split(claimed)
    if not is_of_earlier_version(claimed) or not signature.isascii():
        return False
    signer = Signer(key=secrets[0], fallback_keys=list(secrets[1:]), salt=_SALT) if secrets else Signer(salt=_SALT)
    text = json.dumps(fields, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    try:
        signer.unsign(f"{text}:{signature}")
    except BadSignature:
        return False
    return True


def _check_signature(claimed: Mapping[str, object]) -> State:
    if is_of_earlier_version(claimed):
        return State.GENUINE if fits_secret(claimed) else State.NO_RECEIPT
    key_id = claimed.get("key")
    if tuple(claimed) != _FIELDS or not isinstance(key_id, str) or not _KEY_ID.fullmatch(key_id):
        return State.NO_RECEIPT
    public_key = receipt_keys.public_key(key_id)
    if public_key is None:
        return State.UNKNOWN_KEY
    return State.GENUINE if fits(claimed, public_key) else State.CHANGED


def _split(claimed: Mapping[str, object]) -> tuple[Receipt, str]:
    """Return the fields that are signed, and the signature; an empty text if it is none."""
    fields = {name: value for name, value in claimed.items() if name != "signature"}
    signature = claimed.get("signature")
    return fields, signature if isinstance(signature, str) else ""


def _find(genuine: Mapping[str, object]) -> Submission | None:
    """Return what a genuine receipt names: by code, by id or, if it came in an archive of its course, by its names."""
    created = datetime.fromisoformat(str(genuine["timestamp"]))
    rows = Submission.objects.select_related("file_set").filter(created=created)
    names = Q(
        assignment__course__name=genuine["course"],
        assignment__name=genuine["assignment"],
        student__username=genuine["student"],
    )
    ways = [Q(pk=cast(int, genuine["id"])), names]
    if code := short_codes.parse(str(genuine.get("code", ""))):
        ways.insert(0, Q(code=code))
    return next((found for way in ways if (found := rows.filter(way).first())), None)
