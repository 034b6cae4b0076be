"""Rosters as CSV, in and out.

What comes in is what spreadsheets, learning platforms and nbgrader write: any of the usual separators and encodings,
column names in any case. What goes out is read back unchanged. A cell that a spreadsheet would take for a formula is
written with an apostrophe in front, which reading takes off again.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from courses import rosters
from courses.errors import Conflict, Invalid
from courses.models import Course, Membership, Role, User
from courses.rosters import Person, Report, Result, Row

MAX_BYTES = 5_000_000
MAX_LINES = 20_000
SEPARATORS = {";": "semicolons", ",": "commas", "\t": "tabs", "|": "bars"}
COLUMNS = ("username", "first_name", "last_name", "email", "section", "role")
FOR_NBGRADER = ("id", "first_name", "last_name", "email", "lms_user_id")

# What a column may be called, in small letters and without anything but letters.
KNOWN_AS = {
    "username": {"username", "user", "id", "studentid", "login", "loginid", "sisloginid"},
    "first_name": {"firstname", "givenname"},
    "last_name": {"lastname", "surname", "familyname"},
    "email": {"email", "mail", "emailaddress"},
    "section": {"section"},
    "role": {"role"},
}
FORMULA = re.compile(r"'*[=+\-@\t\r]")


@dataclass(frozen=True)
class Line:
    """One line of the file that says something: of whom, or why that cannot be told."""

    number: int  # in the file, from 1
    person: Person
    fault: str = ""


@dataclass(frozen=True)
class Sheet:
    """A file as it was understood."""

    encoding: str
    separator: str
    columns: tuple[str, ...]  # that were read, as the file calls them
    ignored: tuple[str, ...]  # and those that were not
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Outcome:
    """What happens to one person; `line` is None for those whom the file does not name."""

    line: int | None
    row: Row


# In


def read(content: bytes) -> Sheet:
    """Errors: Invalid, with a sentence, for what is no such table at all. Single bad lines are told in the lines."""
    if len(content) > MAX_BYTES:
        raise Invalid(f"The file has {len(content)} bytes, the limit is {MAX_BYTES}.")
    text, encoding = _decoded(content)
    if "\0" in text:
        raise Invalid("This is no CSV file: it has NUL characters.")
    hint = re.match(r"sep=([;,\t|])\n", text)  # Excel's own way to say it
    if hint:
        text = text[hint.end() :]
    separator = hint[1] if hint else _separator(text)
    rows = _rows(text, separator, first=2 if hint else 1)
    if not rows:
        raise Invalid("The file is empty.")
    header = [cell.strip() for cell in rows[0][1]]
    meaning = [_meaning(name) for name in header]
    if "username" not in meaning:
        raise Invalid(
            "The first line must name the columns, and one of them must be “username” (or “id”, as nbgrader calls it). "
            f"It says: {', '.join(header)[:200]}."
        )
    if twice := {name for name in meaning if name and meaning.count(name) > 1}:
        raise Invalid(f"Two columns say the same: {', '.join(sorted(twice))}.")
    lines = tuple(_line(number, cells, meaning) for number, cells in rows[1:])
    if len(lines) > MAX_LINES:
        raise Invalid(f"The file has {len(lines)} lines, the limit is {MAX_LINES}.")
    pairs = list(zip(header, meaning, strict=True))
    return Sheet(
        encoding,
        separator,
        columns=tuple(name for name, known in pairs if known),
        ignored=tuple(name for name, known in pairs if name and not known),
        lines=lines,
    )


def text_of(content: bytes) -> str:
    """Errors: Invalid."""
    return _decoded(content)[0]


def _decoded(content: bytes) -> tuple[str, str]:
    """The text, with line ends as "\\n", and how it was encoded.

    >>> _decoded("naïve".encode("cp1252"))
    ('naïve', 'Latin-1')
    """
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings = [("utf-16", "UTF-16")]
    else:
        # Windows' own form of Latin-1 first; a few bytes mean nothing in it.
        encodings = [("utf-8-sig", "UTF-8"), ("cp1252", "Latin-1"), ("latin-1", "Latin-1")]
    for codec, name in encodings:
        try:
            text = content.decode(codec)
        except UnicodeDecodeError:
            continue
        return text.replace("\r\n", "\n").replace("\r", "\n"), name
    raise Invalid("The file's text cannot be read. Save it as “CSV UTF-8”.")


def _separator(text: str) -> str:
    """The one by which the first line falls into the most columns that are known."""
    first = next((line for line in text.split("\n") if line.strip()), "")[:10_000]

    def columns_known(separator: str) -> int:
        cells = next(csv.reader([first], delimiter=separator), [])
        return sum(bool(_meaning(cell)) for cell in cells)

    return max(SEPARATORS, key=columns_known)


def _rows(text: str, separator: str, *, first: int) -> list[tuple[int, list[str]]]:
    """(line number, cells) of the lines that are not empty."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    rows = []
    number = first
    try:
        for cells in reader:
            if any(map(str.strip, cells)):
                rows.append((number, cells))
            number = first + reader.line_num
    except csv.Error as error:
        raise Invalid(f"Line {reader.line_num} cannot be read: {error}.") from error
    return rows


def _meaning(name: str) -> str | None:
    """Which of our columns a header means.

    >>> _meaning("First Name"), _meaning("E-Mail"), _meaning("lms_user_id")
    ('first_name', 'email', None)
    """
    letters = "".join(char for char in name.casefold() if char.isalpha())
    return next((ours for ours, names in KNOWN_AS.items() if letters in names), None)


def _line(number: int, cells: list[str], meaning: list[str | None]) -> Line:
    said = {
        known: _unguarded(cell.strip()) for known, cell in zip(meaning, cells, strict=False) if known and cell.strip()
    }
    person = Person(said.pop("username", ""), (said.pop("role", "").lower() or None), **said)
    if not person.username:
        return Line(number, person, "names nobody")
    if any(map(str.strip, cells[len(meaning) :])):
        return Line(number, person, "has more cells than there are columns")
    return Line(number, person)


def apply(
    course: Course, sheet: Sheet, *, by: User | None, remove_others: bool = False, dry_run: bool = False
) -> tuple[Report, list[Outcome]]:
    """Bring the roster to what the file says; see rosters.apply. An empty cell leaves what is there.

    Errors: Conflict when others are to be removed and it cannot be told from every line whom it names.
    """
    if remove_others and (bad := [line for line in sheet.lines if line.fault]):
        raise Conflict(
            f"Line {bad[0].number} {bad[0].fault}. Mend or remove such lines before members that the file does not "
            "name are taken off the roster."
        )
    good = [line for line in sheet.lines if not line.fault]
    report = rosters.apply(
        course,
        [line.person for line in good],
        by=by,
        remove_others=remove_others,
        dry_run=dry_run,
        source="CSV",
    )
    faulty = [
        Outcome(line.number, Row(line.person.username, Result.REFUSED, line.fault))
        for line in sheet.lines
        if line.fault
    ]
    named = [Outcome(line.number, row) for line, row in zip(good, report.rows, strict=False)]
    others = [Outcome(None, row) for row in report.rows[len(good) :]]
    outcomes = sorted([*faulty, *named], key=lambda outcome: outcome.line or 0) + others
    return Report([outcome.row for outcome in outcomes]), outcomes


# Out


def roster(members: QuerySet[Membership]) -> Iterator[list[str]]:
    """The rows of a roster, the columns' names first. One query, whatever the size."""
    yield list(COLUMNS)
    names = ("user__username", *COLUMNS[1:])
    for row in members.order_by("user__username").values_list(*names).iterator(chunk_size=2000):
        yield [value or "" for value in row]


def roster_for_nbgrader(members: QuerySet[Membership]) -> Iterator[list[str]]:
    """The students as `nbgrader db student import` reads them (nbgrader/apps/dbapp.py)."""
    yield list(FOR_NBGRADER)
    students = members.filter(role=Role.STUDENT).order_by("user__username")
    for row in students.values_list("user__username", *FOR_NBGRADER[1:4]).iterator(chunk_size=2000):
        yield [*(value or "" for value in row), ""]


def written(rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    """The lines of a CSV file (RFC 4180), as they are made."""
    line = io.StringIO()
    writer = csv.writer(line)
    for row in rows:
        writer.writerow([_guarded(str(cell)) for cell in row])
        yield line.getvalue()
        line.seek(0)
        line.truncate()


def _guarded(cell: str) -> str:
    """What no spreadsheet takes for a formula (OWASP, “CSV injection”).

    >>> _guarded("=1+1"), _guarded("ann"), _unguarded(_guarded("'-x"))
    ("'=1+1", 'ann', "'-x")
    """
    return f"'{cell}" if FORMULA.match(cell) else cell


def _unguarded(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and FORMULA.match(cell) else cell
