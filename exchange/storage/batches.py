"""Many rows, a batch at a time: a database takes only so many values in one statement."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

from django.db.models import Model, QuerySet

T = TypeVar("T")
Row = TypeVar("Row", bound=Model)
BATCH = 1000  # rows in one statement


def in_batches(items: Sequence[T], size: int | None = None) -> Iterator[Sequence[T]]:
    """Yield the items in their order, `size` or BATCH at a time."""
    size = size or BATCH
    for start in range(0, len(items), size):
        yield items[start : start + size]


def read_rows(rows: QuerySet[Row], pks: Sequence[int], size: int) -> Iterator[Row]:
    """Yield the rows of these keys in their order, `size` of them at a time, without those that are gone meanwhile.

    No query is open while whoever gets them sends them to a slow client.
    """
    for batch in in_batches(pks, size):
        found = rows.in_bulk(batch)
        yield from (found.pop(pk) for pk in batch if pk in found)
