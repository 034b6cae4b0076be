"""The arguments of API v1: from the query and from a form, urlencoded or multipart. Other bodies are ignored.

Single values are cleaned as in ngshare 0.6: control characters become spaces, surrounding white space is removed.
"""

import re
from collections.abc import Mapping
from io import BytesIO
from typing import IO, Any
from urllib.parse import unquote_to_bytes

from django.conf import settings
from django.core.files.uploadhandler import FileUploadHandler, SkipFile
from django.http.multipartparser import MultiPartParser, MultiPartParserError
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser
from rest_framework.request import Request

from courses.errors import TooLarge
from courses.sizes import readable_size

MAX_FIELDS = 1000  # in one form
PIECE = 2**20  # bytes that are percent-decoded at once
Fields = dict[str, list[str]]


class FormParser(BaseParser):
    """Return the fields of a form; none for a body of another kind. The whole body is held in memory."""

    media_type = "*/*"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Fields:
        meta = (parser_context or {})["request"].META
        kind = (media_type or "").lower()
        if kind.startswith("application/x-www-form-urlencoded"):
            return parse_urlencoded(_read_body(stream, meta))
        if kind.startswith("multipart/form-data"):
            return _parse_multipart(_read_body(stream, meta), meta)
        return {}


def _read_body(stream: IO[Any], meta: Mapping[str, Any]) -> bytes:
    length, limit = int(meta["CONTENT_LENGTH"]), settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    if length > limit:
        raise TooLarge(
            f"The request is {readable_size(length)}, the limit is {readable_size(limit)}. "
            "Hand in fewer or smaller files, or ask for the newer plugin, which has no such limit.",
            size=length,
            limit=limit,
        )
    body = bytes(stream.read())
    if len(body) < length:
        raise ParseError(f"The request ends after {len(body)} of {length} bytes.")
    return body


def parse_urlencoded(body: bytes) -> Fields:
    """Return the fields of a body in application/x-www-form-urlencoded. Errors: ParseError.

    >>> parse_urlencoded(b"user=alice&files=%5B%5D&note=a+b&user=bob")
    {'user': ['alice', 'bob'], 'files': ['[]'], 'note': ['a b']}
    """
    if body.count(b"&") >= MAX_FIELDS:
        raise ParseError(f"A form may have {MAX_FIELDS} fields.")
    fields: Fields = {}
    for pair in body.split(b"&"):
        name, _, value = pair.partition(b"=")
        if pair:
            fields.setdefault(_decode(name), []).append(_decode(value))
    return fields


def _decode(encoded: bytes) -> str:
    try:
        return _unquote(encoded).decode()
    except UnicodeDecodeError as error:
        raise ParseError("The form is not in UTF-8.") from error


def _unquote(encoded: bytes) -> bytes:
    """Percent-decode a piece at a time: all at once it would take many times the memory."""
    decoded, start = bytearray(), 0
    while start < len(encoded):
        end = start + PIECE
        percent = encoded.rfind(b"%", end - 2, end)
        end = end if percent == -1 else percent  # no cut through a %XX
        decoded += unquote_to_bytes(encoded[start:end].replace(b"+", b" "))
        start = end
    return bytes(decoded)


class _SkipFiles(FileUploadHandler):
    """Skip the parts that are files: they are no arguments."""

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        raise SkipFile


def _parse_multipart(body: bytes, meta: Mapping[str, Any]) -> Fields:
    try:
        fields, _ = MultiPartParser(dict(meta), BytesIO(body), [_SkipFiles()], "utf-8").parse()
    except MultiPartParserError as error:
        raise ParseError(f"The form cannot be read: {error}.") from error
    return {str(name): [str(value) for value in values] for name, values in fields.lists()}


class Arguments:
    """The arguments of a request. Of several values the last counts, and the body takes precedence over the query."""

    def __init__(self, request: Request) -> None:
        self._request = request

    def query(self, name: str) -> str | None:
        return _last(self._request.query_params.getlist(name))

    def body(self, name: str) -> str | None:
        fields = self._request.data
        return _last(fields.get(name, [])) if isinstance(fields, dict) else None

    def either(self, name: str) -> str | None:
        value = self.body(name)
        return self.query(name) if value is None else value


def _last(values: list[str]) -> str | None:
    return re.sub(r"[\x00-\x08\x0e-\x1f]", " ", values[-1]).strip() if values else None
