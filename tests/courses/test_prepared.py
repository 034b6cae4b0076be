"""Queries whose SQL is built once."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import Count, F, Q, QuerySet
from django.db.models.sql.compiler import SQLInsertCompiler
from django.db.transaction import TransactionManagementError
from django.utils import timezone

from courses.models import Course, Membership, User
from courses.prepared import FEW, Parameter, insert, prepared, prepared_update
from exchange.models import Blob
from tests import cast

NAMES = ["alice", "gina", "bob", "dave"]


@pytest.fixture
def builds():
    return []


@pytest.fixture
def members(course, builds):
    @prepared
    def query(role: Parameter, names: list[Any]) -> QuerySet[Membership]:
        builds.append(len(names))
        rows = Membership.objects.select_related("user", "course").order_by("pk")
        return rows.filter(role=role, user__username__in=names, course__removed_at=None)

    return query


@pytest.mark.parametrize("names", [NAMES[:count] for count in range(5)])
def test_rows_are_those_of_the_queryset(members, names, django_assert_num_queries):
    wanted = list(members.build("student", names))
    with django_assert_num_queries(1 if names else 0):
        rows = members.rows(role="student", names=names)
        assert rows == wanted and [row.user.username for row in rows] == [row.user.username for row in wanted]
        assert all(row.course.name == cast.COURSE and row.created.tzinfo for row in rows)


def test_sql_is_built_once_for_lists_of_about_the_same_length(members, builds):
    for names in (["bob"], ["dave"], NAMES[:3], NAMES, ["nobody", "dave", "alice"]):
        expected = {"bob", "dave"} & set(names)
        assert {row.user.username for row in members.rows(role="student", names=names)} == expected
    assert members.rows(role="grader", names=NAMES)[0].user.username == "gina"
    assert builds == [1, 4]


def test_values_come_as_from_the_queryset_and_times_go_in(course):
    @prepared
    def query(user: Parameter, since: Parameter) -> QuerySet[Membership, dict[str, object]]:
        rows = Membership.objects.filter(user__username=user).order_by().values("role", "created")
        return rows.annotate(recent=Count("pk", filter=Q(created__gt=since)))

    member = Membership.objects.get(user__username="bob")
    for hours, recent in ((-1, 1), (1, 0)):
        since = timezone.now() + timedelta(hours=hours)
        assert query.rows(user="bob", since=since) == [{"role": "student", "created": member.created, "recent": recent}]
    assert query.rows(user=None, since=since) == []


def test_update_says_how_many_rows_changed(course):
    @prepared_update
    def add(pks: list[Any], size: Parameter) -> tuple[QuerySet[Course], dict[str, object]]:
        return Course.objects.filter(pk__in=pks), {"stored_bytes": F("stored_bytes") + size}

    assert add.run(pks=[course.pk], size=3) == add.run(pks=[course.pk, -1], size=4) == 1
    assert add.run(pks=[], size=5) == 0
    course.refresh_from_db()
    assert course.stored_bytes == 7
    assert Course.objects.get(name=cast.ELSEWHERE).stored_bytes == 0


@pytest.mark.django_db(transaction=True)
def test_query_that_one_thread_has_built_runs_in_others():
    @prepared
    def query(name: Parameter) -> QuerySet[User]:
        return User.objects.filter(username=name)

    User.objects.create(username="bob")
    found = [query.rows(name="bob")]

    def run():
        found.append(query.rows(name="bob"))
        connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert [user.username for rows in found for user in rows] == ["bob", "bob"]


@pytest.fixture
def new_people():
    def make(count: int) -> list[User]:
        return [User(username=f"new{number}") for number in range(count)]

    return make


@pytest.mark.parametrize("count", [0, 1, 2, FEW, FEW + 1])
def test_inserted_rows_get_ids_and_what_the_database_gives(course, new_people, count):
    people = new_people(count)
    insert(people)
    rows = [Membership(course=course, user=user, role="student", section="a") for user in people]
    insert(rows)
    found = list(Membership.objects.filter(section="a").order_by("pk"))
    assert [row.pk for row in rows] == [row.pk for row in found] and len(found) == count
    for row, stored in zip(rows, found, strict=True):
        assert row.created == stored.created and row.created.tzinfo
        assert row.user.username == stored.user.username and not row._state.adding and row._state.db


@pytest.mark.parametrize("count", [1, 2, FEW + 1])
def test_inserted_rows_keep_ids_that_they_have(course, count):
    rows = [User(pk=1000 + number, username=f"new {number}") for number in range(count)]
    insert(rows)
    assert [row.pk for row in rows] == [1000 + number for number in range(count)]
    assert [User.objects.get(pk=row.pk).username for row in rows] == [row.username for row in rows]


def test_many_rows_are_inserted_a_batch_at_a_time(course, monkeypatch, django_assert_num_queries):
    monkeypatch.setattr("courses.prepared.MOST", 20)
    with django_assert_num_queries(3):
        insert([User(username=f"new {number}") for number in range(45)])


def test_sql_of_an_insert_is_built_once_for_each_number_of_rows(course, new_people, monkeypatch):
    builds = []
    build = SQLInsertCompiler.as_sql
    monkeypatch.setattr(SQLInsertCompiler, "as_sql", lambda self: builds.append(1) or build(self))
    people = new_people(5)
    insert(people[:2])
    builds.clear()
    insert(people[2:4])
    assert builds == [] and User.objects.filter(username__startswith="new").count() == 4


def test_insert_updates_rows_that_are_there(course):
    there = Blob.objects.create(sha256="a" * 64, size=1, touched=timezone.now() - timedelta(days=1), stored=True)
    now = timezone.now()
    rows = [Blob(sha256=name * 64, size=1, touched=now) for name in "ab"]
    insert(rows, unique=["sha256"], update=["touched"])
    assert rows[0].pk == there.pk and rows[0].stored and not rows[1].stored
    assert set(Blob.objects.values_list("pk", "touched", "stored")) == {
        (there.pk, now, True),
        (rows[1].pk, now, False),
    }


def test_rows_may_differ_in_what_they_leave_to_the_database(course, new_people):
    people = new_people(2)
    insert(people)
    past = timezone.now() - timedelta(days=1)
    rows = [Membership(course=course, user=people[0], role="student")]
    rows.append(Membership(course=course, user=people[1], role="student", created=past))
    insert(rows)
    assert Membership.objects.get(pk=rows[1].pk).created == past < Membership.objects.get(pk=rows[0].pk).created


def test_failed_insert_fails_the_transaction(course):
    with pytest.raises(TransactionManagementError), transaction.atomic():
        with pytest.raises(IntegrityError):
            insert([User(username="alice")])
        User.objects.count()


@pytest.mark.parametrize("count", [1, 2])
def test_old_sqlite_inserts_too(course, new_people, monkeypatch, count):
    monkeypatch.setattr(type(connection.features), "can_return_rows_from_bulk_insert", False)
    people = new_people(count)
    insert(people)
    assert User.objects.filter(username__startswith="new").count() == count
    assert count > 1 or people[0].pk
