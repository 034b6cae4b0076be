"""The parser of JSON bodies, with a limit on their size."""

import json
from collections.abc import Mapping
from typing import IO, Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

from courses.errors import TooLarge

MAX_JSON = 2**24  # bytes


def strict_json(text: bytes) -> Any:
    """Return the value of a JSON text. Errors: ParseError, also for what is nested too deep to read."""
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise ParseError(f"This is not JSON: {str(error)[:200]}.") from error


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON value")


class StrictJSONParser(BaseParser):
    media_type = "application/json"

    def parse(
        self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, object] | None = None
    ) -> Any:
        text = stream.read(MAX_JSON + 1)
        if len(text) > MAX_JSON:
            raise TooLarge(f"A JSON body may have {MAX_JSON} bytes.", limit=MAX_JSON)
        return strict_json(text)
