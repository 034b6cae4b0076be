"""Queries whose SQL Django builds once: for the few that every submission and every list makes.

Building the SQL of a query with some joins takes Django ten times as long as the database needs to answer it. A
prepared query is written like any other, as a function that returns a queryset. Its arguments are `Parameter`s, or
lists of them, whose values are given when it runs. (django-stubs knows no expressions in lists: they are `list[Any]`.)

    @prepared
    def members(course: Parameter, names: list[Any]) -> QuerySet[Membership]:
        return Membership.objects.filter(course=course, user__username__in=names)

    members.rows(course=1, names=["bob", "dave"])

Rows are inserted with `insert`, whose SQL is built once for each number of them.
"""

from collections.abc import Callable, Mapping, Sequence
from copy import copy
from datetime import datetime
from functools import cache
from typing import Any, Generic, TypeVar, cast

from django.core.exceptions import EmptyResultSet
from django.db import DEFAULT_DB_ALIAS, connection, connections, transaction
from django.db.models import Expression, Model, QuerySet
from django.db.models.constants import OnConflict
from django.db.models.expressions import DatabaseDefault
from django.db.models.sql import InsertQuery, UpdateQuery
from django.db.models.sql.compiler import SQLCompiler, SQLInsertCompiler

FEW = 16  # rows; where more are inserted at once, building the SQL is the smaller part
MOST = 1000  # rows in one statement

Row = TypeVar("Row")


class Parameter(Expression):
    """A value of a prepared query, of a type that the database takes as it is, or a datetime."""

    def __init__(self, name: str, place: int | None = None) -> None:
        super().__init__()
        self.name, self.place = name, place

    def as_sql(self, compiler: SQLCompiler, connection: object) -> tuple[str, Any]:
        return "%s", [self]

    def value(self, values: Mapping[str, Any]) -> object:
        """Return its value among those of one run. A list that is too short for its places repeats its last value."""
        found = values[self.name]
        if self.place is not None:
            found = found[min(self.place, len(found) - 1)]
        return connection.ops.adapt_datetimefield_value(found) if isinstance(found, datetime) else found


class _Statement:
    """There is one SQL text for each number of values in a list, rounded up to a power of two."""

    def __init__(self, build: Callable[..., Any]) -> None:
        self.build = build
        self._compiled: dict[tuple[tuple[str, int | None], ...], _Compiled | None] = {}

    def _compile(self, values: Mapping[str, Any]) -> "_Compiled | None":
        """Return the SQL for as many values as these; None where no row can fulfil the conditions."""
        shape = tuple((name, _places(value)) for name, value in values.items())
        if shape not in self._compiled:
            arguments = {
                name: Parameter(name) if count is None else [Parameter(name, place) for place in range(count)]
                for name, count in shape
            }
            try:
                self._compiled[shape] = _Compiled(self._queryset(self.build(**arguments)))
            except EmptyResultSet:
                self._compiled[shape] = None
        return self._compiled[shape]

    def _queryset(self, built: Any) -> QuerySet[Any, Any]:
        return cast(QuerySet[Any, Any], built)


class prepared(_Statement, Generic[Row]):  # a decorator
    """A query: the function returns the queryset."""

    def __init__(self, build: Callable[..., QuerySet[Any, Row]]) -> None:
        super().__init__(build)

    def rows(self, **values: Any) -> list[Row]:
        """Run the query and return its rows, as the queryset yields them."""
        compiled = self._compile(values)
        if compiled is None:
            return []
        template: Any = compiled.queryset
        bound = type(template)(template.model, _BoundQuery(compiled, values), template.db)
        bound._iterable_class, bound._fields = template._iterable_class, template._fields
        return list(bound)


class prepared_update(_Statement):  # a decorator
    """An UPDATE: the function returns the queryset and what to set, {field: value or expression}."""

    def __init__(self, build: Callable[..., tuple[QuerySet[Any], dict[str, object]]]) -> None:
        super().__init__(build)

    def run(self, **values: Any) -> int:
        """Return how many rows changed."""
        compiled = self._compile(values)
        if compiled is None:
            return 0
        with connection.cursor() as cursor:
            cursor.execute(compiled.sql, compiled.bind(values))
            return cursor.rowcount

    def _queryset(self, built: Any) -> QuerySet[Any, Any]:
        rows, changes = built
        query = rows.query.chain(UpdateQuery)
        query.add_update_values(changes)
        rows.query = query
        return cast(QuerySet[Any, Any], rows)


class _Compiled:
    def __init__(self, queryset: QuerySet[Any, Any]) -> None:
        self.queryset = queryset
        self.compiler = queryset.query.get_compiler(queryset.db)
        self.sql, self.params = self.compiler.as_sql()
        columns = [column for column, _, _ in self.compiler.select or ()]
        self.converters = self.compiler.get_converters(columns)

    def bind(self, values: Mapping[str, Any]) -> tuple[Any, ...]:
        return tuple(param.value(values) if isinstance(param, Parameter) else param for param in self.params)


class _BoundQuery:
    """The query of a queryset, whose compiler has the SQL already."""

    def __init__(self, compiled: _Compiled, values: Mapping[str, Any]) -> None:
        self._compiled, self._values = compiled, values

    def get_compiler(self, *arguments: object, **options: object) -> SQLCompiler:
        compiler: Any = copy(self._compiled.compiler)
        compiler.connection = connections[DEFAULT_DB_ALIAS]  # of this thread
        statement = self._compiled.sql, self._compiled.bind(self._values)
        compiler.as_sql = lambda *arguments, **options: statement
        compiler.get_converters = lambda expressions: self._compiled.converters
        return cast(SQLCompiler, compiler)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._compiled.queryset.query, name)


def _places(value: object) -> int | None:
    """Return how many parameters stand for a value; None for a single one."""
    if not isinstance(value, list):
        return None
    return 1 << (len(value) - 1).bit_length() if value else 0


def insert(rows: Sequence[Model], *, unique: Sequence[str] = (), update: Sequence[str] = ()) -> None:
    """Insert rows of one model, as bulk_create does, and give them the ids, unless they have some, and defaults of the
    database.

    Where a row has the same values in the fields `unique`, that one's fields `update` are set instead. SQLite before
    3.35 gives ids only to a row that is inserted alone, without `unique`.
    """
    if not rows:
        return
    model, returns_rows = type(rows[0]), connection.features.can_return_rows_from_bulk_insert
    left_out = {
        tuple(name for name, value in vars(row).items() if isinstance(value, DatabaseDefault))
        + (() if row.pk else (model._meta.pk.attname,))
        for row in rows
    }
    with transaction.mark_for_rollback_on_error(DEFAULT_DB_ALIAS):
        if not returns_rows and len(rows) == 1 and not unique:
            rows[0].save(force_insert=True)
        elif returns_rows and len(rows) <= FEW and len(left_out) == 1:
            _prepare_insert(model, len(rows), tuple(unique), tuple(update), *left_out).run(rows)
        else:
            model._base_manager.bulk_create(
                rows, MOST, update_conflicts=bool(unique), unique_fields=unique, update_fields=update
            )


@cache
def _prepare_insert(
    model: type[Model], count: int, unique: tuple[str, ...], update: tuple[str, ...], left_out: tuple[str, ...]
) -> "_Insert":
    return _Insert(model, count, unique, update, left_out)


class _Insert:
    """An INSERT of so many rows. `left_out`: fields whose value the database gives."""

    def __init__(
        self, model: type[Model], count: int, unique: Sequence[str], update: Sequence[str], left_out: Sequence[str]
    ) -> None:
        meta = model._meta
        has_id = meta.pk.attname not in left_out
        fields: list[Any] = [field for field in meta.local_concrete_fields if has_id or field is not meta.auto_field]
        self.fields = [field for field in fields if field.attname not in left_out]
        query = InsertQuery(
            model,
            on_conflict=OnConflict.UPDATE if unique else None,
            update_fields=[meta.get_field(name) for name in update],
            unique_fields=[meta.get_field(name) for name in unique],
        )
        template = model(**{field.attname: Parameter(field.attname) for field in self.fields})
        query.insert_values(fields, [template] * count, raw=True)  # the values, as they are
        compiler: Any = query.get_compiler(DEFAULT_DB_ALIAS)
        self.compiler: SQLInsertCompiler = compiler
        self.returned: list[Any] = list(meta.db_returning_fields)
        compiler.returning_fields = self.returned
        ((self.sql, self.params),) = compiler.as_sql()
        self.converters = compiler.get_converters([field.get_col(meta.db_table) for field in self.returned])

    def run(self, rows: Sequence[Model]) -> None:
        own = connections[DEFAULT_DB_ALIAS]  # of this thread
        values = (field.get_db_prep_save(field.pre_save(row, add=True), own) for row in rows for field in self.fields)
        params = [next(values) if isinstance(param, Parameter) else param for param in self.params]
        compiler: Any = copy(self.compiler)
        compiler.connection = own
        with own.cursor() as cursor:
            cursor.execute(self.sql, params)
            found = compiler.apply_converters(cursor.fetchall(), self.converters)
            for row, columns in zip(rows, found, strict=True):
                for field, value in zip(self.returned, columns, strict=True):
                    setattr(row, field.attname, value)
                row._state.adding, row._state.db = False, own.alias
