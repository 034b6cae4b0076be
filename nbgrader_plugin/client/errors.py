"""What can go wrong on the way to the exchange and back.

Everything here is an `ExchangeError`, the one exception that nbgrader's commands and server extensions turn into a
message and an exit status; its text is a sentence for the person at the keyboard.
"""

from collections.abc import Mapping

from nbgrader.auth.jupyterhub import JupyterhubEnvironmentError
from nbgrader.exchange import ExchangeError

from ..translation import gettext as _

TEMPORARY = {429, 502, 503, 504}  # statuses; 502 to 504 may come from a proxy in between
SHOWN = 16  # characters of a request id; the server makes shorter ones


def with_request(message: str, request_id: str) -> str:
    """Return the message with the id under which the service's log has the request, if there is one."""
    return _("%(message)s (request %(id)s)") % {"message": message, "id": request_id[:SHOWN]} if request_id else message


class ServiceError(ExchangeError):
    """Something between this computer and the exchange failed."""

    retry_after = 0.0  # seconds that the server asked to wait before a repeat

    is_temporary = False  # whether the same may succeed later, without anybody doing something about it here


class NotConfigured(ServiceError, JupyterhubEnvironmentError):
    """There is no address, or no token. nbgrader's course list reads the second base class as "not on a JupyterHub"."""


class Unreachable(ServiceError):
    """No usable response came: whether the server has acted is not known."""

    is_temporary = True


class NotConnected(Unreachable):
    """No connection was made, so nothing can have happened on the server."""


class InvalidResponse(ServiceError):
    """A response that this plugin does not understand, or does not trust."""


class OlderService(InvalidResponse):
    """The service is of a version before what is asked for."""

    def __init__(self) -> None:
        super().__init__(_("The exchange is older than this plugin: it does not know this command yet."))


class ErrorResponse(ServiceError):
    """The server understood the request and answered with an error, which has a sentence."""

    def __init__(
        self,
        message: str,
        *,
        status: int,
        code: str = "",
        details: Mapping[str, object] | None = None,
        request_id: str = "",
    ) -> None:
        super().__init__(with_request(message, request_id))
        self.status = status  # of HTTP
        self.code = code  # one of those in docs/api.md, or empty
        self.details = details or {}
        self.is_temporary = status in TEMPORARY


class LocalFileError(ExchangeError):
    """A file on this computer that cannot be read or sent, or that changed while it was being sent."""
