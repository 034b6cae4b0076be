"""Receipts as files: whether one is genuine, with the service's public keys alone, as docs/api.md says.

A receipt is JSON that the service signed with Ed25519. Its keys are a JSON Web Key Set (RFC 7517, RFC 8037).
"""

import base64
import hashlib
import json
import re
from collections.abc import Mapping

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from nbgrader.exchange import ExchangeError

from ..translation import gettext as _

FIELDS = (
    *("id", "code", "course", "assignment", "student", "submitted_by", "timestamp", "due", "release", "trial"),
    *("digest", "size", "file_count", "key", "signature"),
)
MAX_SIZE = 2**14  # bytes
KEY_ID_DIGITS = 16
BLANKS = re.compile(r'("(?:[^"\\]|\\.)*")|[ \t\r\n]+')  # between the tokens of JSON; a string is kept
Receipt = Mapping[str, object]
PublicKeys = Mapping[str, str]  # base64url by id


class NotGenuine(ExchangeError):
    """The receipt is none, or it was changed; the text is a sentence."""


class CannotCheck(ExchangeError):
    """Something that is needed to check the receipt is missing; the text is a sentence."""


def read_keys(value: object) -> dict[str, str]:
    """Return the public keys in what a service answers, by id. Raises CannotCheck if there are none."""
    rows = value.get("keys") if isinstance(value, dict) else None
    found = {}
    for row in rows if isinstance(rows, list) else []:
        if isinstance(row, dict) and row.get("crv") == "Ed25519" and isinstance(row.get("x"), str):
            raw = _decode(row["x"])
            if raw is not None and _key_id(raw) == row.get("kid"):
                found[_key_id(raw)] = row["x"]
    if not found:
        raise CannotCheck(_("There are no public keys of receipts."))
    return found


def as_key_set(keys: PublicKeys) -> dict[str, object]:
    return {"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": key_id, "x": key} for key_id, key in keys.items()]}


def read(text: str) -> Receipt:
    """Return the fields of a receipt, of which nothing is verified yet. Raises NotGenuine, CannotCheck."""
    try:
        fields = json.loads(text) if len(text.encode(errors="replace")) <= MAX_SIZE else None
    except (ValueError, RecursionError):
        fields = None
    if not isinstance(fields, dict) or "signature" not in fields:
        raise NotGenuine(_("This is no receipt."))
    if "late" in fields and "key" not in fields:
        raise CannotCheck(
            _(
                "This receipt is of an earlier version of the service, which alone can check it. "
                "Its pages offer a new one."
            )
        )
    if tuple(fields) != FIELDS or not _is_spelled_plainly(text, fields):
        raise NotGenuine(_("This receipt was changed: it is not spelled as the service writes receipts."))
    return fields


def verify(receipt: Receipt, keys: PublicKeys) -> None:
    """Raises NotGenuine, and CannotCheck if the key is unknown."""
    key_id = receipt["key"]
    key = keys.get(key_id) if isinstance(key_id, str) else None
    if key is None:
        raise CannotCheck(
            _("The receipt is not signed with a known key: there is no public key %(key)r.") % {"key": str(key_id)[:40]}
        )
    signed = {name: value for name, value in receipt.items() if name != "signature"}
    signature = receipt["signature"]
    raw = _decode(signature) if isinstance(signature, str) else None
    try:
        if raw is None:
            raise InvalidSignature
        text = json.dumps(signed, ensure_ascii=True, separators=(",", ":"))
        Ed25519PublicKey.from_public_bytes(_decode(key) or b"").verify(raw, text.encode())
    except (InvalidSignature, ValueError) as error:
        raise NotGenuine(_("This receipt was changed: what it says does not fit its signature.")) from error


def _is_spelled_plainly(text: str, fields: Receipt) -> bool:
    """Return whether the text says what it means to a reader: no key twice, no number or letter in disguise."""
    compact = BLANKS.sub(r"\1", text)
    return any(compact == json.dumps(fields, ensure_ascii=ascii, separators=(",", ":")) for ascii in (True, False))


def _key_id(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()[:KEY_ID_DIGITS]


def _decode(text: str) -> bytes | None:
    """Return the bytes of base64url without padding; None if the text is none, or not in its only spelling."""
    try:
        raw = base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except ValueError:
        return None
    return raw if base64.urlsafe_b64encode(raw).decode().rstrip("=") == text else None
