"""Places: how many requests a process works on at once, however many connections it has.

A request holds a place while Python works for it, and gives it back while it waits: for the bytes of a client
(ngshare_site/server), for the Hub, for an object store. Each place has a connection to the database. So hundreds of
slow clients hold neither.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import SimpleQueue

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper


class _Thread(threading.local):
    places: "Places | None" = None  # those of which this thread holds one


_thread = _Thread()


class Places:
    """The places of a process. Threads get one in the order in which they came: nobody waits for long in a rush.

    `on_change` is called with 1 when one is taken, and with -1 when it is given back.
    """

    def __init__(self, count: int, on_change: Callable[[int], None] = lambda change: None) -> None:
        self._on_change = on_change
        self._lock = threading.Lock()
        self._free: list[BaseDatabaseWrapper] = []
        self._waiting: deque[SimpleQueue[BaseDatabaseWrapper]] = deque()  # one for each thread, the first one first
        for _ in range(count):
            connection = connections.create_connection(DEFAULT_DB_ALIAS)
            connection.inc_thread_sharing()  # one thread after another uses it
            self._free.append(connection)

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Wait for a place and keep it."""
        self._take()
        try:
            _renew_connection()
            yield
        finally:
            self._give_back()

    @contextmanager
    def leave(self) -> Iterator[None]:
        """Give back the place that this thread holds, and wait for another one at the end."""
        self._give_back()
        try:
            yield
        finally:
            self._take()
            _renew_connection()

    def _take(self) -> None:
        own: SimpleQueue[BaseDatabaseWrapper] = SimpleQueue()
        with self._lock:
            if self._free:
                own.put(self._free.pop())
            else:
                self._waiting.append(own)
        connections[DEFAULT_DB_ALIAS] = own.get()
        _thread.places = self
        self._on_change(1)

    def _give_back(self) -> None:
        connection = connections[DEFAULT_DB_ALIAS]
        del connections[DEFAULT_DB_ALIAS]
        _thread.places = None
        self._on_change(-1)
        with self._lock:
            if self._waiting:
                self._waiting.popleft().put(connection)
            else:
                self._free.append(connection)


def _renew_connection() -> None:
    """Do what Django does between two requests. An error must find the place taken, so that it is given back."""
    connections[DEFAULT_DB_ALIAS].close_if_unusable_or_obsolete()


def leave_database() -> None:
    """Close what this thread has opened without a place, as long responses do while they are sent."""
    if _thread.places is None:
        connections.close_all()


@contextmanager
def waiting() -> Iterator[None]:
    """Let others have the place of this thread, if it holds one, while it waits for something outside.

    Inside a transaction it stays: the connection to the database belongs to the place.
    """
    places = _thread.places
    if places is None or connections[DEFAULT_DB_ALIAS].in_atomic_block:
        yield
        return
    with places.leave():
        yield
