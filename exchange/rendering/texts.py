"""Text with its syntax highlighted by Pygments."""

from pygments import highlight
from pygments.formatters.html import HtmlFormatter
from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name

from exchange.rendering.cleaning import clean
from exchange.rendering.languages import LANGUAGES

LONGEST_LINE = 10_000  # characters; what has longer ones is not highlighted
FORMATTER = HtmlFormatter(linespans="line", wrapcode=True)


def lexer_of(language: str) -> Lexer:
    return get_lexer_by_name(language if language in LANGUAGES.values() else "text", stripnl=False)


def render(content: bytes, options: dict[str, str]) -> bytes:
    """Return the text of a file, in the language that `options` names. Errors: UnicodeDecodeError."""
    text = content.decode("utf-8-sig")
    has_long_lines = any(len(line) > LONGEST_LINE for line in text.split("\n"))
    return clean(highlight(text, lexer_of("text" if has_long_lines else options["language"]), FORMATTER)).encode()
