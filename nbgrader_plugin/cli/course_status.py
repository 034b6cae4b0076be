"""How far everybody is, as a table: one line a member, one column an assignment."""

from collections.abc import Mapping
from typing import Any

from ..client.records import mapping, rows, text
from .output import table


def shown(answer: object) -> str:
    """The table for what `courses/{course}/status/` answers (docs/api.md)."""
    status = mapping(answer)
    assignments = [text(mapping(row), "name") for row in rows(status.get("assignments"))]
    lines = []
    for member in map(mapping, rows(status.get("members"))):
        work = {text(one, "assignment"): one for one in map(mapping, rows(member.get("work")))}
        name = " ".join(str(member[part]) for part in ("first_name", "last_name") if member.get(part))
        cells = [state(work.get(assignment, {})) for assignment in assignments]
        lines.append([text(member, "username"), name, str(member.get("section") or ""), *cells])
    return table(["student", "name", "section", *assignments], lines)


def state(work: Mapping[str, Any]) -> str:
    """How far one member is with one assignment.

    >>> state({"attempts": 2, "late": True, "collected": None, "feedback": None}), state({"attempts": 0})
    ('submitted (2 times, late)', '–')
    """
    attempts = work.get("attempts")
    if not attempts:
        return "–"
    reached = "feedback" if work.get("feedback") else "collected" if work.get("collected") else "submitted"
    remarks = ([f"{attempts} times"] if attempts != 1 else []) + (["late"] if work.get("late") else [])
    return f"{reached} ({', '.join(remarks)})" if remarks else reached
