"""Rows by the million: they are collected, and written together in the order of their references."""

from collections import Counter, defaultdict
from typing import TypeVar

from django.core.management.color import no_style
from django.db import connection, transaction
from django.db.models import Model

from courses.models import AuditEntry, Course, Membership, User
from exchange.models import Assignment, Blob, Feedback, FileEntry, FileSet, Release, Submission

M = TypeVar("M", bound=Model)

ORDER: tuple[type[Model], ...] = (
    *(User, Course, Membership, Blob, FileSet, FileEntry),
    *(Assignment, Release, Submission, Feedback, AuditEntry),
)
AT_ONCE = 50_000  # rows in one transaction


class Rows:
    """Collects rows and gives them primary keys, so that others can refer to them before they are written."""

    def __init__(self) -> None:
        self.counts: Counter[type[Model]] = Counter()
        self._waiting: dict[type[Model], list[Model]] = defaultdict(list)

    def add(self, row: M) -> M:
        model = type(row)
        self.counts[model] += 1
        row.pk = self.counts[model]
        self._waiting[model].append(row)
        return row

    def write_if_many(self) -> None:
        """Write, if there is enough for a transaction. Call it when each row's references have been added."""
        if sum(map(len, self._waiting.values())) >= AT_ONCE:
            self.write()

    def write(self) -> None:
        with transaction.atomic():
            for model in ORDER:
                model._default_manager.bulk_create(self._waiting.pop(model, []), batch_size=2000)

    def finish(self) -> None:
        """Write what is left, and let the database give out primary keys after those that were given here."""
        self.write()
        with connection.cursor() as cursor:
            for statement in connection.ops.sequence_reset_sql(no_style(), list(ORDER)):
                cursor.execute(statement)
