"""Writing CSV: every table that the service writes comes from here, in one dialect.

Commas, CRLF and quotation marks as in RFC 4180, UTF-8, rows of the same length; times in ISO 8601 with their offset;
yes and no; and nothing for what is not known. Files for spreadsheets begin with a byte order mark.

A cell that a spreadsheet would take for a formula gets an apostrophe in front. The guard and its removal are both here,
so that an importer reads back what was written.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import chain

from django.http import StreamingHttpResponse
from django.utils.http import content_disposition_header

BYTE_ORDER_MARK = "\ufeff"  # tells spreadsheets that what follows is UTF-8
FORMULA = re.compile(r"'*[=+\-@＝＋－＠\t\r\n]")  # the wide characters count in East Asian spreadsheets


def write_rows(rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """Yield the lines of a CSV file (RFC 4180)."""
    line = io.StringIO()
    writer = csv.writer(line)
    for row in rows:
        writer.writerow([guard_formula(trim_cell(cell_text(cell))) for cell in row])
        yield line.getvalue()
        line.seek(0)
        line.truncate()


def csv_response(lines: Iterable[str], name: str, *, for_spreadsheets: bool = True) -> StreamingHttpResponse:
    """Return lines of CSV as a download."""
    marked = chain([BYTE_ORDER_MARK], lines) if for_spreadsheets else lines
    response = StreamingHttpResponse(marked, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = str(content_disposition_header(True, name))
    return response


def cell_text(value: object) -> str:
    """Return a value as a cell.

    >>> from datetime import UTC
    >>> cell_text(True), cell_text(None), cell_text(datetime(2026, 11, 24, 14, 33, tzinfo=UTC))
    ('yes', '', '2026-11-24T14:33:00+00:00')
    """
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case datetime():
            return value.isoformat()
        case _:
            return str(value)


def normalize_line_ends(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def trim_cell(value: str) -> str:
    """Return what a cell keeps of a value."""
    return normalize_line_ends(value).strip()


def guard_formula(cell: str) -> str:
    """Return a text that no spreadsheet takes for a formula (OWASP, “CSV injection”).

    >>> guard_formula("=1+1"), guard_formula("ann"), remove_guard(guard_formula("'-x"))
    ("'=1+1", 'ann', "'-x")
    """
    return f"'{cell}" if is_formula(cell) else cell


def is_formula(cell: str) -> bool:
    return bool(FORMULA.match(cell))


def remove_guard(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and is_formula(cell) else cell
