"""Transactions whose commit does not wait for the disk, for what is needed only until a later commit."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction


@contextmanager
def unsynced_transaction() -> Iterator[None]:
    """Open a transaction that others see as soon as it is committed, and that a power cut may take.

    It survives the end of the process. It is on disk, too, as soon as any later transaction is. Inside another
    transaction it is a part of that one.
    """
    if connection.in_atomic_block:
        with transaction.atomic():
            yield
    elif connection.vendor == "postgresql":
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL synchronous_commit = off")
            yield
    else:
        with _without_sync(), transaction.atomic():
            yield


@contextmanager
def _without_sync() -> Iterator[None]:
    """Let ngshare_site/sqlite sync SQLite's log with the next commit after these only."""
    connection.syncs_commits = False  # type: ignore[attr-defined]  # ngshare_site/sqlite
    try:
        yield
    finally:
        connection.syncs_commits = True  # type: ignore[attr-defined]  # ngshare_site/sqlite
