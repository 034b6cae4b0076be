"""gunicorn's worker, for many connections and few places.

Each open request has a thread, which reads from its client and writes to it: threads that wait cost next to nothing.
Django runs on the same thread, while it holds a place.
"""

import errno
import ssl
import sys
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.core.cache import caches
from django.core.handlers.wsgi import WSGIHandler
from django.urls import reverse
from gunicorn.config import Config
from gunicorn.sock import BaseSocket
from gunicorn.workers.gthread import TConn, ThreadWorker

from courses.places import Places, leave_database
from ngshare_site import metrics
from ngshare_site.server.sockets import PatientSocket, PatientTLSSocket

THREADS = 500  # of a process: requests that are open, at work or not
SWITCH_INTERVAL = 0.001  # seconds for which a thread keeps others from running: health checks do not wait for long
PAUSE = 0.1  # seconds after an answer in which its thread waits for what a client does next: plugins ask again, or end
OUT_OF_HANDLES = (errno.EMFILE, errno.ENFILE)


class Front:
    """The WSGI application: Django, for as many requests at once as there are places."""

    def __init__(self, django: WSGIHandler, count: int) -> None:
        self._django = django
        self._places = Places(count, metrics.IN_PROGRESS.inc)
        self._without_place = {"/healthz", reverse("healthz")}

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ["PATH_INFO"] in self._without_place and environ["REQUEST_METHOD"] in ("GET", "HEAD"):
            # It is answered while all work. Without a cookie there is no session to be read from the database.
            return self._django({**environ, "HTTP_COOKIE": ""}, start_response)
        with self._places.hold():
            return self._django(environ, start_response)


class Connection(TConn):
    data_ready: bool  # whether the first bytes have come

    def wait_for_data(self, timeout: float) -> bool:
        """Return whether the first bytes have come. gunicorn would make an object of the system for each connection."""
        self.data_ready = self.data_ready or self.sock.wait_for_bytes(timeout)
        return self.data_ready

    def init(self) -> None:
        """Prepare for a request. gunicorn calls it before each."""
        super().init()
        self.sock.begin_head()

    def close(self, graceful: bool = False) -> None:
        """Close it, unless it is closed already: gunicorn would count the error as a second connection that ended.

        Who has ended it has nothing under way that an early end could cut off.
        """
        if self.sock.fileno() >= 0:
            super().close(graceful and not self.sock.has_ended)


class Worker(ThreadWorker):
    def init_process(self) -> None:
        sys.setswitchinterval(SWITCH_INTERVAL)
        super().init_process()

    def get_thread_pool(self) -> ThreadPoolExecutor:
        cache = caches.create_connection("default")

        def share_cache() -> None:
            caches["default"] = cache  # or each thread would have its own connection to Redis

        return ThreadPoolExecutor(self.cfg.threads, initializer=share_cache)

    def accept(self, listener: BaseSocket) -> bool:
        """Take the next connection, if one is waiting, and return whether there was one."""
        try:
            client, address = listener.accept()
        except OSError as error:
            if error.errno in OUT_OF_HANDLES:
                time.sleep(0.1)  # seconds, until others have ended
            elif error.errno not in (errno.EAGAIN, errno.EWOULDBLOCK, errno.ECONNABORTED):
                raise
            return False
        patient = PatientSocket(client.family, client.type, client.proto, client.detach())
        self.nr_conns += 1
        self.enqueue_req(Connection(self.cfg, patient, address, listener.getsockname()))
        return True

    def enqueue_req(self, conn: TConn) -> None:
        try:
            super().enqueue_req(conn)
        except RuntimeError:
            self.log.error("no more threads can be started: a connection is closed")
            self.nr_conns -= 1
            conn.close()

    def handle(self, conn: TConn) -> object:
        """Answer requests that follow each other, and return whether the connection stays open.

        Runs on a thread of its own.
        """
        while True:
            result = super().handle(conn)
            leave_database()
            if not result or conn.sock.has_gone:
                conn.close(graceful=True)  # here, since it waits for the client: the main loop has others to serve
                return False
            has_thread_to_spare = self.nr_conns <= self.cfg.threads
            if not (self.alive and has_thread_to_spare and conn.sock.wait_for_bytes(PAUSE)):
                return result

    def handle_request(self, req: object, conn: TConn) -> object:
        conn.sock.end_head()
        return super().handle_request(req, conn)

    def set_accept_enabled(self, enabled: bool) -> None:
        """Start or stop accepting. At the end, nobody is left waiting for an answer that never comes."""
        super().set_accept_enabled(enabled)
        if not self.alive:
            for listener in self.sockets:
                while self.accept(listener):
                    pass
                listener.close()


def make_tls_context(config: Config, make_default: Callable[[], ssl.SSLContext]) -> ssl.SSLContext:
    """gunicorn's hook `ssl_context`."""
    context = make_default()
    context.sslsocket_class = PatientTLSSocket
    return context
