"""How log records are written: as lines to read, or as JSON (NGSHARE_LOG_FORMAT)."""

import codecs
import json
import logging
import re
from datetime import UTC, datetime

from courses import request_id

# What moves the cursor, starts a line or turns the direction of text; ECMA-48, and Unicode's UAX #9.
CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]")
codecs.lookup("unicode_escape")  # a file that Python reads at its first use, when no file can be opened any more
FIELDS = "ngshare_fields"  # the attribute of a record that has its values for JSON


def escape(text: str) -> str:
    r"""Return the text on one line, whatever somebody wrote into it.

    >>> escape("a\nb\x1b[2J")
    'a\\nb\\x1b[2J'
    """
    return CONTROLS.sub(lambda match: match[0].encode("unicode_escape").decode(), text)


class LineFormatter(logging.Formatter):
    """One line; those of a traceback are indented, so that nothing in it can pass for a record."""

    def format(self, record: logging.LogRecord) -> str:
        at = self.formatTime(record)
        current = request_id.current.get()
        about = f" [{current}]" if current else ""
        lines = [f"{at} {record.levelname} {record.name}{about}: {escape(record.getMessage())}"]
        lines += [f"    {escape(line)}" for line in _traceback(self, record).splitlines()]
        return "\n".join(lines)


class JSONFormatter(logging.Formatter):
    """One object on one line."""

    def format(self, record: logging.LogRecord) -> str:
        values: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            "process": record.process,
        }
        if current := request_id.current.get():
            values["request_id"] = current
        values |= getattr(record, FIELDS, {})
        if traceback := _traceback(self, record):
            values["traceback"] = traceback
        return json.dumps(values, default=str)


def _traceback(formatter: logging.Formatter, record: logging.LogRecord) -> str:
    parts = [formatter.formatException(record.exc_info)] if record.exc_info else []
    parts += [formatter.formatStack(record.stack_info)] if record.stack_info else []
    return "\n".join(parts)
