"""What `nbgrader submit` says about the deadline, before it sends and after the receipt has come."""

from collections.abc import Iterator
from datetime import datetime, timedelta, tzinfo

from ..client import times
from ..client.records import Deadline
from ..translation import gettext as _
from ..translation import ngettext

SOON = timedelta(minutes=5)


def warnings_before(assignment: str, deadline: Deadline, now: datetime, zone: tzinfo | None) -> Iterator[str]:
    """Yield sentences about a submission that is about to be sent."""
    today = now.astimezone(zone).date()
    if deadline.due and now > deadline.due:
        due = times.for_reader(deadline.due, zone, today=today)
        sentence = _("%(assignment)s was due %(due)s: what you submit now is late.")
        if deadline.extended:
            sentence = _("%(assignment)s was due %(due)s (extended): what you submit now is late.")
        yield sentence % {"assignment": assignment, "due": due}
    if deadline.attempts_left == 1:
        yield _("This is your last attempt for %(assignment)s.") % {"assignment": assignment}
    if deadline.cut_off and now <= deadline.cut_off <= now + SOON:
        minutes = -((now - deadline.cut_off) // timedelta(minutes=1))  # rounded up
        closes = times.for_reader(deadline.cut_off, zone, today=today)
        yield ngettext(
            "%(assignment)s closes at %(closes)s, in %(minutes)s minute.",
            "%(assignment)s closes at %(closes)s, in %(minutes)s minutes.",
            minutes,
        ) % {"assignment": assignment, "closes": closes, "minutes": minutes}


def sentences_after(assignment: str, deadline: Deadline, zone: tzinfo | None) -> Iterator[str]:
    """Yield sentences about what is left after a submission, of which `deadline` does not know yet."""
    if deadline.attempts_left is not None:
        left = max(deadline.attempts_left - 1, 0)
        sentence = ngettext(
            "You have %(left)s attempt left for %(assignment)s.",
            "You have %(left)s attempts left for %(assignment)s.",
            left,
        )
        if left == 0:
            sentence = _("You have no attempts left for %(assignment)s.")
        yield sentence % {"assignment": assignment, "left": left}
    if deadline.cut_off:
        yield _("%(assignment)s closes at %(closes)s.") % {
            "assignment": assignment,
            "closes": times.for_reader(deadline.cut_off, zone),
        }
