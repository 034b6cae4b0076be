"""Errors of the database that a caller can do something about: what is over in a moment, and a full disk."""

import errno
import sqlite3
from collections.abc import Collection

from django.db import DatabaseError, InterfaceError, OperationalError
from django.utils.translation import gettext as _

from courses.errors import DomainError, StorageFull, TryAgain

# SQLITE_CANTOPEN: the process is out of file handles; the file was there when the service started.
SQLITE_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL, sqlite3.SQLITE_CANTOPEN}
OUT_OF_HANDLES = {errno.EMFILE, errno.ENFILE}
# https://www.postgresql.org/docs/current/errcodes-appendix.html; the first two characters are the class.
CONNECTION_LOST = "08"
POSTGRES_BUSY = {
    "40001",  # serialization_failure
    "40P01",  # deadlock_detected
    "53300",  # too_many_connections
    "55P03",  # lock_not_available
    "57P01",  # admin_shutdown
    "57P02",  # crash_shutdown
    "57P03",  # cannot_connect_now
}
POSTGRES_FULL = {"53100"}  # disk_full
FOREIGN_KEY_VIOLATION = "23503"


def explain(error: DatabaseError | InterfaceError) -> DomainError | None:
    """Return what to tell of a temporary error or a full disk. None for any other: a bug, or a broken database."""
    if _is(error, sqlite={sqlite3.SQLITE_FULL}, postgres=POSTGRES_FULL):
        return StorageFull(_("The server's disk is full. Nothing was changed; tell an administrator of ngshare."))
    is_busy = _is(error, sqlite=SQLITE_BUSY, postgres=POSTGRES_BUSY) or is_out_of_handles(error.__cause__)
    if is_busy or _is_connection_lost(error):
        return TryAgain(_("The database is busy. Try again in a moment."))
    return None


def is_out_of_handles(error: BaseException | None) -> bool:
    """Return whether this process, or the machine, has as many files and connections open as it may: for a moment."""
    return isinstance(error, OSError) and error.errno in OUT_OF_HANDLES


def is_reference_to_removed(error: DatabaseError) -> bool:
    """Return whether a row refers to one that another transaction has just removed."""
    return _is(error, sqlite={sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY}, postgres={FOREIGN_KEY_VIOLATION})


def _is(error: Exception, *, sqlite: Collection[int], postgres: Collection[str]) -> bool:
    cause = error.__cause__
    if isinstance(cause, sqlite3.Error):
        code = getattr(cause, "sqlite_errorcode", None)  # an extended code, with the primary one in its low byte
        return code is not None and (code in sqlite or code & 0xFF in sqlite)
    return getattr(cause, "pgcode", None) in postgres


def _is_connection_lost(error: Exception) -> bool:
    """Return whether PostgreSQL was not reached or went away, which mostly has no code."""
    cause = error.__cause__
    if not hasattr(cause, "pgcode"):
        return False
    if code := getattr(cause, "pgcode", None):
        return str(code).startswith(CONNECTION_LOST)
    return isinstance(error, OperationalError) or (isinstance(error, InterfaceError) and "closed" in str(cause))
