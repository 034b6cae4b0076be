"""Rosters as CSV on this computer: reads what spreadsheets and nbgrader write, writes what the service reads."""

import csv
import io
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TextIO

from ..client.printing import printable_line
from .output import CommandFailed

COLUMNS = ("username", "first_name", "last_name", "email", "section", "role")
USERNAME = {"username", "student_id", "id"}  # ours, ngshare_exchange's, and nbgrader's (`nbgrader db student import`)
SEPARATORS = ",;\t"
# What spreadsheets calculate (OWASP, "CSV injection"); the wide characters count in East Asian ones.
FORMULA = re.compile(r"'*[=+\-@＝＋－＠\t\r\n]")


@dataclass(frozen=True)
class CsvPerson:
    """One person of the file, by our names for the columns. Empty cells are left out."""

    line: int  # in the file, from 1
    fields: Mapping[str, str]

    @property
    def username(self) -> str:
        return self.fields.get("username", "")


def read(content: bytes) -> list[CsvPerson]:
    """Return the people in a file; raise CommandFailed if its first line does not name the columns."""
    text = decode(content)
    first = next((line for line in text.splitlines() if line.strip()), "")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(SEPARATORS, key=first.count))
    try:
        rows = [(reader.line_num, cells) for cells in reader if any(map(str.strip, cells))]
    except csv.Error as error:
        raise CommandFailed(f"Line {reader.line_num} of the file cannot be read: {error}.") from error
    if not rows:
        raise CommandFailed("The file is empty.")
    header = [_column(cell) for cell in rows[0][1]]
    if header.count("username") != 1:
        raise CommandFailed("The first line must name the columns, one of them student_id (or username, or id).")
    return [CsvPerson(number, _fields(header, cells)) for number, cells in rows[1:]]


def decode(content: bytes) -> str:
    """Decode UTF-8, with or without a byte order mark; UTF-16 with one; everything else as Windows' Latin-1.

    >>> decode("naïve".encode("latin-1")), decode("naïve".encode("utf-8-sig"))
    ('naïve', 'naïve')
    """
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", errors="replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


def write(members: Iterable[Mapping[str, object]], stream: TextIO) -> None:
    """Write RFC 4180, in the columns that the service reads. A formula gets an apostrophe in front.

    In a terminal, names lose what would control it.
    """
    writer = csv.writer(stream)
    writer.writerow(COLUMNS)
    for member in members:
        cells = [str(member.get(column) or "").strip() for column in COLUMNS]
        if stream.isatty():
            cells = list(map(printable_line, cells))
        writer.writerow(f"'{cell}" if FORMULA.match(cell) else cell for cell in cells)


def _column(cell: str) -> str:
    name = re.sub(r"[\s-]+", "_", cell.strip().lower())
    return "username" if name in USERNAME else name


def _fields(header: list[str], cells: list[str]) -> dict[str, str]:
    values = {name: cell.strip() for name, cell in zip(header, cells, strict=False) if name in COLUMNS and cell.strip()}
    return {name: cell[1:] if cell[0] == "'" and FORMULA.match(cell) else cell for name, cell in values.items()}
