"""Pages of assignments, which bring notebooks, and of submissions, which bring files.

The database finds which rows there are; what they bring is read by their primary keys, with SQL that is built once.
"""

from typing import Any

from django.db.models import QuerySet
from rest_framework.request import Request
from rest_framework.views import APIView

from courses.api.pagination import Pages
from courses.permissions import actor_of
from exchange import queries
from exchange.models import Assignment, Submission

Row = dict[str, int]  # a primary key

MAX_FILES = 10_000  # on one page; a single submission may have more


class Keys(list[Row]):
    """Primary keys that have been read, sorted, where a page could be cut from a queryset."""

    def values(self, *fields: str) -> "Keys":
        return self

    def order_by(self, *fields: str) -> "Keys":
        return self


class AssignmentPages(Pages):
    def paginate_queryset(  # type: ignore[override]  # of any model
        self, queryset: QuerySet[Assignment] | Keys, request: Request, view: APIView | None = None
    ) -> list[Assignment]:
        rows: Any = queryset.values("pk")
        page: list[Row] = super().paginate_queryset(rows, request, view) or []
        self.page = queries.load_assignments([row["pk"] for row in page], actor_of(request))
        return self.page


class SubmissionPages(Pages):
    """Pages that end early where their submissions, with the feedback on them, would have more than MAX_FILES files.

    What a page brings is read when it is known where the page ends.
    """

    def paginate_queryset(  # type: ignore[override]  # of any model
        self, queryset: QuerySet[Submission], request: Request, view: APIView | None = None
    ) -> list[Submission]:
        rows: Any = queryset.values("pk")
        page = self._cut(super().paginate_queryset(rows, request, view) or [])
        with_files = view is not None and view.with_files  # type: ignore[attr-defined]
        self.page = queries.load_details([row["pk"] for row in page], files=with_files)
        return self.page

    def _cut(self, page: list[Row]) -> list[Row]:
        """Return the part of the page that is next to the cursor, and let the links continue there."""
        backwards = self.cursor is not None and self.cursor.reverse
        rows = page[::-1] if backwards else page
        length = _bounded_length(rows)
        if length == len(rows):
            return page
        position = self._get_position_from_instance(rows[length], self.ordering)
        if backwards:
            self.has_previous, self.previous_position = True, position
            return page[-length:]
        self.has_next, self.next_position = True, position
        return page[:length]


def _bounded_length(rows: list[Row]) -> int:
    """Return how many of the first rows have MAX_FILES files together, at least one."""
    counts = queries.file_counts([row["pk"] for row in rows])
    total = 0
    for place, row in enumerate(rows):
        total += counts.get(row["pk"], 0)
        if place and total > MAX_FILES:
            return place
    return len(rows)
