"""The parsers of bundles and of parts, which read lazily, and that of receipts, which reads exactly."""

from collections.abc import Mapping
from typing import IO, Any

from django.utils.translation import gettext as _
from rest_framework.parsers import BaseParser

from courses.api.parsers import strict_json
from courses.errors import TooLarge
from exchange import receipts
from exchange.api.v2.bundles import Bundle


class BundleParser(BaseParser):
    """Return a Bundle, of which nothing has been read yet."""

    media_type = "application/x-tar"

    def parse(  # type: ignore[override]  # DRF hands on whatever a parser gives
        self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, object] | None = None
    ) -> Bundle:
        return Bundle(stream)


class PartParser(BaseParser):
    """Return the stream, of which nothing has been read yet."""

    media_type = "application/octet-stream"

    def parse(  # type: ignore[override]  # DRF hands on whatever a parser gives
        self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, object] | None = None
    ) -> IO[bytes]:
        return stream


class ReceiptParser(BaseParser):
    """Return the JSON value; an empty object for a text that reads differently to a person."""

    media_type = "application/json"

    def parse(
        self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, object] | None = None
    ) -> Any:
        text = stream.read(receipts.MAX_SIZE + 1)
        if len(text) > receipts.MAX_SIZE:
            raise TooLarge(
                _("A receipt has %(limit)s bytes at most.") % {"limit": receipts.MAX_SIZE},
                limit=receipts.MAX_SIZE,
            )
        value = strict_json(text)
        if isinstance(value, dict) and not receipts.is_spelled_plainly(text.decode(errors="replace"), value):
            return {}
        return value
