"""What can go wrong on the way to the exchange and back.

Everything here is an `ExchangeError`, the one exception that nbgrader's commands and server extensions turn into a
message and an exit status; its text is a sentence for the person at the keyboard.
"""

from collections.abc import Mapping
from typing import Any

from nbgrader.auth.jupyterhub import JupyterhubEnvironmentError
from nbgrader.exchange import ExchangeError

MAX_SENTENCE = 2000  # characters of a server's message that are shown


class ServiceError(ExchangeError):
    """Something between this computer and the exchange failed."""

    retry_after = 0.0  # seconds that the server asked to wait before a repeat


class NotConfigured(ServiceError, JupyterhubEnvironmentError):
    """No address, or no token. nbgrader's course list reads the second base class as "not on a JupyterHub"."""


class Unreachable(ServiceError):
    """No usable answer came: whether the server has acted is not known."""


class NotConnected(Unreachable):
    """No connection was made, so nothing can have happened on the server."""


class BadAnswer(ServiceError):
    """An answer that this plugin does not understand, or does not trust."""


class Refused(ServiceError):
    """The server has understood and says no, in a sentence."""

    def __init__(self, message: str, *, status: int, code: str = "", details: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.status = status  # of HTTP
        self.code = code  # one of those in docs/api.md, or empty
        self.details = details or {}


class BadPath(ExchangeError):
    """A file name that must not be used, here or on the server."""


class LocalTrouble(ExchangeError):
    """A file on this computer that cannot be read, or changed while it was being sent."""


def printable(text: str) -> str:
    """Text from elsewhere, safe to show in a terminal: no control characters but line breaks, and not endless."""
    return "".join(char for char in text[:MAX_SENTENCE] if char == "\n" or char.isprintable())
