"""Transactions on SQLite: they begin one after the other, and are on the disk before anybody is told."""

import errno
import os
import shutil
import sqlite3
import threading
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from django.db import OperationalError, connection, transaction

from courses.database_errors import explain
from courses.database_sync import unsynced_transaction
from courses.errors import TryAgain
from courses.models import User
from ngshare_site.sqlite.turns import Turn

if connection.vendor == "sqlite":
    pytestmark = pytest.mark.django_db(transaction=True)

    def queue():
        return Path(connection.settings_dict["NAME"] + "-queue")

    def is_free():
        turn = Turn(queue())
        came = turn.wait(0)
        turn.end()
        return came

    @pytest.fixture
    def other():
        """Another connection, which does not wait."""
        other = connection.copy()
        other.settings_dict["OPTIONS"]["timeout"] = 0
        yield other
        other.close()

    @contextmanager
    def transaction_of(other):
        other.ensure_connection()
        other._start_transaction_under_autocommit()
        yield
        other.rollback()

    def level():
        with connection.cursor() as cursor:
            return cursor.execute("PRAGMA synchronous").fetchone()[0]

    def test_turn_lasts_as_long_as_the_transaction():
        with transaction.atomic():
            assert not is_free()
            with transaction.atomic():
                User.objects.create(username="bob")
            assert not is_free()
        assert is_free() and User.objects.exists()

    def test_failure_ends_the_turn():
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            raise ZeroDivisionError
        assert is_free() and level() == 2

    def test_connection_that_is_closed_ends_its_turn():
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            connection.close()
            assert is_free()
            raise ZeroDivisionError
        assert is_free() and level() == 2

    def test_who_waited_in_vain_hears_it_from_sqlite(other):
        with transaction.atomic():
            with pytest.raises(OperationalError, match="locked"), transaction_of(other):
                pass
            assert not is_free()
        assert is_free()

    def test_writer_outside_the_queue_is_respected(other):
        other.connect()
        other.connection.execute("BEGIN IMMEDIATE")
        connection.close()
        with pytest.MonkeyPatch.context() as patch:
            patch.setitem(connection.settings_dict["OPTIONS"], "timeout", 0)
            with pytest.raises(OperationalError, match="locked"), transaction.atomic():
                pass
        assert is_free()
        other.connection.rollback()

    def test_single_statement_does_not_queue():
        turn = Turn(queue())
        assert turn.wait(0)
        try:
            User.objects.create(username="bob")
        finally:
            turn.end()
        assert level() == 2

    def test_next_one_begins_when_the_first_one_ends():
        ours = threading.Event()

        def write():
            with transaction.atomic():
                ours.set()
            connection.close()

        thread = threading.Thread(target=write)
        with transaction.atomic():
            thread.start()
            assert not ours.wait(0.05)
        thread.join(60)
        assert ours.is_set()

    @pytest.fixture
    def synced(monkeypatch):
        """What was synced, and whether the next one could begin before."""
        found = []
        monkeypatch.setattr(
            os, "fdatasync", lambda file: found.append((os.readlink(f"/proc/self/fd/{file}"), is_free()))
        )
        return found

    def test_commit_is_on_the_disk_before_anybody_is_told_but_the_next_one_may_begin(synced):
        told = []
        with transaction.atomic():
            User.objects.create(username="bob")
            transaction.on_commit(lambda: told.append(len(synced)))
        assert synced == [(connection.settings_dict["NAME"] + "-wal", True)] and told == [1]

    def test_who_rolls_back_may_tell_what_others_have_committed(synced):
        with transaction.atomic():
            transaction.set_rollback(True)
        assert synced == [(connection.settings_dict["NAME"] + "-wal", True)]

    @pytest.fixture
    def failing_disk(monkeypatch):
        def fail(file):
            raise OSError(5, "Input/output error")

        monkeypatch.setattr(os, "fdatasync", fail)

    def test_commits_leave_a_log_that_the_disk_does_not_take(failing_disk, tmp_path):
        with transaction.atomic():
            User.objects.create(username="bob")
        copy = shutil.copy(connection.settings_dict["NAME"], tmp_path)  # without the log
        with closing(sqlite3.connect(copy)) as found:
            assert found.execute("SELECT username FROM courses_user").fetchall() == [("bob",)]

    def test_disk_that_fails_is_an_error_where_commits_cannot_leave_the_log(failing_disk, other):
        other.connect()
        other.connection.execute("BEGIN")
        other.connection.execute("SELECT * FROM courses_user").fetchall()
        with pytest.MonkeyPatch.context() as patch:
            patch.setitem(connection.settings_dict["OPTIONS"], "timeout", 0)
            with pytest.raises(OperationalError, match="disk I/O error"), transaction.atomic():
                User.objects.create(username="bob")
        other.connection.rollback()
        assert is_free() and not connection.in_atomic_block

    def test_commit_that_cannot_open_the_log_is_told_as_busy(monkeypatch, other):
        other.connect()
        other.connection.execute("BEGIN")
        other.connection.execute("SELECT * FROM courses_user").fetchall()
        open_file = os.open

        def open_no_log(path, *arguments):
            if str(path).endswith("-wal"):
                raise OSError(errno.EMFILE, "Too many open files")
            return open_file(path, *arguments)

        monkeypatch.setattr(os, "open", open_no_log)
        monkeypatch.setitem(connection.settings_dict["OPTIONS"], "timeout", 0)
        with pytest.raises(OperationalError) as caught, transaction.atomic():
            User.objects.create(username="bob")
        other.connection.rollback()
        assert isinstance(explain(caught.value), TryAgain)
        assert is_free() and not connection.in_atomic_block

    def test_unsynced_transaction_leaves_it_to_the_next_one(synced):
        with unsynced_transaction():
            User.objects.create(username="bob")
        assert synced == []
        with transaction.atomic():
            with unsynced_transaction():
                User.objects.create(username="alice")
        assert len(synced) == 1
