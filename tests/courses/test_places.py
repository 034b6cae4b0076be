"""No more threads work than there are places, and whoever waits for others leaves theirs."""

import threading
import time

import pytest
from django.db import InterfaceError, connection, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from courses.models import User
from courses.places import Places, leave_database, waiting
from ngshare_site import metrics

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def in_thread():
    """Runs a function on a thread of its own, as the server does, and returns what it returns."""

    def run(act):
        results = []
        thread = threading.Thread(target=lambda: results.append(act()))
        thread.start()
        thread.join(30)
        assert not thread.is_alive()
        return results[0]

    return run


@pytest.fixture
def places():
    """One place, whose connection is closed at the end."""
    one = Places(1, metrics.IN_PROGRESS.inc)
    yield one
    close(one)


def close(places):
    def act():
        with places.hold():
            connection.close()

    thread = threading.Thread(target=act)
    thread.start()
    thread.join()


def work(places):
    with places.hold():
        return User.objects.count()


def test_second_waits_until_the_first_has_ended(places, in_thread):
    def act():
        second = threading.Thread(target=work, args=[places])
        with places.hold():
            second.start()
            second.join(0.2)
            was_waiting = second.is_alive()
        second.join(30)
        return was_waiting, second.is_alive()

    assert in_thread(act) == (True, False)


def test_who_came_first_gets_the_next_place(places, in_thread):
    order = []

    def come(name):
        with places.hold():
            order.append(name)

    def act():
        others = [threading.Thread(target=come, args=[number]) for number in range(5)]
        with places.hold():
            for number, other in enumerate(others):
                other.start()
                while len(places._waiting) == number:
                    time.sleep(0.01)
        come("again")  # after the others, though nobody is quicker
        for other in others:
            other.join(30)

    in_thread(act)
    assert order == [0, 1, 2, 3, 4, "again"]


def test_whoever_waits_leaves_their_place_to_others(places, in_thread):
    def act():
        with places.hold():
            with waiting():
                other = threading.Thread(target=work, args=[places])
                other.start()
                other.join(30)
            return other.is_alive(), User.objects.count()

    assert in_thread(act) == (False, 0)


def test_transaction_keeps_its_place(places, in_thread):
    def act():
        with places.hold(), transaction.atomic():
            mine = connection.connection
            with waiting():
                other = threading.Thread(target=work, args=[places])
                other.start()
                other.join(0.2)
                was_waiting = other.is_alive() and connection.connection is mine
        other.join(30)
        return was_waiting

    assert in_thread(act)


def test_threads_one_after_another_use_one_connection_and_keep_none(places, in_thread):
    def act():
        with places.hold():
            User.objects.count()
            found = connection.connection
        return found, connections.all(initialized_only=True)

    found = [in_thread(act) for _ in range(3)]
    assert len({id(one) for one, _ in found}) == 1
    assert [rest for _, rest in found] == [[]] * 3


def test_place_is_given_back_after_an_error(places, in_thread):
    def act():
        with pytest.raises(ZeroDivisionError), places.hold(), waiting():
            _ = 1 / 0
        return work(places)

    assert in_thread(act) == 0


def test_metrics_count_those_at_work_and_not_those_who_wait(places, in_thread):
    def value():
        return metrics.IN_PROGRESS._value.get()

    def act():
        before = value()
        with places.hold():
            working = value()
            with waiting():
                away = value()
        return working - before, away - before, value() - before

    assert in_thread(act) == (1, 0, 0)


def test_what_is_opened_without_a_place_can_be_closed_and_a_place_cannot(places, in_thread):
    def act():
        User.objects.count()
        leave_database()
        own = connection.connection
        with places.hold():
            User.objects.count()
            leave_database()
            return own, connection.connection is not None

    assert in_thread(act) == (None, True)


def test_without_a_place_waiting_changes_nothing():
    mine = connection.connection
    with waiting():
        assert connection.connection is mine


def test_place_survives_a_connection_that_cannot_be_closed(places, in_thread, monkeypatch):
    def fail(connection):
        raise InterfaceError

    def act():
        with monkeypatch.context() as patch:
            with pytest.raises(InterfaceError), places.hold():
                User.objects.count()
                with waiting():
                    patch.setattr(BaseDatabaseWrapper, "close_if_unusable_or_obsolete", fail)
            with pytest.raises(InterfaceError):
                work(places)
        return work(places)

    assert in_thread(act) == 0
    assert in_thread(lambda: work(places)) == 0
