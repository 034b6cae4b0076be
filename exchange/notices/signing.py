"""The secrets of webhooks and their signatures, as https://www.standardwebhooks.com specifies them.

Secrets are kept encrypted with SECRET_KEY: who reads the database alone, or a backup of it, cannot sign.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterable

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from courses.errors import Conflict

PREFIX = "whsec_"
_BYTES = 32  # the specification asks for 24 to 64


def new_secret() -> str:
    """Return a secret as people copy it."""
    return PREFIX + base64.b64encode(secrets.token_bytes(_BYTES)).decode()


def encrypt(secret: str) -> str:
    return _ciphers().encrypt(secret.encode()).decode()


def decrypt(kept: str) -> str:
    """Errors: Conflict, if it was encrypted with a secret key that the service does not have any more."""
    try:
        return _ciphers().decrypt(kept.encode()).decode()
    except InvalidToken as error:
        raise Conflict("The secret cannot be read: NGSHARE_SECRET_KEY was changed. Make a new secret.") from error


def renew(kept: str) -> str:
    """Return it encrypted with the present secret key. Errors: those of decrypt."""
    return encrypt(decrypt(kept))


def headers(name: str, timestamp: int, body: str, kept: Iterable[str]) -> dict[str, str]:
    """Return the headers of a request, signed with each of these encrypted secrets. Errors: Conflict."""
    text = f"{name}.{timestamp}.{body}".encode()
    signatures = [_sign(decrypt(secret), text) for secret in kept]
    return {"webhook-id": name, "webhook-timestamp": str(timestamp), "webhook-signature": " ".join(signatures)}


def _sign(secret: str, text: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(PREFIX))
    return f"v1,{base64.b64encode(hmac.new(key, text, hashlib.sha256).digest()).decode()}"


def _ciphers() -> MultiFernet:
    """Return the cipher of the present secret key, which also reads what earlier ones encrypted."""
    return MultiFernet([_cipher(key) for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)])


def _cipher(secret_key: str) -> Fernet:
    derived = HKDF(SHA256(), length=32, salt=None, info=b"ngshare webhook secrets").derive(secret_key.encode())
    return Fernet(base64.urlsafe_b64encode(derived))
