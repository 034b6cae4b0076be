"""Many rows, a batch at a time: a database takes only so many values in one statement."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")
BATCH = 1000  # rows in one statement


def in_batches(items: Sequence[T], size: int | None = None) -> Iterator[Sequence[T]]:
    """Yield the items in their order, `size` or BATCH at a time."""
    size = size or BATCH
    for start in range(0, len(items), size):
        yield items[start : start + size]
