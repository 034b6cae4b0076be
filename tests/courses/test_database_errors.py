"""Which errors of the database are told as temporary, with errors of the real database."""

import sqlite3

import pytest
from django.db import DatabaseError, InterfaceError, OperationalError, connection, transaction

from courses.database_errors import explain
from courses.errors import StorageFull, TryAgain
from courses.models import Course
from tests import cast


def error_of(statement, other=connection):
    with pytest.raises(DatabaseError) as caught, transaction.atomic(), other.cursor() as cursor:
        cursor.execute(statement)
    return caught.value


def test_mistake_is_no_temporary_error(db):
    assert explain(error_of("SELECT nonsense FROM nowhere")) is None


def test_constraint_is_no_temporary_error(db):
    assert explain(error_of("INSERT INTO courses_course (id, name) VALUES (1, NULL)")) is None


if connection.vendor == "sqlite":

    def test_statement_that_is_too_deep_is_no_temporary_error(db):
        assert explain(error_of("SELECT " + " OR ".join(["1 = 1"] * 2000))) is None

    @pytest.mark.parametrize(
        ("code", "kind"),
        [
            (sqlite3.SQLITE_BUSY, TryAgain),
            (sqlite3.SQLITE_BUSY_SNAPSHOT, TryAgain),
            (sqlite3.SQLITE_LOCKED, TryAgain),
            (sqlite3.SQLITE_FULL, StorageFull),
            (sqlite3.SQLITE_CORRUPT, type(None)),
            (sqlite3.SQLITE_ERROR, type(None)),
        ],
    )
    def test_code_of_sqlite_decides(code, kind):
        cause = sqlite3.OperationalError("as SQLite says")
        cause.sqlite_errorcode = code
        error = OperationalError()
        error.__cause__ = cause
        assert type(explain(error)) is kind

    def test_locked_database_is_busy(tmp_path):
        path = tmp_path / "locked.sqlite3"
        with sqlite3.connect(path, isolation_level=None) as holder:
            holder.execute("BEGIN EXCLUSIVE")
            waiting = sqlite3.connect(path, timeout=0)
            with pytest.raises(sqlite3.OperationalError) as caught:
                waiting.execute("BEGIN IMMEDIATE")
            waiting.close()
        error = OperationalError()
        error.__cause__ = caught.value
        assert isinstance(explain(error), TryAgain)

    def test_full_disk_is_said(tmp_path):
        small = sqlite3.connect(tmp_path / "small.sqlite3")
        small.execute("PRAGMA max_page_count = 2")
        small.execute("CREATE TABLE t (x)")
        with pytest.raises(sqlite3.OperationalError) as caught:
            small.execute("INSERT INTO t VALUES (zeroblob(100000))")
        small.close()
        error = OperationalError()
        error.__cause__ = caught.value
        assert isinstance(explain(error), StorageFull)


if connection.vendor == "postgresql":

    @pytest.fixture
    def other():
        """Another connection, as that of another process."""
        other = connection.copy()
        yield other
        other.close()

    @pytest.mark.django_db(transaction=True)
    def test_lock_that_is_not_available_is_busy(other):
        cast.make_courses()
        with transaction.atomic():
            list(Course.objects.select_for_update())
            assert isinstance(explain(error_of("SELECT 1 FROM courses_course FOR UPDATE NOWAIT", other)), TryAgain)

    @pytest.mark.django_db(transaction=True)
    def test_connection_that_is_cut_is_busy(other):
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            (pid,) = cursor.fetchone()
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s)", [pid])
        errors = []
        for _ in range(2):  # it is noticed, and then it is closed
            with pytest.raises((DatabaseError, InterfaceError)) as caught:
                other.cursor().execute("SELECT 1")
            errors.append(caught.value)
        assert all(isinstance(explain(error), TryAgain) for error in errors)

    @pytest.mark.django_db(transaction=True)
    def test_server_that_is_not_there_is_busy(other):
        other.settings_dict["HOST"], other.settings_dict["PORT"] = "127.0.0.1", "1"
        with pytest.raises(OperationalError) as caught:
            other.ensure_connection()
        assert isinstance(explain(caught.value), TryAgain)
