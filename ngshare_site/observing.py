"""The outermost middleware: gives each request its id, one line in the log, and its part in the metrics."""

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from typing import IO, Any

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db import InterfaceError, OperationalError
from django.http import FileResponse, HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.utils import translation
from django.utils.functional import SimpleLazyObject

from courses import request_id
from courses.failures import Part, count_failure
from courses.sizes import readable_size
from ngshare_site import logs, metrics

log = logging.getLogger("ngshare.requests")

GetResponse = Callable[[HttpRequest], HttpResponseBase]
PROBES = ("healthz", "readyz", "metrics")  # routes that are asked for all the time
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
MAX_PATH = 500  # characters of an address in the log


class CountedStream:
    """The body of a request; counts what is read of it."""

    def __init__(self, stream: IO[bytes]) -> None:
        self.stream = stream
        self.count = 0

    def read(self, *size: int) -> bytes:
        return self._counted(self.stream.read(*size))

    def readline(self, *size: int) -> bytes:
        return self._counted(self.stream.readline(*size))

    def close(self) -> None:
        self.stream.close()

    def _counted(self, data: bytes) -> bytes:
        self.count += len(data)
        return data


class Observation:
    """What becomes known of one request until the last byte of its response is sent."""

    def __init__(self, request: HttpRequest) -> None:
        self.request = request
        self.started = time.monotonic()
        self.received = CountedStream(request._stream)
        request._stream = self.received  # type: ignore[assignment]  # Django has no other way to see what is read
        self.sent = 0
        self.is_complete = True

    def watch(self, response: HttpResponseBase) -> None:
        """Count the bytes of the response, and finish when the server closes it."""
        self.status = response.status_code
        if self.request.method == "HEAD":
            pass
        elif isinstance(response, FileResponse) and response.file_to_stream is not None:
            self.sent = int(response.headers.get("Content-Length", 0))  # the system may send the file, unseen
        elif isinstance(response, StreamingHttpResponse):
            self.is_complete = False
            response.streaming_content = self._count(response.streaming_content)  # type: ignore[arg-type]
        else:
            self.sent = len(response.content)  # type: ignore[attr-defined]
        close = response.close

        def close_and_finish() -> None:
            response.close = close  # type: ignore[method-assign]  # once
            try:
                close()
            finally:
                self.finish()

        response.close = close_and_finish  # type: ignore[method-assign]

    def _count(self, content: Iterable[bytes]) -> Iterator[bytes]:
        for chunk in content:
            self.sent += len(chunk)
            yield chunk
        self.is_complete = True

    def finish(self) -> None:
        """Write the line and count."""
        seconds = time.monotonic() - self.started
        route, method = route_of(self.request), self.request.method or ""
        method_label = method if method in METHODS else "other"
        metrics.REQUESTS.labels(route, method_label, self.status).inc()
        metrics.SECONDS.labels(route, method_label).observe(seconds)
        metrics.RECEIVED.inc(self.received.count)
        metrics.SENT.inc(self.sent)
        user, path = _user_of(self.request), self.request.path[:MAX_PATH]
        fields = {
            "user": user,
            "method": method,
            "route": route,
            "path": path,  # without the query, which may have secrets in it, such as the code of a log-in
            "status": self.status,
            "milliseconds": round(seconds * 1000, 1),
            "bytes_in": self.received.count,
            "bytes_out": self.sent,
            "complete": self.is_complete,
        }
        with translation.override("en"):
            sizes = readable_size(self.received.count), readable_size(self.sent)
        log.log(
            _level(route, self.status),
            "%s %s %s (%s) %d in %.0f ms, %s in, %s out%s",
            *(user or "-", method, path, route, self.status, seconds * 1000),
            *(*sizes, "" if self.is_complete else ", broken off"),
            extra={logs.FIELDS: fields},
        )
        request_id.current.set("")


def observe(get_response: GetResponse) -> GetResponse:
    def middleware(request: HttpRequest) -> HttpResponseBase:
        current = request_id.choose(request.headers.get(request_id.HEADER))
        request_id.current.set(current)
        observation = Observation(request)
        response = get_response(request)
        response.headers[request_id.HEADER] = current
        observation.watch(response)
        return response

    return middleware


def count_database_failures(get_response: GetResponse) -> GetResponse:
    """Count failures of the database in pages; those in the APIs are counted where they are answered."""

    def process_exception(request: HttpRequest, error: Exception) -> None:
        if isinstance(error, OperationalError | InterfaceError):
            count_failure(Part.DATABASE)

    def middleware(request: HttpRequest) -> HttpResponseBase:
        return get_response(request)

    middleware.process_exception = process_exception  # type: ignore[attr-defined]
    return middleware


def route_of(request: HttpRequest) -> str:
    """Return the name of the address' pattern, or the pattern itself: one of a bounded number of texts."""
    match: Any = request.resolver_match
    if match is None:
        return "static" if request.path.startswith(settings.STATIC_URL) else "unmatched"
    if match.url_name:
        return str(match.view_name)
    return str(match.route.removeprefix(settings.PREFIX[1:]))


def _user_of(request: HttpRequest) -> str:
    """Return the name of the user, as far as somebody has asked for it: asking now would cost a query."""
    user: Any = getattr(request, "user", None)
    if type(user) is SimpleLazyObject:
        user = getattr(request, "_cached_user", None)
    return "" if user is None or isinstance(user, AnonymousUser) else str(user.username)


def _level(route: str, status: int) -> int:
    if status >= 500:
        return logging.WARNING
    return logging.DEBUG if route in PROBES else logging.INFO
