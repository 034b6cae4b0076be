"""Django's database backend for SQLite, made for many writers at once.

Transactions queue (turns.py) instead of asking SQLite again and again, and let the next one begin before they wait for
the disk. Nobody is told of a commit before it is on the disk.
"""

import os
from pathlib import Path

from django.db import DatabaseError, OperationalError
from django.db.backends.sqlite3 import base

from ngshare_site.sqlite.turns import Turn

DEFAULT_TIMEOUT = 5.0  # seconds; sqlite3's own


class DatabaseWrapper(base.DatabaseWrapper):
    """SQLite's own lock decides as ever: the queue is only a queue before it.

    A single statement outside a transaction does not queue, and SQLite itself syncs it.
    """

    syncs_commits = True  # what is False here is on the disk with a later commit

    _turn: Turn | None = None

    def _start_transaction_under_autocommit(self) -> None:
        if self.is_in_memory_db() or self.transaction_mode != "IMMEDIATE":  # type: ignore[attr-defined]
            super()._start_transaction_under_autocommit()  # type: ignore[misc]  # Django's stubs leave it out
            return
        self._turn = Turn(Path(f"{self.settings_dict['NAME']}-queue"))
        timeout = self.settings_dict["OPTIONS"].get("timeout", DEFAULT_TIMEOUT)
        is_its_turn = self._turn.wait(timeout)
        try:
            self._set("synchronous", "NORMAL")  # which writes to the log (-wal) only: _commit syncs it
            self._set("busy_timeout", int(timeout * 1000) if is_its_turn else 0)  # it has waited already
            super()._start_transaction_under_autocommit()  # type: ignore[misc]  # Django's stubs leave it out
        except BaseException:
            self._end_turn()
            raise

    def _commit(self) -> None:
        super()._commit()  # type: ignore[misc]  # Django's stubs leave it out
        if self._end_turn() and self.syncs_commits:
            self._sync_log()

    def _rollback(self) -> None:
        super()._rollback()  # type: ignore[misc]  # Django's stubs leave it out
        if self._end_turn():
            self._sync_log()  # it may have read, and may tell of, what others have committed

    def _close(self) -> None:
        try:
            super()._close()  # type: ignore[misc]  # Django's stubs leave it out
        finally:
            self._leave_queue()

    def _end_turn(self) -> bool:
        """Return whether a transaction of the queue has ended."""
        if self._turn is None:
            return False
        self._leave_queue()
        try:
            self._set("synchronous", "FULL")
        except DatabaseError:
            self.close()  # no single statement may run like this
            raise
        return True

    def _leave_queue(self) -> None:
        if self._turn:
            self._turn.end()
            self._turn = None

    def _sync_log(self) -> None:
        """Wait until the disk has all commits. A checkpoint has synced those that it moved from the log."""
        try:
            log = os.open(f"{self.settings_dict['NAME']}-wal", os.O_RDWR)
            try:
                os.fdatasync(log)
            finally:
                os.close(log)
        except OSError as error:
            self._copy_log(error)

    def _copy_log(self, error: OSError) -> None:
        """Move all commits to the database file: what was not synced once, the system may never write to the log.

        Errors: OperationalError.
        """
        with self.wrap_database_errors:
            is_blocked, _, _ = self.connection.execute("PRAGMA wal_checkpoint(FULL)").fetchone()
        if is_blocked:
            raise OperationalError("disk I/O error") from error

    def _set(self, pragma: str, value: str | int) -> None:
        with self.wrap_database_errors:
            self.connection.execute(f"PRAGMA {pragma} = {value}")
