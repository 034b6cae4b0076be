"""A roster as CSV: for the importer, which reads it back unchanged, and for nbgrader."""

from collections.abc import Iterator
from itertools import chain

from django.db.models import QuerySet

from courses.csv_writer import is_formula, write_rows
from courses.models import Membership, Role
from courses.services import NAME_FIELDS

COLUMNS = ("username", *NAME_FIELDS, "role")
NBGRADER_COLUMNS = ("id", "first_name", "last_name", "email")


def export_roster(members: QuerySet[Membership]) -> Iterator[str]:
    """Return the lines of a roster, with the names of the columns first.

    One query, whatever the size, which has ended before the first line: a slow client may read them.
    """
    rows = members.order_by("user__username").values_list("user__username", *COLUMNS[1:])
    return write_rows(chain([COLUMNS], rows))


def export_for_nbgrader(members: QuerySet[Membership]) -> Iterator[str]:
    """Return the students as `nbgrader db student import` reads them (nbgrader/apps/dbapp.py).

    A student whose user name a spreadsheet would take for a formula is left out: nbgrader would read a guarding
    apostrophe as a part of the name, and add a student of that name; it adds the student itself when it autogrades.
    nbgrader would read an empty column as the wish to delete what it knows, so `lms_user_id` is left out, too.
    """
    students = members.filter(role=Role.STUDENT).order_by("user__username")
    rows = students.values_list("user__username", *NBGRADER_COLUMNS[1:])
    safe = (row for row in rows if not is_formula(row[0]))
    return write_rows(chain([NBGRADER_COLUMNS], safe))
