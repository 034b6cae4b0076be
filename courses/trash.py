"""Permanent deletion of what is in the trash, for the service functions of every app.

The bytes that nothing names any more are deleted with the next garbage collection (`manage.py sweep_blobs`).
"""

from django.apps import apps
from django.db.models import Model
from django.utils import translation
from django.utils.translation import gettext as _

from courses import audit
from courses.errors import Conflict
from courses.models import Course
from courses.permissions import Actor


def delete_row(
    row: Model, *, is_in_trash: bool, by: Actor, role: str, course: Course, target: str, **details: str
) -> dict[str, int]:
    """Delete a row that the caller has locked, with all that depends on it, and add an entry to the audit log.

    Return how many rows of each kind were deleted: {"submissions": 12, …}. Errors: Conflict.
    """
    if not is_in_trash:
        raise Conflict(_("%(row)s is not in the trash; only what is there can be deleted permanently.") % {"row": row})
    pk, kind = row.pk, row._meta.verbose_name_raw
    counts = row.delete()[1]
    row.pk = pk  # which Django has just taken away; the audit log goes on naming it
    with translation.override(None):  # the log is in English, whoever acts
        deleted = {
            str(apps.get_model(label)._meta.verbose_name_plural): count for label, count in counts.items() if count
        }
    action = f"delete {kind} permanently"
    audit.record(action, by=by, role=role, about=row, course=course, target=target, pk=pk, deleted=deleted, **details)
    return deleted
