"""Lists of the admin that stay fast however many rows there are.

The keys of a page are found first, and what is shown of its rows is read for those alone: a database that sorts or
skips rows would otherwise count and join for each of them. A list of very many rows is counted up to `MAX_COUNT`.
"""

from typing import TYPE_CHECKING, Any

from django.contrib.admin.views import main
from django.core.paginator import Paginator
from django.db.models import Count, Model, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.utils.functional import cached_property

MAX_COUNT = 10_000  # rows that are counted, and that the pages of a list lead to

if TYPE_CHECKING:
    RowPaginator = Paginator[Any]
else:
    RowPaginator = Paginator


class CappedPaginator(RowPaginator):
    """Pages of a queryset of at most `MAX_COUNT` rows."""

    @cached_property
    def first_keys(self) -> list[int]:
        """The primary keys of the first page, and of one row more."""
        return list(self.object_list.values_list("pk", flat=True)[: self.per_page + 1])  # type: ignore[attr-defined]

    @cached_property
    def _count(self) -> int:
        if len(self.first_keys) <= self.per_page:
            return len(self.first_keys)
        return self.object_list.order_by().values("pk")[: MAX_COUNT + 1].count()  # type: ignore[attr-defined]

    @cached_property
    def count(self) -> int:
        return min(self._count, MAX_COUNT)

    @property
    def is_capped(self) -> bool:
        """Whether there are more rows than `count` says."""
        return self._count > MAX_COUNT


class ChangeList(main.ChangeList):
    """Django's list, whose rows are read by the keys of the page."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        if self.page_num == 1 and not (self.show_all and self.can_show_all):
            keys = self.paginator.first_keys[: self.list_per_page]
        else:
            keys = list(self.result_list.values_list("pk", flat=True))
        rows = self.root_queryset.filter(pk__in=keys)
        if not rows.query.select_related:
            rows = self.apply_select_related(rows)
        self.result_list = rows.order_by(*self.queryset.query.order_by)


def count_of(model: type[Model], column: str, condition: Q | None = None) -> Coalesce:
    """Count the rows of the model whose foreign key is a row, in a subquery: joins would multiply."""
    rows = model._default_manager.filter(condition or Q(), **{column: OuterRef("pk")}).order_by().values(column)
    return Coalesce(Subquery(rows.annotate(count=Count("pk")).values("count")), 0)
