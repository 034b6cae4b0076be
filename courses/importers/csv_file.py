"""Import a roster from CSV; tables.py says which files are read."""

from dataclasses import dataclass, replace
from typing import Any

from django.utils.translation import gettext as _

from courses import roster, services
from courses.csv_writer import trim_cell
from courses.errors import Conflict, Invalid
from courses.importers import roster_columns, tables
from courses.importers.roster_columns import COLUMN_NAMES, HINT, UNCHOSEN, ColumnChoice
from courses.importers.tables import Row, Sheet
from courses.models import Course
from courses.permissions import Actor
from courses.roster import MemberChange, Result, RosterReport
from courses.services import NAME_FIELDS, RosterEntry


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
    left_out: tuple[tuple[int, str], ...] = ()  # lines that are about nobody, with what they are


@dataclass(frozen=True)
class LineOutcome:
    """What happens to one member; `line` is None for those whom the file does not name."""

    line: int | None
    row: MemberChange


def read(content: bytes, choice: ColumnChoice = UNCHOSEN) -> RosterFile:
    """Return the roster in the file. A bad line has a `fault`. Errors: Invalid if the file is no such table."""
    return read_text(*tables.decode(content), choice)


def read_text(text: str, encoding: str = "", choice: ColumnChoice = UNCHOSEN) -> RosterFile:
    """Return the roster in a decoded file. A bad line has a `fault`. Errors: Invalid."""
    return read_sheet(tables.read_sheet(text, COLUMN_NAMES), encoding, choice)


def read_sheet(sheet: Sheet, encoding: str = "", choice: ColumnChoice = UNCHOSEN) -> RosterFile:
    """Return the roster in the cells of a file. Errors: UnclearColumns, Invalid."""
    roster_columns.check_clear(sheet, choice)
    table = tables.name_columns(sheet, COLUMN_NAMES, ["username"], hint=str(HINT), chosen=choice.for_sheet(sheet))
    left_out = roster_columns.lines_about_nobody(sheet)
    lines = tuple(_line(row, choice) for row in table.rows if row.number not in left_out)
    columns = tuple(dict.fromkeys(table.columns.values()))
    return RosterFile(encoding, table.separator, columns, table.ignored, lines, tuple(left_out.items()))


def _line(row: Row, choice: ColumnChoice) -> CSVLine:
    values = dict(row.values)
    username = values.pop("username", "")
    if choice.before_at:
        username = username.partition("@")[0]
    names = roster_columns.split_name(values.pop("name", ""))
    person = RosterEntry(username, (values.pop("role", "").lower() or None), **{**names, **values})
    return CSVLine(row.number, person, _fault(person.username, row.has_surplus))


def _fault(username: str, has_surplus: bool) -> str:
    """Return why a line names nobody for certain, or an empty text."""
    if not username:
        return _("names nobody")
    if has_surplus:
        return _("has more cells than there are columns")
    try:
        services.check_name(username)
    except Invalid as error:
        return _("names nobody: %(reason)s") % {"reason": error.message.rstrip(".")}
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
        text = _(
            "Line %(line)d %(fault)s. Correct or remove such lines before members that the file does not name are "
            "removed from the roster."
        )
        raise Conflict(text % {"line": bad[0].number, "fault": bad[0].fault})
    if not sheet.lines:
        raise Conflict(_("The file names nobody: with it, everybody would be removed from the roster."))


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
