"""Reading what the server answers: JSON, bytes, or the reason why not."""

import json
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

import requests

from .errors import BadAnswer, NotConnected, Refused, ServiceError, Unreachable, printable

LARGEST_JSON = 256 * 1024 * 1024  # bytes; the manifests of a large course are some megabytes
LARGEST_ERROR = 64 * 1024  # bytes of an error's body that are looked at
CHUNK = 64 * 1024  # bytes
ADVICE = "Is the address in nbgrader_config.py right?"


class Content:
    """The body of an answer as a stream; trouble on the way is Unreachable."""

    def __init__(self, response: requests.Response, limit: int | None = None) -> None:
        self.url = response.url
        self._limit = limit  # bytes; more is BadAnswer
        self._chunks = self._iterate(response)
        self._rest = b""

    def _iterate(self, response: requests.Response) -> Iterator[bytes]:
        count = 0
        try:
            for chunk in response.iter_content(CHUNK):
                count += len(chunk)
                if self._limit is not None and count > self._limit:
                    raise BadAnswer("The exchange sent an answer that is far too long.")
                yield chunk
        except requests.RequestException as error:
            raise no_answer(self.url, error) from error

    def read(self, size: int) -> bytes:
        """At least one byte and at most `size`; none at the end."""
        while not self._rest:
            chunk = next(self._chunks, None)
            if chunk is None:
                return b""
            self._rest = chunk
        part, self._rest = self._rest[:size], self._rest[size:]
        return part

    def all(self) -> bytes:
        return b"".join(self._chunks)


def json_of(response: requests.Response) -> Any:
    """The JSON of a good answer; None for one without a body."""
    body = Content(response, LARGEST_JSON).all()
    if not body and response.status_code == HTTPStatus.NO_CONTENT:
        return None
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadAnswer(
            f"What answers at {response.url} is not ngshare, or not this version of it. {ADVICE}"
        ) from error


def refusal(url: str, response: requests.Response) -> ServiceError:
    """The error that an answer with a status of 300 or more stands for."""
    status = response.status_code
    if status < 400:
        target = printable(response.headers.get("Location", "another address"))
        return BadAnswer(f"The exchange at {_origin(url)} points to {target}, which is not followed. {ADVICE}")
    fields = _error_fields(response)
    message, code, details = fields.get("message"), fields.get("code"), fields.get("details")
    after = response.headers.get("Retry-After", "")
    if not isinstance(message, str) or not message:
        return _unexplained(url, status, after)
    error = Refused(
        printable(message),
        status=status,
        code=code if isinstance(code, str) else "",
        details=details if isinstance(details, dict) else {},
    )
    return _with_pause(error, after)


def _unexplained(url: str, status: int, after: str) -> ServiceError:
    """An error that ngshare has not written: a proxy's, or that of something else at the address."""
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = "unknown status"
    message = f"The exchange at {_origin(url)} answered {status} ({phrase})"
    if status >= 500:
        return _with_pause(Unreachable(f"{message}. It may be starting, or in trouble: try again in a minute."), after)
    return Refused(f"{message}, without saying why. {ADVICE}", status=status)


def _error_fields(response: requests.Response) -> Mapping[str, Any]:
    try:
        fields = json.loads(Content(response, LARGEST_ERROR).all())
    except (ValueError, RecursionError, ServiceError):
        return {}
    return fields if isinstance(fields, dict) else {}


def _with_pause(error: ServiceError, after: str) -> ServiceError:
    """Note what a Retry-After header says (RFC 9110, 10.2.3; as a date it is not used by ngshare)."""
    if after.isascii() and after.isdigit():
        error.retry_after = float(after[:6])
    return error


def no_answer(url: str, error: requests.RequestException) -> ServiceError:
    """The sentence for a failure below HTTP. The error's own text is not in it: it may quote the token."""
    if isinstance(error, requests.ConnectTimeout):
        return NotConnected(f"The exchange at {_origin(url)} cannot be reached: no connection within the time allowed.")
    if isinstance(error, requests.exceptions.SSLError):
        return Unreachable(f"The exchange at {_origin(url)} cannot be reached: its certificate is not accepted here.")
    if isinstance(error, requests.Timeout):
        return Unreachable(f"The exchange at {_origin(url)} did not answer in the time allowed.")
    if isinstance(error, requests.ConnectionError | requests.exceptions.ChunkedEncodingError):
        return Unreachable(f"The exchange at {_origin(url)} cannot be reached, or the connection to it broke.")
    return BadAnswer(f"Talking to the exchange at {_origin(url)} failed ({type(error).__name__}).")


def _origin(url: str) -> str:
    return url.split("/api/v2/")[0]
