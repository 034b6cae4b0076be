"""How bundles are read: lazily."""

from collections.abc import Mapping
from typing import IO, Any

from rest_framework.parsers import BaseParser

from exchange.api.v2.bundles import Bundle


class BundleParser(BaseParser):
    """Gives a Bundle, of which nothing has been read yet."""

    media_type = "application/x-tar"

    def parse(  # type: ignore[override]  # DRF hands on whatever a parser gives
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Bundle:
        return Bundle(stream)
