"""The answers of API v1: JSON with `success`, labelled as HTML.

Because of that label a browser would parse an answer as HTML: nothing in it may look like a tag, and no script may run.
"""

import json
import logging
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.core.exceptions import PermissionDenied as DjangoPermissionDenied
from django.core.exceptions import SuspiciousOperation
from django.db import DatabaseError, InterfaceError
from django.http import Http404, HttpResponseBase, HttpResponseRedirect, UnreadablePostError
from rest_framework import exceptions
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from courses import database_errors
from courses.errors import (
    BytesLost,
    Conflict,
    DomainError,
    NotFound,
    PermissionDenied,
    StorageFull,
    TooLarge,
    TooOften,
    TryAgain,
)
from courses.failures import Part, count_failure
from exchange.storage.manifests import BadPath

log = logging.getLogger(__name__)

CONTENT_TYPE = "text/html; charset=UTF-8"
DENIED = "Permission denied"
STATUS: list[tuple[type[DomainError], int]] = [
    (PermissionDenied, 403),
    (NotFound, 404),
    (Conflict, 409),
    (BytesLost, 410),
    (TooLarge, 413),
    (TooOften, 429),
    (TryAgain, 503),
    (StorageFull, 507),
    (DomainError, 400),
]


class Failure(Exception):
    """An error with this status and message, which are those of ngshare 0.6."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


def json_text(value: object) -> str:
    """Return JSON in ASCII in which nothing looks like HTML.

    >>> json_text({"path": "<b>.txt"})
    '{"path": "\\\\u003cb\\\\u003e.txt"}'
    """
    text = json.dumps(value)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


class JSONAsHTMLRenderer(BaseRenderer):
    media_type = "text/html"
    format = "json"
    charset = "UTF-8"

    def render(
        self, data: object, accepted_media_type: str | None = None, renderer_context: Mapping[str, object] | None = None
    ) -> bytes:
        return json_text(data).encode()


class IgnoreAccept(DefaultContentNegotiation):
    """Choose the only renderer, whatever the client accepts."""

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        renderer = next(iter(renderers))
        return renderer, renderer.media_type


def success(**values: object) -> Response:
    return Response({"success": True, **values})


def failure(status: int, message: str) -> Response:
    response = Response({"success": False, "message": message}, status=status)
    if status in (429, 503):
        response["Retry-After"] = "2"  # seconds
    return response


def handle(error: Exception, context: dict[str, Any]) -> HttpResponseBase | None:
    """Return the answer to an error: DRF's exception handler for API v1.

    None for what is not foreseen here: that becomes a 500, and its traceback goes to the log alone.
    """
    if isinstance(error, Failure):
        return failure(error.status, error.message)
    if isinstance(error, DatabaseError | InterfaceError) and (told := database_errors.explain(error)):
        log.error("the database failed", exc_info=error)
        count_failure(Part.DATABASE)
        error = told
    if database_errors.is_out_of_handles(error):
        log.error("no file can be opened", exc_info=error)
        error = TryAgain("The server is too busy. Try again in a moment.")
    if isinstance(error, DomainError):
        response = failure(*_status_and_message(error))
        if isinstance(error, TooOften):
            response["Retry-After"] = str(error.retry_after)
        return response
    if isinstance(error, exceptions.NotAuthenticated | exceptions.AuthenticationFailed):
        return _require_login(error, context)
    if isinstance(error, exceptions.APIException):
        return failure(error.status_code, str(error.detail))
    if isinstance(error, Http404):
        return failure(404, "There is nothing at this address.")
    if isinstance(error, DjangoPermissionDenied):
        return failure(403, DENIED)
    if isinstance(error, SuspiciousOperation | UnreadablePostError):
        # Too many fields, or the client went away in the middle of its request.
        log.info("cannot read a request: %r", error)
        return failure(400, "The request cannot be read.")
    return None


def _status_and_message(error: DomainError) -> tuple[int, str]:
    if isinstance(error, PermissionDenied):
        return 403, DENIED
    if isinstance(error, BadPath):
        return 400, f"Illegal path: {error.message}"
    return next(status for kind, status in STATUS if isinstance(error, kind)), error.message


def _require_login(error: exceptions.APIException, context: dict[str, Any]) -> HttpResponseBase:
    """Redirect to the log-in page, or fail, as ngshare 0.6 did by address. Where it ended in a 500, this is a 400."""
    if not context["view"].sends_to_login:
        return failure(400, str(error.detail))
    request = context["request"]
    if request.method == "GET":
        return HttpResponseRedirect(f"{settings.LOGIN_URL}?{urlencode({'next': request.get_full_path()})}")
    return failure(403, str(error.detail))
