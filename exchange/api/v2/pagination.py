"""Pages of submissions, which bring files."""

from django.db.models import QuerySet
from rest_framework.request import Request
from rest_framework.views import APIView

from courses.api.pagination import Pages
from exchange import queries
from exchange.models import Submission

MAX_FILES = 10_000  # on one page; a single submission may have more


class SubmissionPages(Pages):
    """Pages that end early where their submissions, with the feedback on them, would have more than MAX_FILES files."""

    def paginate_queryset(  # type: ignore[override]  # of any model
        self, queryset: QuerySet[Submission], request: Request, view: APIView | None = None
    ) -> list[Submission]:
        page: list[Submission] = super().paginate_queryset(queryset, request, view) or []
        self.page = self._cut(page)
        queries.load_files(self.page, files=view is not None and view.with_files)  # type: ignore[attr-defined]
        return self.page

    def _cut(self, page: list[Submission]) -> list[Submission]:
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


def _bounded_length(rows: list[Submission]) -> int:
    """Return how many of the first rows have MAX_FILES files together, at least one."""
    total = 0
    for place, submission in enumerate(rows):
        feedback = queries.current_feedback(submission)
        total += submission.file_set.file_count + (feedback.file_set.file_count if feedback else 0)
        if place and total > MAX_FILES:
            return place
    return len(rows)
