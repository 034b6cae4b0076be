"""Import a roster from CSV.

It reads what spreadsheets, learning platforms and nbgrader write: any of the usual separators and encodings, column
names in any case. The apostrophe by which csv_writer.py guards a formula is removed. Spaces around a value are ignored.
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

# What a column may be called, in small letters and without anything but letters.
KNOWN_AS = {
    "username": {"username", "user", "id", "studentid", "login", "loginid", "sisloginid"},
    "first_name": {"firstname", "givenname"},
    "last_name": {"lastname", "surname", "familyname"},
    "email": {"email", "mail", "emailaddress"},
    "section": {"section"},
    "role": {"role"},
}
HINT = re.compile(r"sep=([;,\t|])\n", re.IGNORECASE)  # how Excel itself names the separator


@dataclass(frozen=True)
class CSVLine:
    """One line of the file that says something: of whom, or why that cannot be told."""

    number: int  # in the file, from 1
    person: RosterEntry
    fault: str = ""


@dataclass(frozen=True)
class RosterFile:
    """A roster file that was read."""

    encoding: str
    separator: str
    columns: tuple[str, ...]  # that were read, as the file calls them
    ignored: tuple[str, ...]  # and those that were not
    lines: tuple[CSVLine, ...]


@dataclass(frozen=True)
class LineOutcome:
    """What happens to one person; `line` is None for those whom the file does not name."""

    line: int | None
    row: MemberChange


def read(content: bytes) -> RosterFile:
    """Errors: Invalid, with a sentence, for what is no such table at all. A single bad line has a `fault`."""
    return read_text(*decode(content))


def decode(content: bytes) -> tuple[str, str]:
    """The text, with line ends as "\\n", and how it was encoded. Errors: Invalid.

    >>> decode("naïve".encode("cp1252"))
    ('naïve', 'Latin-1')
    """
    if len(content) > MAX_BYTES:
        raise Invalid(f"A roster may have {MAX_BYTES:,} bytes at most; this file has more.")
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings = [("utf-16", "UTF-16")]
    else:
        # Windows' own form of Latin-1 first; a few bytes mean nothing in it.
        encodings = [("utf-8-sig", "UTF-8"), ("cp1252", "Latin-1"), ("latin-1", "Latin-1")]
    for codec, name in encodings:
        try:
            return normalize_line_ends(content.decode(codec)), name
        except UnicodeDecodeError:
            continue
    raise Invalid("The file's text cannot be read. Save it as “CSV UTF-8”.")


def read_text(text: str, encoding: str = "") -> RosterFile:
    """The same for a file that was decoded before. Errors: Invalid."""
    text = normalize_line_ends(text).lstrip("\ufeff")  # some programs put the mark of another in front of their own
    if len(text) > MAX_BYTES:  # characters, so that no file that could be decoded is refused here
        raise Invalid(f"A roster may have {MAX_BYTES:,} characters at most; this file has more.")
    if "\0" in text:
        raise Invalid("This is no CSV file: it has NUL characters.")
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
            f"It says: {''.join(filter(str.isprintable, ', '.join(header)))[:200]}."
        )
    if twice := {name for name in meaning if name and meaning.count(name) > 1}:
        raise Invalid(f"Two columns say the same: {', '.join(sorted(twice))}.")
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
    """The one by which the first line falls into the most columns that are known, then into the most at all."""
    first = next((line for line in text.split("\n") if line.strip()), "")[:10_000]

    def columns(separator: str) -> tuple[int, int]:
        cells = next(csv.reader([first], delimiter=separator), [])
        return sum(bool(_meaning(cell)) for cell in cells), len(cells)

    return max(SEPARATORS, key=columns)


def _rows(text: str, separator: str, *, first: int) -> list[tuple[int, list[str]]]:
    """(line number, cells) of the lines that are not empty. A cell may go on over several lines; its first one counts.

    Strictly: a quotation mark that nobody closes would swallow all lines after it.
    """
    lines = io.StringIO(text, newline="")
    reader = csv.reader(lines, delimiter=separator, skipinitialspace=True, strict=True)
    rows = []
    number = first
    try:
        for cells in reader:
            if any(map(str.strip, cells)):
                rows.append((number, cells))
            if len(rows) > MAX_LINES + 1:  # the columns' names are one of them
                raise Invalid(f"A roster may have {MAX_LINES:,} lines at most; this file has more.")
            number = first + reader.line_num
    except csv.Error as error:
        raise Invalid(f"Line {number} cannot be read: {error}. Look at its quotation marks.") from error
    return rows


def _meaning(name: str) -> str | None:
    """Which of our columns a header means.

    >>> _meaning("First Name"), _meaning("E-Mail"), _meaning("lms_user_id")
    ('first_name', 'email', None)
    """
    letters = "".join(char for char in name.casefold() if char.isalpha())
    return next((ours for ours, names in KNOWN_AS.items() if letters in names), None)


def _line(number: int, cells: list[str], meaning: list[str | None]) -> CSVLine:
    said = {
        known: remove_guard(cell.strip()) for known, cell in zip(meaning, cells, strict=False) if known and cell.strip()
    }
    person = RosterEntry(said.pop("username", ""), (said.pop("role", "").lower() or None), **said)
    return CSVLine(number, person, _fault(person.username, cells[len(meaning) :]))


def _fault(username: str, surplus: list[str]) -> str:
    """Why it cannot be told whom a line names, if so."""
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
    """Bring the roster to what the file says; see roster.apply_roster. An empty cell leaves what is there.

    Errors: Conflict when others are to be removed and it cannot be told from every line whom it names, or from none.
    """
    good = [line for line in sheet.lines if not line.fault]
    if remove_others:
        _check_it_is_whole(sheet)
    report = roster.apply_roster(
        course,
        _unless_kept(course, [line.person for line in good]),
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
    named = [LineOutcome(line.number, row) for line, row in zip(good, report.rows, strict=False)]
    others = [LineOutcome(None, row) for row in report.rows[len(good) :]]
    outcomes = sorted([*faulty, *named], key=lambda outcome: outcome.line or 0) + others
    return RosterReport([outcome.row for outcome in outcomes]), outcomes


def _check_it_is_whole(sheet: RosterFile) -> None:
    """Errors: Conflict for a file that somebody may be missing from by mistake."""
    if bad := [line for line in sheet.lines if line.fault]:
        raise Conflict(
            f"Line {bad[0].number} {bad[0].fault}. Mend or remove such lines before members that the file does not "
            "name are removed from the roster."
        )
    if not sheet.lines:
        raise Conflict("The file names nobody: with it, everybody would be removed from the roster.")


def _unless_kept(course: Course, people: list[RosterEntry]) -> list[RosterEntry]:
    """Where a value that is kept differs from the cell by what no cell carries, the cell says nothing of it."""
    kept = {name: values for name, *values in course.memberships.values_list("user__username", *NAME_FIELDS)}

    def unless_kept(person: RosterEntry) -> RosterEntry:
        values = zip(NAME_FIELDS, kept.get(person.username, ()), strict=False)
        alike: dict[str, Any] = {
            name: None for name, value in values if value and getattr(person, name) == trim_cell(value)
        }
        return replace(person, **alike)

    return [unless_kept(person) for person in people]
