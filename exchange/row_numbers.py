"""The id that the next row of a table gets, for rows that contain a text which states their id."""

from typing import Any

from django.db.models import Expression, Model
from django.db.models.fields import BigIntegerField
from django.db.models.sql.compiler import SQLCompiler


class NextId(Expression):
    """The next id of a table, as a column of a query in the transaction that inserts the row.

    PostgreSQL gives each number out once. SQLite has one writer at a time, which is this transaction.
    """

    output_field = BigIntegerField()

    def __init__(self, model: type[Model]) -> None:
        super().__init__()
        self.table = model._meta.db_table

    def as_postgresql(self, compiler: SQLCompiler, connection: object) -> tuple[str, list[Any]]:
        return "nextval(pg_get_serial_sequence(%s, 'id'))", [self.table]

    def as_sqlite(self, compiler: SQLCompiler, connection: object) -> tuple[str, list[Any]]:
        return "COALESCE((SELECT seq FROM sqlite_sequence WHERE name = %s), 0) + 1", [self.table]
