"""Rosters as CSV on this computer: reads what spreadsheets and nbgrader write, writes what the service reads."""

import csv
import io
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TextIO

from ..client.printing import printable_line
from ..translation import gettext as _
from .output import CommandFailed

COLUMNS = ("username", "first_name", "last_name", "email", "section", "role")
# The names that a column may have: ours, ngshare_exchange's, nbgrader's (`nbgrader db student import`), and those of
# Canvas, Moodle, Blackboard and Sakai. The service reads the same ones.
NAMES = {
    "username": {"username", "user_name", "user", "login", "login_id", "sis_login_id", "sis_user_id"}
    | {"id", "student_id", "student_sis_id", "benutzername", "anmeldename"},
    "name": {"name", "student", "student_name", "full_name", "vollständiger_name"},
    "first_name": {"first_name", "firstname", "given_name", "vorname"},
    "last_name": {"last_name", "lastname", "surname", "family_name", "nachname"},
    "email": {"email", "e_mail", "mail", "email_address", "e_mail_adresse"},
    "section": {"section", "section_name", "group", "groups", "gruppe", "gruppen"},
    "role": {"role"},
}
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


@dataclass(frozen=True)
class ColumnChoice:
    """What the options say: {field: its column in the file, or ""}; `before_at` cuts user names at the @."""

    columns: Mapping[str, str] = field(default_factory=dict)
    before_at: bool = False

    @classmethod
    def parse(cls, choices: Iterable[str], before_at: bool) -> "ColumnChoice":
        columns = {}
        for choice in choices:
            name, sign, column = choice.partition("=")
            if not sign or name not in NAMES:
                raise CommandFailed(
                    _("--column %(choice)s: write FIELD=COLUMN; fields are %(fields)s.")
                    % {"choice": choice, "fields": ", ".join(NAMES)}
                )
            columns[name] = column.strip()
        return cls(columns, before_at)


def read(content: bytes, choice: ColumnChoice | None = None) -> list[CsvPerson]:
    """Return the people in a file; raise CommandFailed if its columns are not named, or not for certain."""
    choice = choice or ColumnChoice()
    text = decode(content)
    first = next((line for line in text.splitlines() if line.strip()), "")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(SEPARATORS, key=first.count))
    try:
        rows = [(reader.line_num, cells) for cells in reader if any(map(str.strip, cells))]
    except csv.Error as error:
        raise CommandFailed(
            _("Line %(line)s of the file cannot be read: %(error)s.") % {"line": reader.line_num, "error": error}
        ) from error
    if not rows:
        raise CommandFailed(_("The file is empty."))
    start = _find_header(rows)
    header = [cell.strip() for cell in rows[start][1]]
    places = _find_columns(header, choice.columns)
    people = [(number, cells) for number, cells in rows[start + 1 :] if not _is_of_canvas(header, cells)]
    return [CsvPerson(number, _fields(places, cells, choice.before_at)) for number, cells in people]


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


def _meaning(cell: str) -> str | None:
    name = re.sub(r"[\W_]+", "_", cell.strip().lower()).strip("_")
    return next((column for column, known in NAMES.items() if name in known), None)


def _find_header(rows: list[tuple[int, list[str]]]) -> int:
    """Return which row names the columns; Sakai writes a title above."""
    if any(map(_meaning, rows[0][1])):
        return 0
    wider = (place for place in (1, 2) if place < len(rows) and len(rows[place][1]) > len(rows[0][1]))
    return next((place for place in wider if sum(map(bool, map(_meaning, rows[place][1]))) > 1), 0)


def _find_columns(header: list[str], chosen: Mapping[str, str]) -> dict[str, int]:
    """Return the place of each field's column. One column may be chosen for several fields."""
    places: dict[str, int] = {}
    lowered = [name.lower() for name in header]
    for name in NAMES:
        column = chosen.get(name)
        found = [place for place, cell in enumerate(header) if _meaning(cell) == name]
        if column:
            if column.lower() not in lowered:
                raise CommandFailed(
                    _("The file has no column “%(column)s”. Its columns are: %(columns)s.")
                    % {"column": column, "columns": ", ".join(header)}
                )
            found = [lowered.index(column.lower())]
        if len(found) > 1 and column is None:
            names = ", ".join(f"“{header[place]}”" for place in found)
            example = header[found[0]]
            raise CommandFailed(
                _("%(count)s columns say “%(name)s”: %(names)s. Choose: --column %(name)s='%(example)s'")
                % {"count": len(found), "name": name, "names": names, "example": example}
            )
        if found and column != "":
            places[name] = found[0]
    if "username" not in places:
        raise CommandFailed(
            _(
                "The first line must name the columns, one of them student_id (or username, or id); or choose one with "
                "--column username='…'."
            )
        )
    return places


def _is_of_canvas(header: list[str], cells: list[str]) -> bool:
    """Return whether a line of a Canvas gradebook is no student: points, posting of grades, its test student."""
    if header[0] not in ("Student", "LastName") or "Section" not in header:
        return False
    name = ", ".join(cell.strip() for cell in cells[: 1 if header[0] == "Student" else 2]).strip(", ")
    return name in ("", "Points Possible", "Student, Test")


def _fields(places: Mapping[str, int], cells: list[str], before_at: bool) -> dict[str, str]:
    found = {name: cells[place].strip() for name, place in places.items() if place < len(cells)}
    values = {
        name: cell[1:] if cell[0] == "'" and FORMULA.match(cell) else cell for name, cell in found.items() if cell
    }
    if before_at and "username" in values:
        values["username"] = values["username"].partition("@")[0]
    whole = values.pop("name", "")
    if whole and not {"first_name", "last_name"} & set(places):
        last, comma, rest = whole.partition(",")
        parts = (rest, last) if comma else whole.rpartition(" ")[::2]
        values |= {name: part.strip() for name, part in zip(("first_name", "last_name"), parts, strict=True) if part}
    return values
