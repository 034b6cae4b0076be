"""What `nbgrader submit` says about the deadline, before it sends and after the receipt has come."""

from collections.abc import Iterator
from datetime import datetime, timedelta, tzinfo

from ..client import times
from ..client.records import Deadline

SOON = timedelta(minutes=5)


def warnings_before(assignment: str, deadline: Deadline, now: datetime, zone: tzinfo | None) -> Iterator[str]:
    """Yield sentences about a submission that is about to be sent."""
    today = now.astimezone(zone).date()
    if deadline.due and now > deadline.due:
        extended = " (extended)" if deadline.extended else ""
        due = times.for_reader(deadline.due, zone, today=today)
        yield f"{assignment} was due {due}{extended}: what you submit now is late."
    if deadline.attempts_left == 1:
        yield f"This is your last attempt for {assignment}."
    if deadline.cut_off and now <= deadline.cut_off <= now + SOON:
        minutes = -((now - deadline.cut_off) // timedelta(minutes=1))  # rounded up
        closes = times.for_reader(deadline.cut_off, zone, today=today)
        yield f"{assignment} closes at {closes}, in {minutes} minute{'' if minutes == 1 else 's'}."


def sentences_after(assignment: str, deadline: Deadline, zone: tzinfo | None) -> Iterator[str]:
    """Yield sentences about what is left after a submission, of which `deadline` does not know yet."""
    if deadline.attempts_left is not None:
        left = max(deadline.attempts_left - 1, 0)
        yield f"You have {left or 'no'} attempt{'' if left == 1 else 's'} left for {assignment}."
    if deadline.cut_off:
        yield f"{assignment} closes at {times.for_reader(deadline.cut_off, zone)}."
