"""The keys that sign receipts: Ed25519, so that anybody can verify a receipt with the public key alone.

Private keys are kept nowhere. They are derived from SECRET_KEY and a number, so all processes have the same one, and a
restored database goes on with it. Public keys are kept for ever: receipts verify after the secret key is gone.
"""

import base64
import hashlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import lru_cache

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from courses import audit
from courses.errors import Invalid
from courses.permissions import Actor
from exchange.models import ReceiptKey

FIRST = 1  # number of the first key that a secret key makes
AHEAD = 8  # keys beyond the known ones that a restored database tries: it may be older than the last rotations
KEY_BYTES = 32  # of a public key
_KEY_ID_DIGITS = 16


@dataclass(frozen=True)
class SigningKey:
    key_id: str
    number: int
    public_key: str
    private_key: Ed25519PrivateKey

    def sign(self, text: str) -> str:
        return _encode(self.private_key.sign(text.encode()))


def signing_key(newest: ReceiptKey | None) -> SigningKey:
    """Return the key to sign with, given the newest of our own, if there is any. Write it down unless it is known."""
    if newest is not None and (key := _private(newest)):
        return key
    return _find_own() or _announce(derive(settings.SECRET_KEY, FIRST))


def current_key() -> SigningKey:
    return signing_key(None)


def _find_own() -> SigningKey | None:
    """Return the newest key that SECRET_KEY makes.

    While SECRET_KEY is being changed, some processes still have the old one, and go on with its key.
    """
    rows = ReceiptKey.objects.exclude(number=None).order_by("-pk")
    return next((key for row in rows if (key := _private(row))), None)


def _private(row: ReceiptKey) -> SigningKey | None:
    """Return the key with its private half, if SECRET_KEY makes it."""
    key = derive(settings.SECRET_KEY, row.number) if row.number else None
    return key if key and key.key_id == row.key_id else None


def rotate(*, by: Actor) -> SigningKey:
    """Sign with another key from now on. Return it. Errors: PermissionDenied."""
    role = by.require_administrator()
    with transaction.atomic():
        old = current_key()
        new = _announce(derive(settings.SECRET_KEY, old.number + 1))
        audit.record("rotate receipt key", by=by, role=role, about=ReceiptKey, target=new.key_id, was=old.key_id)
    return new


def trust(public_keys: Iterable[str], *, by: Actor) -> list[str]:
    """Let receipts that another server signed verify here, too. Return the keys' ids.

    Errors: PermissionDenied, Invalid.
    """
    role = by.require_administrator()
    keys = {key_id_of(public_key): public_key for public_key in public_keys}
    rows = [ReceiptKey(key_id=key_id, public_key=keys[key_id], created=timezone.now()) for key_id in keys]
    with transaction.atomic():
        ReceiptKey.objects.bulk_create(rows, ignore_conflicts=True)
        for key_id in keys:
            audit.record("trust receipt key", by=by, role=role, about=ReceiptKey, target=key_id)
    return list(keys)


def public_keys() -> dict[str, str]:
    """Return all public keys by id, the newest first, with the one that signs next, which may not be written down."""
    new = None if _find_own() else derive(settings.SECRET_KEY, FIRST)
    known = ReceiptKey.objects.order_by("-pk").values_list("key_id", "public_key")
    return {**({new.key_id: new.public_key} if new else {}), **dict(known)}


def as_key_set() -> dict[str, list[dict[str, str]]]:
    """Return all public keys as a JSON Web Key Set (RFC 7517, RFC 8037)."""
    return {
        "keys": [{"kty": "OKP", "crv": "Ed25519", "kid": key_id, "x": key} for key_id, key in public_keys().items()]
    }


def makes_one_of(secrets: Iterable[str], key_ids: Collection[str]) -> bool:
    """Return whether one of the secret keys makes one of these keys, of all that a server knows."""
    return not _derivable(secrets, len(key_ids)).keys().isdisjoint(key_ids)


def public_key(key_id: str) -> str | None:
    """Return the public key of this id, if this server, or one with a secret key of ours, may have signed with it.

    The database may have forgotten some in a restore.
    """
    row = ReceiptKey.objects.filter(key_id=key_id).first()
    if row is not None:
        return row.public_key
    secrets = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return _derivable(secrets, ReceiptKey.objects.count()).get(key_id)


def verifies(public_key: str, text: str, signature: str) -> bool:
    """Return whether the signature is that of the text, in its only spelling."""
    try:
        raw = _decode(signature)
        Ed25519PublicKey.from_public_bytes(_decode(public_key)).verify(raw, text.encode())
    except (ValueError, InvalidSignature):
        return False
    return _encode(raw) == signature


def key_id_of(public_key: str) -> str:
    """Return the first digits of the SHA-256 of the key's 32 bytes. Errors: Invalid."""
    try:
        raw = _decode(public_key)
    except ValueError:
        raw = b""
    if len(raw) != KEY_BYTES or _encode(raw) != public_key:
        raise Invalid(f"{public_key[:100]!r} is no public key of Ed25519 (base64url, without padding).")
    return hashlib.sha256(raw).hexdigest()[:_KEY_ID_DIGITS]


@lru_cache(maxsize=256)
def derive(secret: str, number: int) -> SigningKey:
    seed = HKDF(SHA256(), length=KEY_BYTES, salt=None, info=f"ngshare receipt key {number}".encode())
    private_key = Ed25519PrivateKey.from_private_bytes(seed.derive(secret.encode()))
    public = _encode(private_key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))
    return SigningKey(key_id_of(public), number, public, private_key)


def _announce(key: SigningKey) -> SigningKey:
    row = ReceiptKey(key_id=key.key_id, number=key.number, public_key=key.public_key, created=timezone.now())
    # After a restore it may have been trusted like another server's; the newest row signs.
    ReceiptKey.objects.filter(key_id=key.key_id, number=None).delete()
    ReceiptKey.objects.bulk_create([row], ignore_conflicts=True)  # another process may do the same
    return key


def _derivable(secrets: Iterable[str], known: int) -> dict[str, str]:
    """Return the public keys that these secret keys make, by id: as many as are known, and some more."""
    keys = [derive(secret, number) for secret in secrets for number in range(FIRST, FIRST + known + AHEAD)]
    return {key.key_id: key.public_key for key in keys}


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _decode(text: str) -> bytes:
    """Errors: ValueError."""
    return base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
