"""Web pages, as nbgrader's feedback is one: their text and pictures, without scripts and with formulas."""

from exchange.rendering.cleaning import clean
from exchange.rendering.formulas import typeset


def render(content: bytes, options: dict[str, str]) -> bytes:
    """Return the page as a piece of HTML. Errors: UnicodeDecodeError."""
    return clean(typeset(content.decode("utf-8-sig"))).encode()
