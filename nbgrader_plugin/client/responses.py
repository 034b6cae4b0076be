"""Reading the server's responses: JSON, bytes, or an error.

No message names an address: a student cannot do anything with it. `nbgrader --debug` logs it (client.py).
"""

import itertools
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus

import requests

from ..translation import gettext as _
from .errors import ErrorResponse, InvalidResponse, NotConnected, ServiceError, Unreachable, with_request
from .printing import printable

LARGEST_JSON = 256 * 1024 * 1024  # bytes; the manifests of a large course are some megabytes
LARGEST_ERROR = 64 * 1024  # bytes of an error's body that are read
CHUNK = 64 * 1024  # bytes
MOST_PADDING = 4 * CHUNK  # bytes after the end of a bundle: tar pads
STRONG = re.compile(r'"[!#-~]*"')  # an ETag


@dataclass(frozen=True)
class Tagged:
    """The JSON of a response, with its ETag."""

    content: object
    etag: str  # empty if the response has none, or one that a proxy has made weak: If-Match never holds for that
    is_unchanged: bool = False  # 304: there is no content, since the one that is known is still right


class Body:
    """The body of a response as a stream. Raises Unreachable when the connection breaks."""

    def __init__(self, response: requests.Response, limit: int | None = None) -> None:
        self._limit = limit  # bytes; a longer body raises InvalidResponse
        self._chunks = self._iterate(response)
        self._rest = b""

    def _iterate(self, response: requests.Response) -> Iterator[bytes]:
        count = 0
        try:
            for chunk in response.iter_content(CHUNK):
                count += len(chunk)
                if self._limit is not None and count > self._limit:
                    raise InvalidResponse(_("The exchange sent a response that is far too long."))
                yield chunk
        except requests.RequestException as error:
            raise connection_error(error) from None

    def read(self, size: int) -> bytes:
        """Return at least one byte and at most `size`; none at the end."""
        while not self._rest:
            chunk = next(self._chunks, None)
            if chunk is None:
                return b""
            self._rest = chunk
        part, self._rest = self._rest[:size], self._rest[size:]
        return part

    def read_all(self) -> bytes:
        return b"".join(self._chunks)

    def finish(self) -> None:
        """Read the end of a body whose content is complete, so that the connection can be used again."""
        for _chunk in itertools.islice(self._chunks, MOST_PADDING // CHUNK):
            pass


def read_tagged(response: requests.Response) -> Tagged:
    """Return the JSON of a response without error, or that nothing has changed."""
    etag = response.headers.get("ETag", "")
    etag = etag if is_strong(etag) else ""
    if response.status_code == HTTPStatus.NOT_MODIFIED:
        return Tagged(None, etag, is_unchanged=True)
    return Tagged(read_json(response), etag)


def is_strong(etag: object) -> bool:
    """Return whether this is an ETag that tells of identical content (RFC 9110, 8.8.3)."""
    return isinstance(etag, str) and STRONG.fullmatch(etag) is not None


def read_json(response: requests.Response) -> object:
    """Return the JSON of a response without error; None for one without a body."""
    body = Body(response, LARGEST_JSON).read_all()
    if not body and response.status_code == HTTPStatus.NO_CONTENT:
        return None
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise InvalidResponse(
            _("The exchange is not ngshare, or not this version of it. Is the address in nbgrader_config.py right?")
        ) from error


def error_from(response: requests.Response) -> ServiceError:
    """Return the error that a response with a status of 300 or more stands for."""
    status = response.status_code
    if status < 400:
        return InvalidResponse(
            _(
                "The exchange points to another address, which is not followed. "
                "Is the address in nbgrader_config.py right?"
            )
        )
    fields = _error_fields(response)
    message, code, details = fields.get("message"), fields.get("code"), fields.get("details")
    retry_after = response.headers.get("Retry-After", "")
    request_id = _request_id(fields.get("request_id") or response.headers.get("X-Request-ID"))
    if not isinstance(message, str) or not message:
        return _unexplained_error(status, retry_after, request_id)
    error = ErrorResponse(
        printable(message),
        status=status,
        code=code if isinstance(code, str) else "",
        details=details if isinstance(details, dict) else {},
        request_id=request_id,
    )
    return _with_retry_after(error, retry_after)


def _request_id(value: object) -> str:
    """Return an id as ngshare writes it; an empty text instead of anything else, which is not shown."""
    return value if isinstance(value, str) and re.fullmatch(r"[A-Za-z0-9._-]{1,64}", value) else ""


def _unexplained_error(status: int, retry_after: str, request_id: str) -> ServiceError:
    """Return the error for a response that ngshare did not write: a proxy did, or something else at the address."""
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = _("unknown status")
    message = _("The exchange answered %(status)s (%(phrase)s)") % {"status": status, "phrase": phrase}
    if status >= 500:
        sentence = _("%(message)s. It may be starting, or have a problem: try again in a minute.") % {
            "message": message
        }
        error = Unreachable(with_request(sentence, request_id))
        return _with_retry_after(error, retry_after)
    return ErrorResponse(
        _("%(message)s, without a reason. Is the address in nbgrader_config.py right?") % {"message": message},
        status=status,
        request_id=request_id,
    )


def _error_fields(response: requests.Response) -> Mapping[str, object]:
    try:
        fields = json.loads(Body(response, LARGEST_ERROR).read_all())
    except (ValueError, RecursionError, ServiceError):
        return {}
    return fields if isinstance(fields, dict) else {}


def _with_retry_after(error: ServiceError, header: str) -> ServiceError:
    """Note what a Retry-After header says in seconds (RFC 9110, 10.2.3; ngshare never sends a date)."""
    if header.isascii() and header.isdigit():
        error.retry_after = float(header[:6])
    return error


def connection_error(error: requests.RequestException) -> ServiceError:
    """Return the error for a failure below HTTP. The cause's own text is left out: it may quote the token."""
    if isinstance(error, requests.ConnectTimeout):
        return NotConnected(_("The exchange cannot be reached: no connection within the time allowed."))
    if isinstance(error, requests.exceptions.SSLError):
        return Unreachable(_("The exchange cannot be reached: its certificate is not accepted here."))
    if isinstance(error, requests.Timeout):
        return Unreachable(_("The exchange did not answer in the time allowed."))
    if isinstance(error, requests.ConnectionError | requests.exceptions.ChunkedEncodingError):
        return Unreachable(_("The exchange cannot be reached, or the connection to it broke."))
    return InvalidResponse(_("The request to the exchange failed (%(error)s).") % {"error": type(error).__name__})


def error_of_store(status: int) -> ServiceError:
    """Return the error for a response of an object store. Nothing of it is shown, nor of its signed address."""
    message = _("The object store answered %(status)s.") % {"status": status}
    return Unreachable(message) if status >= 500 else ErrorResponse(message, status=status)
