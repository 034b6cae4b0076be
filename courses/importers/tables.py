"""Reading tables that people bring as CSV.

It reads the files of spreadsheets, learning platforms and nbgrader: with any of the usual separators and encodings, and
column names in any case. The apostrophe with which csv_writer.py guards a formula is removed, and so are spaces around
a value.
"""

import csv
import io
import re
from collections.abc import Collection, Mapping, Set
from dataclasses import dataclass

from courses.csv_writer import normalize_line_ends, remove_guard
from courses.errors import Invalid

MAX_BYTES = 5_000_000
MAX_LINES = 20_000
MAX_COLUMNS = 1000  # a gradebook has hundreds
SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}  # the most usual first
HINT = re.compile(r"sep=([;,\t|])\n", re.IGNORECASE)  # how Excel states the separator

Names = Mapping[str, Set[str]]  # of each column the names that a file may give it, reduced to lowercase letters


@dataclass(frozen=True)
class Row:
    """A line of the file that is not empty: what it has in the columns that are known, and cells beyond the columns."""

    number: int  # in the file, from 1
    values: dict[str, str]  # by column; empty cells are left out
    has_surplus: bool


@dataclass(frozen=True)
class Table:
    """A file that was read."""

    separator: str
    columns: dict[str, str]  # those that are known, {column: its name in the file}
    ignored: tuple[str, ...]  # the others, as the file names them
    rows: tuple[Row, ...]


def decode(content: bytes) -> tuple[str, str]:
    """Return the text, with "\\n" as line end, and the name of its encoding. Errors: Invalid.

    >>> decode("naïve".encode("cp1252"))
    ('naïve', 'Latin-1')
    """
    if len(content) > MAX_BYTES:
        raise Invalid(f"A table may have {MAX_BYTES:,} bytes at most; this file has more.")
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings = [("utf-16", "UTF-16")]
    else:
        # Windows' own form of Latin-1 first, in which a few bytes are undefined.
        encodings = [("utf-8-sig", "UTF-8"), ("cp1252", "Latin-1"), ("latin-1", "Latin-1")]
    for codec, name in encodings:
        try:
            return normalize_line_ends(content.decode(codec)), name
        except UnicodeDecodeError:
            continue
    raise Invalid("The file's text cannot be read. Save it as “CSV UTF-8”.")


def read_table(text: str, names: Names, required: Collection[str], *, hint: str) -> Table:
    """Return the table in a decoded file, which has one of the required columns (`hint`). Errors: Invalid."""
    text = normalize_line_ends(text).lstrip("\ufeff")  # some programs write two byte order marks
    if len(text) > MAX_BYTES:  # in characters, so that no file that `decode` accepts is refused here
        raise Invalid(f"A table may have {MAX_BYTES:,} characters at most; this file has more.")
    if "\0" in text:
        raise Invalid("This is not a CSV file: it has NUL characters.")
    stated = HINT.match(text)
    if stated:
        text = text[stated.end() :]
    separator = stated[1] if stated else _separator(text, names)
    rows = _rows(text, separator, first=2 if stated else 1)
    if not rows:
        raise Invalid("The file is empty.")
    header = [cell.strip() for cell in rows[0][1]]
    if len(header) > MAX_COLUMNS:
        raise Invalid(f"The first line names {len(header):,} columns; the limit is {MAX_COLUMNS:,}.")
    meaning = [_meaning(name, names) for name in header]
    if not set(required) & set(meaning):
        raise Invalid(
            f"The first line must name the columns, and one of them must be {hint}. "
            f"It is: {''.join(filter(str.isprintable, ', '.join(header)))[:200]}."
        )
    if repeated := {name for name in meaning if name and meaning.count(name) > 1}:
        raise Invalid(f"Two columns have the same meaning: {', '.join(sorted(repeated))}.")
    pairs = list(zip(header, meaning, strict=True))
    return Table(
        separator,
        columns={known: name for name, known in pairs if known},
        ignored=tuple(name for name, known in pairs if name and not known),
        rows=tuple(_row(number, cells, meaning) for number, cells in rows[1:]),
    )


def _separator(text: str, names: Names) -> str:
    """Return the separator that splits the first line into the most known columns, then into the most columns."""
    first = next((line for line in text.split("\n") if line.strip()), "")[:10_000]

    def columns(separator: str) -> tuple[int, int]:
        cells = next(csv.reader([first], delimiter=separator), [])
        return sum(bool(_meaning(cell, names)) for cell in cells), len(cells)

    return max(SEPARATORS, key=columns)


def _rows(text: str, separator: str, *, first: int) -> list[tuple[int, list[str]]]:
    """Return (line number, cells) of the rows that are not empty. A row may span several lines; the first one counts.

    The reader is strict: otherwise an unclosed quotation mark would swallow all lines after it.
    """
    lines = io.StringIO(text, newline="")
    reader = csv.reader(lines, delimiter=separator, skipinitialspace=True, strict=True)
    rows = []
    number = first
    try:
        for cells in reader:
            if any(map(str.strip, cells)):
                rows.append((number, cells))
            if len(rows) > MAX_LINES + 1:  # the header is one of them
                raise Invalid(f"A table may have {MAX_LINES:,} lines at most; this file has more.")
            number = first + reader.line_num
    except csv.Error as error:
        raise Invalid(f"Line {number} cannot be read: {error}. Check its quotation marks.") from error
    return rows


def _meaning(name: str, names: Names) -> str | None:
    """Return which of the columns a header means.

    >>> _meaning("E-Mail", {"email": {"email", "mail"}}), _meaning("lms_user_id", {"email": {"email", "mail"}})
    ('email', None)
    """
    letters = "".join(char for char in name.casefold() if char.isalpha())
    return next((column for column, known in names.items() if letters in known), None)


def _row(number: int, cells: list[str], meaning: list[str | None]) -> Row:
    values = {
        known: remove_guard(cell.strip()) for known, cell in zip(meaning, cells, strict=False) if known and cell.strip()
    }
    return Row(number, values, any(map(str.strip, cells[len(meaning) :])))
