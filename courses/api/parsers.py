"""The parser of JSON bodies, with limits on their size and on how many values they have."""

import json
import re
from collections.abc import Mapping
from itertools import islice
from typing import IO, Any

from django.conf import settings
from django.utils.translation import gettext as _
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

from courses.errors import TooLarge

BYTES_PER_FILE = 400  # of a manifest in JSON, generously
# Texts and openings of lists and objects, and commas. A member of a roster has 19 of them, a file of a manifest 9.
TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|[\[{,]', re.DOTALL)
MAX_TOKENS = 400_000  # the worst that so many can be read into is about 40 MB


def max_json() -> int:
    """Return how many bytes a JSON text may have: enough for the manifest of the most files that the site allows."""
    return max(2**22, settings.NGSHARE_MAX_FILES * BYTES_PER_FILE)


def strict_json(text: bytes) -> Any:
    """Return the value of a JSON text in UTF-8.

    Many small values take a hundred times their size in memory: they are counted before they are made.
    Errors: TooLarge, ParseError, also for what is nested too deep to read.
    """
    limit = max(MAX_TOKENS, 20 * settings.NGSHARE_MAX_FILES)
    if next(islice(TOKEN.finditer(text), limit, None), None):
        raise TooLarge(_("The JSON has too many values for one request."), limit=limit)
    try:
        return json.loads(text.decode("utf-8-sig"), parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise ParseError(_("This is not JSON: %(error)s.") % {"error": str(error)[:200]}) from error


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON value")


class StrictJSONParser(BaseParser):
    media_type = "application/json"

    def parse(
        self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, object] | None = None
    ) -> Any:
        return strict_json(stream.read())
