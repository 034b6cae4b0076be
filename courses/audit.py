"""Writing the audit log: every service function that changes something adds one entry, in its own transaction."""

from courses.models import AuditEntry, Course
from courses.permissions import Actor


def record(
    action: str, *, by: Actor, role: str, course: Course | None = None, target: str = "", **details: object
) -> None:
    """Add an entry. `role` is the one under which the actor was allowed to act."""
    AuditEntry.objects.create(
        actor=by.username,
        role=role,
        action=action,
        course=course.name if course else "",
        target=target[:600],
        details=details,
    )
