"""gunicorn's worker counts its connections: how many it accepts and when it may stop depend on that."""

import socket

import pytest
from gunicorn.config import Config
from gunicorn.glogging import Logger

from ngshare_site.server.worker import Worker


@pytest.fixture
def worker():
    """A worker that listens, and whose main loop the test runs."""
    config = Config()
    config.set("worker_class", Worker)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(10)
        one = Worker(0, 0, [listener], None, 30, config, Logger(config))
        one.tpool = one.get_thread_pool()
        one.method_queue.init()
        yield one
        one.tpool.shutdown()
        one.method_queue.close()
        one.tmp.close()


def serve(worker, request):
    """Accept a connection, and let the worker finish with it."""
    (listener,) = worker.sockets
    with socket.create_connection(listener.getsockname()) as client:
        client.sendall(request)
        client.shutdown(socket.SHUT_WR)
        assert worker.accept(listener) and worker.nr_conns == 1
        answer = b"".join(iter(lambda: client.recv(4096), b""))
    worker.tpool.shutdown()  # which calls what is to be done when the request has ended
    worker.method_queue.run_callbacks(None)
    return answer


@pytest.mark.parametrize("request_line", [b"", b"nonsense\r\n\r\n"])
def test_connection_that_ended_is_counted_once(worker, request_line):
    assert serve(worker, request_line).startswith(b"HTTP/1.1 400" if request_line else b"")
    assert worker.nr_conns == 0
