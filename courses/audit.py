"""Writing the audit log: every service function that changes something adds one entry, in its own transaction."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection
from django.db.models import Model
from django.db.transaction import TransactionManagementError

from courses import request_id
from courses.models import AuditEntry, Course
from courses.permissions import Actor
from courses.prepared import insert


def record(
    action: str,
    *,
    by: Actor,
    role: str,
    about: Model | type[Model],
    course: Course | None = None,
    target: str = "",
    **details: object,
) -> None:
    """Add an entry. `role` is the one under which the actor was allowed to act.

    `about` is the object whose history the entry belongs to; its class alone, where many were changed at once.
    """
    entry = AuditEntry(
        actor=by.username,
        actor_id=by.user.pk if by.user else None,
        role=role,
        action=action,
        course=course.name if course else "",
        course_id=course.pk if course else None,
        object_type=about._meta.model_name or "",
        object_id=None if isinstance(about, type) else about.pk,
        target=target[:600],
        details=details,
        request_id=request_id.current.get() or None,
    )
    insert([entry])


def known_actions() -> list[str]:
    """Return the actions of which the log has entries, in order.

    From one to the next through the index: `DISTINCT` would read the whole log.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH RECURSIVE known(action) AS (SELECT MIN(action) FROM courses_auditentry UNION ALL SELECT (SELECT "
            "MIN(action) FROM courses_auditentry WHERE action > known.action) FROM known WHERE action IS NOT NULL) "
            "SELECT action FROM known WHERE action IS NOT NULL"
        )
        return [action for (action,) in cursor.fetchall()]


@contextmanager
def allow_replacing_names() -> Iterator[None]:
    """Let the transaction that is open change the names in existing entries, for anonymising alone.

    The triggers of migration 0003 then accept other values of `actor`, `target` and `details`, and of nothing else. On
    PostgreSQL the permission is a setting that ends with the transaction. On SQLite it is a row that refers to an entry
    which does not exist: while it is there, the transaction cannot be committed.
    """
    if not connection.in_atomic_block:
        raise TransactionManagementError("Names in the audit log are replaced in a transaction.")
    is_postgres = connection.vendor == "postgresql"
    with connection.cursor() as cursor:
        if is_postgres:
            cursor.execute("SELECT set_config('ngshare.replace_names', 'on', true)")
        else:
            cursor.execute("INSERT INTO courses_auditunlock (entry_id) VALUES (-1)")
        yield
        # Where what is inside fails, the transaction is rolled back, and the permission with it.
        if is_postgres:
            cursor.execute("SELECT set_config('ngshare.replace_names', 'off', true)")
        else:
            cursor.execute("DELETE FROM courses_auditunlock")
