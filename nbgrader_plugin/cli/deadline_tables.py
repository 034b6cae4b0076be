"""Deadlines as tables, in the time zone of the course."""

from collections.abc import Sequence
from datetime import datetime, timezone, tzinfo

from ..client import times
from ..gradebook.deadline_sync import TO_SERVICE, Difference, Step
from ..gradebook.deadlines import AssignmentDeadlines, Extension, MemberDeadline, StateChange, Terms
from ..translation import gettext as _
from .output import render_table

MOST_SHOWN = 50  # people whose state changes
NONE = "–"


def render_time(moment: datetime | None, zone: tzinfo | None) -> str:
    """Return a time to the minute, with the name of the zone.

    >>> render_time(datetime(2026, 12, 1, 22, 59, tzinfo=timezone.utc), timezone.utc)
    '2026-12-01 22:59 UTC'
    """
    return times.for_reader(moment, zone or timezone.utc) if moment else NONE


def render_assignments(assignments: Sequence[AssignmentDeadlines], extended: Sequence[int], zone: tzinfo | None) -> str:
    """Return a line for each assignment, with the number of its extensions."""
    header = [_("assignment"), _("released"), _("due"), _("cut-off"), _("attempts"), _("extensions")]
    rows = [
        [found.name, render_release(found, zone), *_cells(found.terms, zone), count or NONE]
        for found, count in zip(assignments, extended, strict=True)
    ]
    return render_table(header, rows)


def render_release(found: AssignmentDeadlines, zone: tzinfo | None) -> str:
    if not found.is_released:
        return _("no")
    return _("from %(time)s") % {"time": render_time(found.release_at, zone)} if found.release_at else _("yes")


def render_assignment(
    found: AssignmentDeadlines,
    members: Sequence[MemberDeadline],
    extensions: Sequence[Extension],
    zone: tzinfo | None,
) -> str:
    """Return what is in force for everybody, and for each student for whom it is something else, with the reason.

    An extension that changes nothing for anybody, because something else is more generous, has a line as well.
    """
    others = [member for member in members if member.why]
    rows: list[list[object]] = [[_("everybody"), *_cells(found.terms, zone), ""]]
    rows += [[member.username, *_cells(member.terms, zone), member.why] for member in others]
    shown = {member.username for member in others} | {
        _("section %(section)s") % {"section": member.section} for member in others
    }
    for extension in extensions:
        if extension.whose not in shown:
            terms = Terms(extension.due, extension.cut_off, None)
            rows.append([extension.whose, *_cells(terms, zone), _("an extension that changes nothing")])
    return render_table([_("who"), _("due"), _("cut-off"), _("attempts"), _("why")], rows)


def _cells(terms: Terms, zone: tzinfo | None) -> list[object]:
    return [render_time(terms.due, zone), render_time(terms.cut_off, zone), terms.max_attempts or NONE]


def render_changes(changes: Sequence[StateChange]) -> str:
    """Return whose submissions, or chance to submit, change their state."""
    rows = [[change.student, change.before, change.after] for change in changes[:MOST_SHOWN]]
    table = render_table([_("student"), _("now"), _("then")], rows)
    more = len(changes) - len(rows)
    return "\n".join([table, _("… and %(count)s more") % {"count": more}]) if more else table


def render_sync(differences: Sequence[Difference], steps: Sequence[Step], zone: tzinfo | None) -> str:
    """Return both sides of each difference, and what is to be done about it."""
    to_do = {(step.assignment, step.student): _action(step, zone) for step in steps}
    rows = [
        [
            found.assignment,
            found.student or _("everybody"),
            render_time(found.in_service, zone),
            render_time(found.in_gradebook, zone),
            to_do.get((found.assignment, found.student), NONE),
        ]
        for found in differences
    ]
    return render_table([_("assignment"), _("who"), _("service"), _("gradebook"), _("to do")], rows)


def _action(step: Step, zone: tzinfo | None) -> str:
    sentence = _("service: due %(due)s") if step.side == TO_SERVICE else _("gradebook: due %(due)s")
    return sentence % {"due": render_time(step.due, zone)}
