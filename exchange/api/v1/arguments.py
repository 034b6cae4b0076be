"""The arguments of API v1: from the query and from a form, urlencoded or multipart. Other bodies are ignored.

Single values are cleaned as in ngshare 0.6: control characters become spaces, surrounding white space is removed.
"""

import re
from collections.abc import Mapping
from io import BytesIO
from typing import IO, Any
from urllib.parse import unquote_to_bytes

from django.conf import settings
from django.http.multipartparser import FIELD, ChunkIter, LazyStream, MultiPartParser, MultiPartParserError, Parser
from django.utils.encoding import force_str
from django.utils.http import parse_header_parameters
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser
from rest_framework.request import Request

from courses.errors import TooLarge

MAX_FIELDS = 1000  # in one form
PIECE = 2**20  # bytes that are read, and percent-decoded, at once
MARK = re.compile(rb"[\[{,]|%(?:5[Bb]|7[Bb]|2[Cc])")  # as it is and percent-encoded
MAX_MARKS = 200_000  # a file has three, a member of a roster six, and some stand in names
Fields = dict[str, list[str]]


class FormParser(BaseParser):
    """Return the fields of a form; none for a body of another kind. The whole body is held in memory."""

    media_type = "*/*"

    def parse(
        self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Fields:
        meta = (parser_context or {})["request"].META
        kind = (media_type or "").lower()
        if kind.startswith("application/x-www-form-urlencoded"):
            return parse_urlencoded(_read_body(stream, meta))
        if kind.startswith("multipart/form-data"):
            return _parse_multipart(_read_body(stream, meta), meta)
        return {}


def _read_body(stream: IO[bytes], meta: Mapping[str, str]) -> bytes:
    """Return the body, which the middleware has bounded. Errors: ParseError, TooLarge.

    Many small values in JSON take a hundred times their size in memory: their commas and opening brackets are counted
    on the way. Base64 has none.
    """
    length, limit = int(meta["CONTENT_LENGTH"]), max(MAX_MARKS, 20 * settings.NGSHARE_MAX_FILES)
    body, marks = bytearray(), 0
    while piece := stream.read(PIECE):
        body += piece
        marks += len(MARK.findall(piece))
        if marks > limit:
            raise TooLarge("The request has too many values.", limit=limit)
    if len(body) < length:
        raise ParseError(f"The request ends after {len(body)} of {length} bytes.")
    return bytes(body)


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


def _parse_multipart(body: bytes, meta: Mapping[str, str]) -> Fields:
    """Return the fields of a form in parts. Parts that are files are no arguments. Errors: ParseError.

    Django's own MultiPartParser bounds the fields as those of its own forms; this reads what it is made of.
    """
    boundary = parse_header_parameters(meta["CONTENT_TYPE"])[1].get("boundary", "")
    if not MultiPartParser.boundary_re.fullmatch(boundary):
        raise ParseError("The form cannot be read: it names no boundary.")
    fields: Fields = {}
    parts = Parser(LazyStream(ChunkIter(BytesIO(body), PIECE)), boundary.encode())
    try:
        for count, (kind, headers, part) in enumerate(parts):
            if count > MAX_FIELDS:
                raise ParseError(f"A form may have {MAX_FIELDS} fields.")
            value = part.read().decode(errors="replace")
            if kind == FIELD and (name := headers["content-disposition"][1].get("name")):
                fields.setdefault(force_str(name, errors="replace").strip(), []).append(value)
    except (MultiPartParserError, LookupError) as error:  # LookupError: a header names an encoding that there is not
        raise ParseError(f"The form cannot be read: {error}.") from error
    return fields


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
