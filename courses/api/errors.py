"""Errors of the native API: the true status, a stable code, one sentence, details."""

import logging
import math
from collections.abc import Mapping

from django.core.exceptions import PermissionDenied as DjangoPermissionDenied
from django.db import DatabaseError, InterfaceError
from django.http import Http404
from django.utils.translation import gettext as _
from rest_framework import exceptions
from rest_framework.response import Response

from courses import database_errors, request_id
from courses.errors import (
    BytesLost,
    Conflict,
    DomainError,
    Invalid,
    NotFound,
    PermissionDenied,
    StorageFull,
    TooLarge,
    TooOften,
    TryAgain,
)
from courses.failures import Part, count_failure

log = logging.getLogger(__name__)

MAX_TEXT = 500  # characters of one error

STATUS: list[tuple[type[DomainError], int]] = [
    (PermissionDenied, 403),
    (NotFound, 404),
    (Conflict, 409),
    (BytesLost, 410),
    (TooLarge, 413),
    (TooOften, 429),
    (TryAgain, 503),
    (StorageFull, 507),
    (Invalid, 400),
    (DomainError, 400),
]

CODES = {
    "parse_error": "bad_request",
    "invalid": "bad_request",
    "not_authenticated": "not_logged_in",
    "authentication_failed": "not_logged_in",
}


def handle(error: Exception, context: Mapping[str, object]) -> Response | None:
    """Return the answer to an error: DRF's exception handler.

    None for what is not foreseen here: that becomes a 500, and its traceback goes to the log alone.
    """
    if isinstance(error, DatabaseError | InterfaceError) and (told := database_errors.explain(error)):
        log.error("the database failed", exc_info=error)
        count_failure(Part.DATABASE)
        error = told
    if database_errors.is_out_of_handles(error):
        log.error("no file can be opened", exc_info=error)
        error = TryAgain(_("The server is too busy. Try again in a moment."))
    if isinstance(error, DomainError):
        response = answer(status_of(error), error.code, error.message, error.details)
        if isinstance(error, TooOften):
            response["Retry-After"] = str(error.retry_after)
        return response
    if isinstance(error, Http404):
        error = exceptions.NotFound(_("There is nothing at this address."))
    if isinstance(error, DjangoPermissionDenied):
        error = exceptions.PermissionDenied()
    if not isinstance(error, exceptions.APIException):
        return None
    response = answer(error.status_code, _code(error), _sentence(error.detail), _details(error.detail))
    if header := getattr(error, "auth_header", None):
        response["WWW-Authenticate"] = header
    if wait := getattr(error, "wait", None):
        response["Retry-After"] = str(math.ceil(wait))  # seconds
    return response


def answer(status: int, code: str, message: str, details: Mapping[str, object] | None = None) -> Response:
    body = {"code": code, "message": message, "details": details or {}, "request_id": request_id.current.get()}
    response = Response(body, status=status)
    if status in (429, 503):
        response["Retry-After"] = "2"  # seconds
    return response


def status_of(error: DomainError) -> int:
    """Return the HTTP status that tells of the error."""
    return next(status for kind, status in STATUS if isinstance(error, kind))


def _code(error: exceptions.APIException) -> str:
    if isinstance(error, exceptions.ValidationError):
        return "bad_request"
    codes = error.get_codes()
    return CODES.get(str(codes), str(codes))


def _sentence(detail: object) -> str:
    if isinstance(detail, dict):
        name, first = next(iter(detail.items()), ("", _("malformed")))
        return _sentence(first) if name == "non_field_errors" else f"{name}: {_sentence(first)}"
    if isinstance(detail, list):
        return _sentence(next((item for item in detail if item), _("malformed")))
    return str(detail)[:MAX_TEXT]


def _details(detail: object) -> dict[str, object]:
    """Return the details by field, with their texts cut: some repeat what was sent."""
    return {str(name)[:MAX_TEXT]: _shorten(value) for name, value in detail.items()} if isinstance(detail, dict) else {}


def _shorten(detail: object) -> object:
    if isinstance(detail, dict):
        return _details(detail)
    if isinstance(detail, list):
        return [_shorten(item) for item in detail]
    return str(detail)[:MAX_TEXT]
