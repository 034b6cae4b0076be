"""Transactions that do not wait for the disk. What they write is seen at once; nothing else becomes like them."""

import pytest
from django.db import connection, transaction

from courses.database_sync import unsynced_transaction
from courses.models import User

pytestmark = pytest.mark.django_db(transaction=True)
IS_SQLITE = connection.vendor == "sqlite"
SETTING = "PRAGMA synchronous" if IS_SQLITE else "SHOW synchronous_commit"
UNSYNCED, SYNCED = (1, 2) if IS_SQLITE else ("off", "on")


def setting():
    with connection.cursor() as cursor:
        cursor.execute(SETTING)
        return cursor.fetchone()[0]


def test_commit_does_not_wait_and_later_ones_do():
    assert setting() == SYNCED
    with unsynced_transaction():
        assert setting() == UNSYNCED and connection.in_atomic_block
        User.objects.create(username="bob")
    assert setting() == SYNCED and not connection.in_atomic_block
    assert User.objects.exists()


def test_failure_rolls_back_and_later_commits_wait():
    with pytest.raises(ZeroDivisionError), unsynced_transaction():
        User.objects.create(username="bob")
        raise ZeroDivisionError
    assert setting() == SYNCED and not User.objects.exists()


def test_part_of_another_transaction_is_as_safe_as_that():
    with transaction.atomic():
        with unsynced_transaction():
            User.objects.create(username="bob")
            assert IS_SQLITE or setting() == SYNCED  # SQLite: tests/ngshare_site/sqlite
        transaction.set_rollback(True)
    assert not User.objects.exists()
