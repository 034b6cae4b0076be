"""How far every member is, as a table: one line a member, one column an assignment, as in `ngshare course_status`."""

from collections.abc import Mapping, Sequence

from ..client import times
from ..client.records import as_list, as_mapping, text
from ..translation import gettext as _
from .output import render_table


def render_status(pages: Sequence[Mapping[str, object]]) -> str:
    """Return the table for the pages of `courses/{course}/status/` (docs/api.md)."""
    assignments = [as_mapping(row) for row in as_list(pages[0].get("assignments"))]
    names = [text(assignment, "name") for assignment in assignments]
    late_days = pages[0].get("late_days")  # how many each student has, if the course has a budget of them
    budget = [] if late_days is None else [_("late days")]
    lines = []
    for member in (as_mapping(row) for page in pages for row in as_list(page.get("members"))):
        work = {text(row, "assignment"): row for row in map(as_mapping, as_list(member.get("work")))}
        cells = [render_work(work.get(name, {})) for name in names]
        used = (
            [_("%(used)s of %(total)s") % {"used": member.get("late_days_used"), "total": late_days}] if budget else []
        )
        lines.append([text(member, "username"), _full_name(member), str(member.get("section") or ""), *used, *cells])
    sentences = [str(as_mapping(assignment.get("counts")).get("sentence")) for assignment in assignments]
    last = [_("submitted"), "", "", *("" for _column in budget), *sentences]
    return render_table([_("username"), _("name"), _("section"), *budget, *names], [*lines, last])


def _full_name(member: Mapping[str, object]) -> str:
    standing = f"({member['standing']})" if member.get("standing") else None
    return " ".join(str(part) for part in (member.get("first_name"), member.get("last_name"), standing) if part)


def render_work(work: Mapping[str, object]) -> str:
    """Return how far one member is with one assignment. Times are in UTC.

    >>> last = "2026-11-03T12:01:00.000000Z"
    >>> render_work({"state": "newer_than_feedback", "attempts": 2, "late": True, "last": last})
    '2026-11-03 12:01, late, newer than feedback, 2 attempts'
    >>> render_work({"state": "not_submitted", "attempts": 0, "late": False, "last": None})
    '-'
    """
    parts = ["-"]
    if work.get("last"):
        parts = [_minute(work["last"]), *([_("late")] if work.get("late") else [])]
        parts.append(_state_text(str(work.get("state"))))
        parts += [_("%(attempts)s attempts") % {"attempts": work["attempts"]}] if work.get("attempts") != 1 else []
    done = ", ".join(parts)
    if not work.get("extension"):
        return done
    due = {"due": _minute(work.get("due")), "extension": work["extension"]}
    return _("%(done)s (due %(due)s, %(extension)s)") % {"done": done, **due}


def _state_text(state: str) -> str:
    """Return a state of the service in words: those in English are its name with blanks."""
    words = {
        "not_submitted": _("not submitted"),
        "submitted": _("submitted"),
        "collected": _("collected"),
        "feedback_returned": _("feedback returned"),
        "newer_than_collected": _("newer than collected"),
        "newer_than_feedback": _("newer than feedback"),
    }
    return words.get(state, state.replace("_", " "))


def _minute(moment: object) -> str:
    return f"{times.from_server(moment):%Y-%m-%d %H:%M}"
