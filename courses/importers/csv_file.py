"""Import a roster from CSV.

It reads the files of spreadsheets, learning platforms and nbgrader: with any of the usual separators and encodings, and
column names in any case. The apostrophe with which csv_writer.py guards a formula is removed, and so are spaces around
a value.
"""

import csv
import io
import re
from dataclasses import dataclass, replace
from typing import Any

from courses import roster, services
from courses.csv_writer import normalize_line_ends, remove_guard, trim_cell
from courses.errors import Conflict, Invalid
from courses.models import Course
from courses.permissions import Actor
from courses.roster import MemberChange, Result, RosterReport
from courses.services import NAME_FIELDS, RosterEntry

MAX_BYTES = 5_000_000
MAX_LINES = 20_000
MAX_COLUMNS = 1000  # a gradebook has hundreds
SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}  # the most usual first

# The names that a column may have, reduced to lowercase letters.
COLUMN_NAMES = {
    "username": {"username", "user", "id", "studentid", "login", "loginid", "sisloginid"},
    "first_name": {"firstname", "givenname"},
    "last_name": {"lastname", "surname", "familyname"},
    "email": {"email", "mail", "emailaddress"},
    "section": {"section"},
    "role": {"role"},
}
HINT = re.compile(r"sep=([;,\t|])\n", re.IGNORECASE)  # how Excel states the separator


@dataclass(frozen=True)
class CSVLine:
    """One line of the file that is not empty, with the reason if it cannot be used."""

    number: int  # in the file, from 1
    person: RosterEntry
    fault: str = ""


@dataclass(frozen=True)
class RosterFile:
    """A roster file that was read."""

    encoding: str
    separator: str
    columns: tuple[str, ...]  # those that are imported, as the file names them
    ignored: tuple[str, ...]  # those that are not
    lines: tuple[CSVLine, ...]


@dataclass(frozen=True)
class LineOutcome:
    """What happens to one member; `line` is None for those whom the file does not name."""

    line: int | None
    row: MemberChange


def read(content: bytes) -> RosterFile:
    """Return the roster in the file. A bad line has a `fault`. Errors: Invalid if the file is no such table."""
    return read_text(*decode(content))


def decode(content: bytes) -> tuple[str, str]:
    """Return the text, with "\\n" as line end, and the name of its encoding. Errors: Invalid.

    >>> decode("naïve".encode("cp1252"))
    ('naïve', 'Latin-1')
    """
    if len(content) > MAX_BYTES:
        raise Invalid(f"A roster may have {MAX_BYTES:,} bytes at most; this file has more.")
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


def read_text(text: str, encoding: str = "") -> RosterFile:
    """Return the roster in a decoded file. A bad line has a `fault`. Errors: Invalid."""
    text = normalize_line_ends(text).lstrip("\ufeff")  # some programs write two byte order marks
    if len(text) > MAX_BYTES:  # in characters, so that no file that `decode` accepts is refused here
        raise Invalid(f"A roster may have {MAX_BYTES:,} characters at most; this file has more.")
    if "\0" in text:
        raise Invalid("This is not a CSV file: it has NUL characters.")
    hint = HINT.match(text)
    if hint:
        text = text[hint.end() :]
    separator = hint[1] if hint else _separator(text)
    rows = _rows(text, separator, first=2 if hint else 1)
    if not rows:
        raise Invalid("The file is empty.")
    header = [cell.strip() for cell in rows[0][1]]
    if len(header) > MAX_COLUMNS:
        raise Invalid(f"The first line names {len(header):,} columns; the limit is {MAX_COLUMNS:,}.")
    meaning = [_meaning(name) for name in header]
    if "username" not in meaning:
        raise Invalid(
            "The first line must name the columns, and one of them must be “username” (or “id”, as nbgrader calls it). "
            f"It is: {''.join(filter(str.isprintable, ', '.join(header)))[:200]}."
        )
    if repeated := {name for name in meaning if name and meaning.count(name) > 1}:
        raise Invalid(f"Two columns have the same meaning: {', '.join(sorted(repeated))}.")
    lines = tuple(_line(number, cells, meaning) for number, cells in rows[1:])
    pairs = list(zip(header, meaning, strict=True))
    return RosterFile(
        encoding,
        separator,
        columns=tuple(name for name, known in pairs if known),
        ignored=tuple(name for name, known in pairs if name and not known),
        lines=lines,
    )


def _separator(text: str) -> str:
    """Return the separator that splits the first line into the most known columns, then into the most columns."""
    first = next((line for line in text.split("\n") if line.strip()), "")[:10_000]

    def columns(separator: str) -> tuple[int, int]:
        cells = next(csv.reader([first], delimiter=separator), [])
        return sum(bool(_meaning(cell)) for cell in cells), len(cells)

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
                raise Invalid(f"A roster may have {MAX_LINES:,} lines at most; this file has more.")
            number = first + reader.line_num
    except csv.Error as error:
        raise Invalid(f"Line {number} cannot be read: {error}. Check its quotation marks.") from error
    return rows


def _meaning(name: str) -> str | None:
    """Return which of our columns a header means.

    >>> _meaning("First Name"), _meaning("E-Mail"), _meaning("lms_user_id")
    ('first_name', 'email', None)
    """
    letters = "".join(char for char in name.casefold() if char.isalpha())
    return next((column for column, names in COLUMN_NAMES.items() if letters in names), None)


def _line(number: int, cells: list[str], meaning: list[str | None]) -> CSVLine:
    values = {
        known: remove_guard(cell.strip()) for known, cell in zip(meaning, cells, strict=False) if known and cell.strip()
    }
    person = RosterEntry(values.pop("username", ""), (values.pop("role", "").lower() or None), **values)
    return CSVLine(number, person, _fault(person.username, cells[len(meaning) :]))


def _fault(username: str, surplus: list[str]) -> str:
    """Return why a line names nobody for certain, or an empty text."""
    if not username:
        return "names nobody"
    if any(map(str.strip, surplus)):
        return "has more cells than there are columns"
    try:
        services.check_name(username)
    except Invalid as error:
        return f"names nobody: {error.message.rstrip('.')}"
    return ""


def import_roster(
    course: Course, sheet: RosterFile, *, by: Actor, remove_others: bool = False, dry_run: bool = False
) -> tuple[RosterReport, list[LineOutcome]]:
    """Make the roster match the file; see roster.apply_roster. An empty cell changes nothing.

    Errors: Conflict when others are to be removed and the file has a faulty line or names nobody.
    """
    valid = [line for line in sheet.lines if not line.fault]
    if remove_others:
        _check_complete(sheet)
    report = roster.apply_roster(
        course,
        _ignore_trimmed(course, [line.person for line in valid]),
        by=by,
        remove_others=remove_others,
        dry_run=dry_run,
        source="CSV",
    )
    faulty = [
        LineOutcome(line.number, MemberChange(line.person.username, Result.REFUSED, line.fault))
        for line in sheet.lines
        if line.fault
    ]
    named = [LineOutcome(line.number, row) for line, row in zip(valid, report.rows, strict=False)]
    others = [LineOutcome(None, row) for row in report.rows[len(valid) :]]
    outcomes = sorted([*faulty, *named], key=lambda outcome: outcome.line or 0) + others
    return RosterReport([outcome.row for outcome in outcomes]), outcomes


def _check_complete(sheet: RosterFile) -> None:
    """Refuse a file from which somebody may be missing by mistake. Errors: Conflict."""
    if bad := [line for line in sheet.lines if line.fault]:
        raise Conflict(
            f"Line {bad[0].number} {bad[0].fault}. Correct or remove such lines before members that the file does not "
            "name are removed from the roster."
        )
    if not sheet.lines:
        raise Conflict("The file names nobody: with it, everybody would be removed from the roster.")


def _ignore_trimmed(course: Course, people: list[RosterEntry]) -> list[RosterEntry]:
    """Leave a stored value as it is where its cell differs only by spaces and line ends, which no cell keeps."""
    stored = {name: values for name, *values in course.memberships.values_list("user__username", *NAME_FIELDS)}

    def ignore_trimmed(person: RosterEntry) -> RosterEntry:
        values = zip(NAME_FIELDS, stored.get(person.username, ()), strict=False)
        unchanged: dict[str, Any] = {
            name: None for name, value in values if value and getattr(person, name) == trim_cell(value)
        }
        return replace(person, **unchanged)

    return [ignore_trimmed(person) for person in people]
