"""Reading tables that people bring as CSV.

It reads the files of spreadsheets, learning platforms and nbgrader: with any of the usual separators and encodings, and
column names in any case. The apostrophe with which csv_writer.py guards a formula is removed, and so are spaces around
a value. Up to two lines of a title may stand above the names of the columns.
"""

import csv
import io
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from operator import itemgetter

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from courses.csv_writer import normalize_line_ends, remove_guard
from courses.errors import Invalid

MAX_BYTES = 5_000_000
MAX_LINES = 20_000
MAX_COLUMNS = 1000  # a gradebook has hundreds
SEPARATORS = {  # the most usual first
    ",": gettext_lazy("commas"),
    ";": gettext_lazy("semicolons"),
    "\t": gettext_lazy("tabs"),
    "|": gettext_lazy("bars"),
}
HINT = re.compile(r"sep=([;,\t|])\n", re.IGNORECASE)  # how Excel states the separator

TITLE_LINES = 2  # above the names of the columns, as Sakai writes them
CANVAS_TEXT = re.compile(r'="(.*)"')  # how Canvas writes a name that begins like a formula
BINARY = {
    b"PK\x03\x04": gettext_lazy(
        "This is an Excel workbook or a zip file. Open it in a spreadsheet and save it as “CSV UTF-8”."
    ),
    b"\xd0\xcf\x11\xe0": gettext_lazy(
        "This is an old Excel workbook. Open it in a spreadsheet and save it as “CSV UTF-8”."
    ),
}

# Of each field the names that a column of it may have, reduced to lowercase letters; the likeliest first.
Names = Mapping[str, Collection[str]]


class UnclearColumns(Invalid):
    """The names of the columns do not say which of them is meant; a person can choose."""


@dataclass(frozen=True)
class Sheet:
    """The cells of a file. The names of its columns are made distinct."""

    separator: str
    header: tuple[str, ...]
    rows: tuple[tuple[int, list[str]], ...]  # below the header and not empty, with their line from 1

    def column(self, name: str) -> list[str]:
        """Return the cells of a column. Errors: Invalid."""
        position = self.position(name)
        return [clean(cells[position]) if position < len(cells) else "" for _, cells in self.rows]

    def position(self, name: str) -> int:
        """Return where a column is, by its name in any case. Errors: Invalid if there is none."""
        header = [column.casefold() for column in self.header]
        if name.strip().casefold() not in header:
            text = _("The file has no column “%(column)s”. Its columns are: %(columns)s.")
            raise Invalid(text % {"column": name, "columns": ", ".join(self.header)})
        return self.header.index(name.strip()) if name.strip() in self.header else header.index(name.strip().casefold())

    def candidates(self, names: Names) -> dict[str, list[str]]:
        """Return the columns whose names mean a field, the likeliest first. Fields without one are left out."""
        found: dict[str, list[tuple[int, str]]] = {}
        for column in self.header:
            if meaning := _meaning(column, names):
                found.setdefault(meaning[0], []).append((meaning[1], column))
        return {field: [column for _, column in sorted(columns, key=itemgetter(0))] for field, columns in found.items()}


@dataclass(frozen=True)
class Row:
    """A line of the file that is not empty: what it has in the columns that are known, and cells beyond the columns."""

    number: int  # in the file, from 1
    values: dict[str, str]  # by field; empty cells are left out
    has_surplus: bool


@dataclass(frozen=True)
class Table:
    """A file that was read."""

    separator: str
    columns: dict[str, str]  # those that are known, {field: its column's name in the file}
    ignored: tuple[str, ...]  # the others, as the file names them
    rows: tuple[Row, ...]


def decode(content: bytes) -> tuple[str, str]:
    """Return the text, with "\\n" as line end, and the name of its encoding. Errors: Invalid.

    >>> decode("naïve".encode("cp1252"))
    ('naïve', 'Latin-1')
    """
    if len(content) > MAX_BYTES:
        raise Invalid(_("A table may have %(max)s bytes at most; this file has more.") % {"max": _grouped(MAX_BYTES)})
    for start, sentence in BINARY.items():
        if content.startswith(start):
            raise Invalid(str(sentence))
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
    raise Invalid(_("The file's text cannot be read. Save it as “CSV UTF-8”."))


def read_table(text: str, names: Names, required: Collection[str], *, hint: str) -> Table:
    """Return the table in a decoded file, which has one of the required columns (`hint`). Errors: Invalid."""
    return name_columns(read_sheet(text, names), names, required, hint=hint)


def read_sheet(text: str, names: Names) -> Sheet:
    """Return the cells of a decoded file. `names` help to tell the separator. Errors: Invalid if it is no table."""
    text = normalize_line_ends(text).lstrip("\ufeff")  # some programs write two byte order marks
    if len(text) > MAX_BYTES:  # in characters, so that no file that `decode` accepts is refused here
        text = _("A table may have %(max)s characters at most; this file has more.")
        raise Invalid(text % {"max": _grouped(MAX_BYTES)})
    if "\0" in text:
        raise Invalid(_("This is not a CSV file: it has NUL characters."))
    stated = HINT.match(text)
    if stated:
        text = text[stated.end() :]
    separator = stated[1] if stated else _separator(text, names)
    rows = _rows(text, separator, first=2 if stated else 1)
    if not rows:
        raise Invalid(_("The file is empty."))
    start = _find_header(rows, names)
    header = rows[start][1]
    if len(header) > MAX_COLUMNS:
        text = _("The first line names %(count)s columns; the limit is %(max)s.")
        raise Invalid(text % {"count": _grouped(len(header)), "max": _grouped(MAX_COLUMNS)})
    return Sheet(separator, tuple(_distinct(header)), tuple(rows[start + 1 :]))


def name_columns(
    sheet: Sheet, names: Names, required: Collection[str], *, hint: str, chosen: Mapping[str, str] | None = None
) -> Table:
    """Return the table whose columns mean what their names say, or what was chosen: {field: column, or ""}.

    One column may be chosen for several fields. Errors: UnclearColumns, Invalid.
    """
    chosen = chosen or {}
    found = {field: columns for field, columns in sheet.candidates(names).items() if field not in chosen}
    fields = {field: column for field, column in chosen.items() if column} | {
        field: columns[0] for field, columns in found.items()
    }
    if not set(required) & set(fields):
        text = _("The first line must name the columns, and one of them must be %(hint)s. It is: %(line)s.")
        line = "".join(filter(str.isprintable, ", ".join(sheet.header)))[:200]
        raise UnclearColumns(text % {"hint": hint, "line": line})
    for field, columns in found.items():
        if len(columns) > 1:
            raise UnclearColumns(_say_twice(field, columns))
    positions = {field: sheet.position(column) for field, column in fields.items()}
    return Table(
        sheet.separator,
        columns={field: sheet.header[position] for field, position in positions.items()},
        ignored=tuple(name for place, name in enumerate(sheet.header) if name and place not in positions.values()),
        rows=tuple(_row(number, cells, positions, len(sheet.header)) for number, cells in sheet.rows),
    )


def _say_twice(field: str, columns: list[str]) -> str:
    if len(columns) == 2:
        text = _("Two columns say “%(field)s”: “%(first)s”, “%(second)s”. Choose one of them.")
        return text % {"field": field, "first": columns[0], "second": columns[1]}
    text = _("%(count)d columns say “%(field)s”: %(columns)s. Choose one of them.")
    names = ", ".join(_("“%(column)s”") % {"column": column} for column in columns)
    return text % {"count": len(columns), "field": field, "columns": names}


def _find_header(rows: list[tuple[int, list[str]]], names: Names) -> int:
    """Return which row names the columns: the first, unless the names are below a title of fewer cells."""

    def known(index: int) -> int:
        return sum(_meaning(cell, names) is not None for cell in rows[index][1])

    def filled(index: int) -> int:
        return sum(bool(cell.strip()) for cell in rows[index][1])

    candidates = range(1, min(len(rows), TITLE_LINES + 1))
    below = (index for index in candidates if known(index) > 1 and max(map(filled, range(index))) < filled(index))
    return 0 if known(0) else next(below, 0)


def _distinct(header: list[str]) -> Iterator[str]:
    seen: set[str] = set()
    for number, cell in enumerate(header, 1):
        name = cell.strip()
        # In English, whoever asks: the names come back with a form, and _meaning knows them.
        yield f"{name} (column {number})" if name and name.casefold() in seen else name
        seen.add(name.casefold())


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
                text = _("A table may have %(max)s lines at most; this file has more.")
                raise Invalid(text % {"max": _grouped(MAX_LINES)})
            number = first + reader.line_num
    except csv.Error as error:
        sentence = _("Line %(line)d cannot be read: %(error)s. Check its quotation marks.")
        raise Invalid(sentence % {"line": number, "error": error}) from error
    return rows


def _meaning(name: str, names: Names) -> tuple[str, int] | None:
    """Return which of the fields a header means, and how likely: 0 is the best.

    >>> _meaning("E-Mail", {"email": ("mail", "email")}), _meaning("lms_user_id", {"email": ("mail", "email")})
    (('email', 1), None)
    """
    letters = "".join(char for char in re.sub(r" \(column \d+\)$", "", name).casefold() if char.isalpha())
    found = ((field, list(known).index(letters)) for field, known in names.items() if letters in known)
    return next(found, None)


def _row(number: int, cells: list[str], positions: Mapping[str, int], width: int) -> Row:
    values = {field: clean(cells[place]) for field, place in positions.items() if place < len(cells)}
    return Row(number, {field: value for field, value in values.items() if value}, any(map(str.strip, cells[width:])))


def _grouped(number: int) -> str:
    """
    >>> _grouped(5_000_000)
    '5,000,000'
    """
    return number_format(number, force_grouping=True)


def clean(cell: str) -> str:
    """Return the value of a cell, without what a program put around it against formulas."""
    value = cell.strip()
    return match[1] if (match := CANVAS_TEXT.fullmatch(value)) else remove_guard(value)
