"""The parser of bundles, which reads lazily."""

from collections.abc import Mapping
from typing import IO

from rest_framework.parsers import BaseParser

from exchange.api.v2.bundles import Bundle


class BundleParser(BaseParser):
    """Return a Bundle, of which nothing has been read yet."""

    media_type = "application/x-tar"

    def parse(  # type: ignore[override]  # DRF hands on whatever a parser gives
        self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, object] | None = None
    ) -> Bundle:
        return Bundle(stream)
