"""How far every member is, as a table: one line a member, one column an assignment."""

from collections.abc import Mapping

from ..client.records import as_list, as_mapping, text
from .output import render_table


def render_status(response: object) -> str:
    """Return the table for the response of `courses/{course}/status/` (docs/api.md)."""
    status = as_mapping(response)
    assignments = [text(as_mapping(row), "name") for row in as_list(status.get("assignments"))]
    lines = []
    for member in map(as_mapping, as_list(status.get("members"))):
        progress = {text(row, "assignment"): row for row in map(as_mapping, as_list(member.get("work")))}
        name = " ".join(str(member[part]) for part in ("first_name", "last_name") if member.get(part))
        cells = [render_progress(progress.get(assignment, {})) for assignment in assignments]
        lines.append([text(member, "username"), name, str(member.get("section") or ""), *cells])
    return render_table(["student", "name", "section", *assignments], lines)


def render_progress(progress: Mapping[str, object]) -> str:
    """Return how far one member is with one assignment.

    >>> render_progress({"attempts": 2, "late": True, "collected": None, "feedback": None})
    'submitted (2 times, late)'
    >>> render_progress({"attempts": 0})
    '–'
    """
    attempts = progress.get("attempts")
    if not attempts:
        return "–"
    reached = "feedback" if progress.get("feedback") else "collected" if progress.get("collected") else "submitted"
    remarks = ([f"{attempts} times"] if attempts != 1 else []) + (["late"] if progress.get("late") else [])
    return f"{reached} ({', '.join(remarks)})" if remarks else reached
