"""What is safe to print: texts from elsewhere (a server, a file name) must not control a terminal or hide themselves.

Needs the standard library alone.
"""

import logging
import re

LONGEST_TEXT = 2000  # characters of a text from elsewhere that are shown

# Controls and line separators, what is invisible or reorders the text around it, and half characters. The joiners
# U+200C and U+200D are left out: Persian names and emoji need them.
UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e007f\ud800-\udfff]"
)


def printable(text: str, limit: int | None = LONGEST_TEXT) -> str:
    """Return a text, cut, without what is unsafe. Line breaks and tabs stay."""
    return UNSAFE.sub(lambda unsafe: unsafe[0] if unsafe[0] in "\n\t" else "", text[:limit])


def printable_line(text: str) -> str:
    """Return a text for a single line: a name with a line break must not look like another message."""
    return printable(re.sub(r"[\r\n\t]+", " ", text))


class _PrintableRecords(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        try:
            message = record.getMessage()
        except (TypeError, ValueError):  # arguments that do not fit; the handlers report that
            return True
        if (safe := printable(message, limit=None)) != message:
            record.msg, record.args = safe, ()
        return True


_PRINTABLE_RECORDS = _PrintableRecords()


def log_printable(log: "logging.Logger | logging.LoggerAdapter[logging.Logger]") -> None:
    """Make every message of a logger safe to print, whoever wrote it. May be called again."""
    logger = log.logger if isinstance(log, logging.LoggerAdapter) else log
    logger.addFilter(_PRINTABLE_RECORDS)
