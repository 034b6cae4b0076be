"""Texts that only this service can read or make: Hub tokens in sessions, the state of a log-in in a cookie.

They are sealed with keys that are derived from SECRET_KEY, and opened with those of SECRET_KEY_FALLBACKS, too.
"""

import base64

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.utils.crypto import salted_hmac


class NotSealedHere(Exception):
    """The text was not sealed with one of our keys, or not for this purpose, or too long ago."""


def seal(text: str, *, purpose: str) -> str:
    """Return the text sealed; it opens for the same purpose only."""
    return _keys(purpose).encrypt(text.encode()).decode()


def unseal(sealed: str, *, purpose: str, seconds: int | None = None) -> str:
    """Return the text, unless it was sealed more than so many seconds ago. Errors: NotSealedHere."""
    try:
        return _keys(purpose).decrypt(sealed.encode(), ttl=seconds).decode()
    except InvalidToken as error:
        raise NotSealedHere from error


def _keys(purpose: str) -> MultiFernet:
    secrets = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    digests = [salted_hmac(f"ngshare.sealing.{purpose}", "", secret, algorithm="sha256").digest() for secret in secrets]
    return MultiFernet([Fernet(base64.urlsafe_b64encode(digest)) for digest in digests])
