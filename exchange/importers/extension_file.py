"""Extensions of an assignment as CSV: many are granted at once, and those that there are can be downloaded.

Times are in ISO 8601 with an offset, or without one in the zone of the course.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from django.db.models import Q
from django.utils.translation import gettext as _

from courses.csv_writer import write_rows
from courses.errors import DomainError, Invalid
from courses.importers import tables
from courses.importers.tables import Row
from courses.timestamps import in_zone, parse_iso
from exchange import services
from exchange.models import Assignment
from exchange.services import Grant

T = TypeVar("T")
COLUMNS = ("username", "section", "due", "cut_off", "attempts", "reason")
NAMES = {
    "username": {"username", "user", "id", "studentid", "login"},
    "section": {"section"},
    "due": {"due", "duedate"},
    "cut_off": {"cutoff"},
    "attempts": {"attempts", "furtherattempts"},
    "reason": {"reason"},
}


class Fault(Exception):
    """What is wrong with a line, or with a cell of it."""

    def __init__(self, row: Row, message: str, column: str = "") -> None:
        text = _("Line %(number)s, column %(column)s: %(fault)s.") if column else _("Line %(number)s: %(fault)s.")
        super().__init__(text % {"number": row.number, "column": column, "fault": message.rstrip(".")})


@dataclass
class ExtensionFile:
    """A file that was read. Where there is a fault, nothing of it is granted."""

    grants: list[Grant] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


def read(assignment: Assignment, text: str) -> ExtensionFile:
    """Return the extensions in a decoded file. Errors: Invalid if the file is no such table."""
    table = tables.read_table(text, NAMES, ("username", "section"), hint=_("“username” or “section”"))
    members = list(assignment.course.memberships.order_by().values_list("user__username", "section"))
    people, sections = {username for username, _section in members}, {section for _name, section in members}
    file, seen = ExtensionFile(), dict[str, int]()
    for row in table.rows:
        try:
            grant = _grant(assignment, row, people, sections)
            if (other := seen.setdefault(grant.whose, row.number)) != row.number:
                raise Fault(row, _("%(whose)s is in line %(line)s already") % {"whose": grant.whose, "line": other})
        except Fault as fault:
            file.faults.append(str(fault))
        else:
            file.grants.append(grant)
    if not table.rows:
        raise Invalid(_("The file names nobody."))
    return file


def _grant(assignment: Assignment, row: Row, people: set[str], sections: set[str]) -> Grant:
    """Errors: Fault."""
    zone = assignment.course.zone
    if row.has_surplus:
        raise Fault(row, _("has more cells than there are columns"))
    username, section = row.values.get("username"), row.values.get("section")
    if username and username not in people:
        fault = _("%(student)s is not a member of %(course)s")
        raise Fault(row, fault % {"student": username, "course": assignment.course.name}, "username")
    if section and section not in sections:
        fault = _("nobody is in section %(section)s of %(course)s")
        raise Fault(row, fault % {"section": section, "course": assignment.course.name}, "section")

    def time(text: str) -> datetime:
        return parse_iso(text, zone)

    grant = Grant(
        username,
        section,
        due=_cell(row, "due", time, None),
        cut_off=_cell(row, "cut_off", time, None),
        attempts=_cell(row, "attempts", _number, 0),
        reason=row.values.get("reason", ""),
    )
    try:
        services.check_grant(grant)
        services.check_has_effect(assignment, grant)
    except DomainError as error:
        raise Fault(row, error.message) from error
    return grant


def _cell(row: Row, column: str, parse: Callable[[str], T], empty: T) -> T:
    """Errors: Fault."""
    try:
        return parse(row.values[column]) if column in row.values else empty
    except Invalid as error:
        raise Fault(row, error.message, column) from error


def _number(text: str) -> int:
    if not (text.isdecimal() and len(text) <= 6):
        raise Invalid(_("%(text)r is not a number") % {"text": text[:40]})
    return int(text)


def export(assignment: Assignment) -> Iterator[str]:
    """Yield the extensions of the assignment as CSV, which `read` takes again."""
    zone = assignment.course.zone
    members = assignment.course.memberships.order_by()
    present = Q(user__in=members.values("user")) | Q(section__in=members.values("section"))
    rows = assignment.extensions.filter(present).select_related("user").order_by("section", "user__username")
    return write_rows(
        [
            COLUMNS,
            *(
                (
                    each.user.username if each.user else "",
                    each.section or "",
                    in_zone(each.due, zone) if each.due else None,
                    in_zone(each.cut_off, zone) if each.cut_off else None,
                    each.attempts or "",
                    each.reason,
                )
                for each in rows
            ),
        ]
    )
