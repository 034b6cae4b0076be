"""Connections to the exchange: one for all requests of a command, closed when the command ends.

nbgrader's server extensions run for days in one process; outside of a command nothing stays open there. Nothing is kept
with a connection, either: no cookie, and no token, which each request reads anew.
"""

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

LONGEST_IDLE = 10.0  # seconds; a server, a proxy or a router in between may forget about a connection soon after that
STALLED = 60.0  # seconds without progress in sending, after which the connection counts as broken


class Connections:
    """Sessions of requests, each used by one thread at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._commands = 0  # how many are running
        self._idle: list[tuple[requests.Session, float]] = []  # with the time (monotonic) of the last response

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Keep connections for the requests inside; close them at the end."""
        with self._lock:
            self._commands += 1
        try:
            yield
        finally:
            with self._lock:
                self._commands -= 1
            if not self._commands:
                self.close()

    @contextmanager
    def session(self, *, new: bool) -> Iterator[requests.Session]:
        """Lend a session. `new` is for a request that must not be repeated: no other one has used its connection.

        The server may close a connection at the very moment when it is used again.
        """
        session = self._take(new=new)
        try:
            yield session
        finally:
            with self._lock:
                keep = self._commands > 0
                if keep:
                    self._idle.append((session, time.monotonic()))
            if not keep:
                session.close()

    def close(self) -> None:
        """Close the connections that are not in use."""
        with self._lock:
            idle, self._idle = self._idle, []
        for session, _ in idle:
            session.close()

    def _take(self, *, new: bool) -> requests.Session:
        with self._lock:
            session, since = self._idle.pop() if self._idle else (None, 0.0)
        if session is None:
            return make_session()
        if new or time.monotonic() - since > LONGEST_IDLE:
            session.close()  # its connections; it makes another one
        return session


def make_session() -> requests.Session:
    """Return a session that keeps no cookies, and waits for a slow line while it sends."""
    session = requests.Session()
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
    for scheme in ("http://", "https://"):
        session.mount(scheme, _PatientAdapter(pool_connections=2, pool_maxsize=1))
    return session


class _HideSignatures(logging.Filter):
    """Leaves out urllib3's lines about signed addresses: who has one may use it."""

    def filter(self, record: logging.LogRecord) -> bool:
        return "Signature=" not in str(record.args)


logging.getLogger("urllib3.connectionpool").addFilter(_HideSignatures())


# requests' time-out for connecting holds for sending as well: five seconds for a piece of a body. These wait longer.


class _PatientConnection(HTTPConnection):
    def connect(self) -> None:
        super().connect()
        self.sock.settimeout(STALLED)


class _PatientTlsConnection(HTTPSConnection):
    def connect(self) -> None:
        super().connect()
        self.sock.settimeout(STALLED)


class _PatientPool(HTTPConnectionPool):
    ConnectionCls = _PatientConnection


class _PatientTlsPool(HTTPSConnectionPool):
    ConnectionCls = _PatientTlsConnection


class _PatientAdapter(HTTPAdapter):
    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        super().init_poolmanager(*arguments, **options)
        self.poolmanager.pool_classes_by_scheme = {"http": _PatientPool, "https": _PatientTlsPool}

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **options)
        if not proxy.lower().startswith("socks"):  # those have pools of their own
            manager.pool_classes_by_scheme = {"http": _PatientPool, "https": _PatientTlsPool}
        return manager
