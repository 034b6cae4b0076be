"""Import a roster from CSV; tables.py says which files are read."""

from dataclasses import dataclass, replace
from typing import Any

from courses import roster, services
from courses.csv_writer import trim_cell
from courses.errors import Conflict, Invalid
from courses.importers import tables
from courses.importers.tables import Row
from courses.models import Course
from courses.permissions import Actor
from courses.roster import MemberChange, Result, RosterReport
from courses.services import NAME_FIELDS, RosterEntry

# The names that a column may have, reduced to lowercase letters.
COLUMN_NAMES = {
    "username": {"username", "user", "id", "studentid", "login", "loginid", "sisloginid"},
    "first_name": {"firstname", "givenname"},
    "last_name": {"lastname", "surname", "familyname"},
    "email": {"email", "mail", "emailaddress"},
    "section": {"section"},
    "role": {"role"},
}


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
    return read_text(*tables.decode(content))


def read_text(text: str, encoding: str = "") -> RosterFile:
    """Return the roster in a decoded file. A bad line has a `fault`. Errors: Invalid."""
    table = tables.read_table(text, COLUMN_NAMES, ["username"], hint="“username” (or “id”, as nbgrader calls it)")
    lines = tuple(map(_line, table.rows))
    return RosterFile(encoding, table.separator, tuple(table.columns.values()), table.ignored, lines)


def _line(row: Row) -> CSVLine:
    values = dict(row.values)
    person = RosterEntry(values.pop("username", ""), (values.pop("role", "").lower() or None), **values)
    return CSVLine(row.number, person, _fault(person.username, row.has_surplus))


def _fault(username: str, has_surplus: bool) -> str:
    """Return why a line names nobody for certain, or an empty text."""
    if not username:
        return "names nobody"
    if has_surplus:
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
