"""Web pages, as nbgrader's feedback is one: their text and pictures, without scripts and with formulas."""

from exchange.rendering.cleaning import clean
from exchange.rendering.formulas import typeset
from exchange.rendering.pictures import take_pictures


def render(content: bytes, options: dict[str, str]) -> bytes:
    """Return the page, and pictures beside it, as a piece of HTML. Errors: UnicodeDecodeError."""
    page, pictures = take_pictures(content, options)
    return clean(typeset(page.decode("utf-8-sig"), pictures)).encode()
