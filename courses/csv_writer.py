"""Writing CSV that spreadsheets open safely: a cell that one would take for a formula gets an apostrophe in front.

The guard and its removal are both here, so that an importer reads back what was written.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence

FORMULA = re.compile(r"'*[=+\-@＝＋－＠\t\r\n]")  # the wide characters count in East Asian spreadsheets


def write_rows(rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """Yield the lines of a CSV file (RFC 4180)."""
    line = io.StringIO()
    writer = csv.writer(line)
    for row in rows:
        writer.writerow([guard_formula(trim_cell("" if cell is None else str(cell))) for cell in row])
        yield line.getvalue()
        line.seek(0)
        line.truncate()


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
