"""Writing the audit log: every verb that changes something adds one line, in its own transaction."""

from typing import Any

from courses.models import AuditEntry, Course, User


def record(
    action: str, *, by: User | None, role: str, course: Course | None = None, target: str = "", **details: Any
) -> None:
    """Add a line. `by` is None for a command on the server; `role` is the one under which the act was allowed."""
    AuditEntry.objects.create(
        actor=by.username if by else "",
        role=role,
        action=action,
        course=course.name if course else "",
        target=target[:600],
        details=details,
    )
