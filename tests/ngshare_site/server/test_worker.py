"""gunicorn's worker counts its connections: how many it accepts and when it may stop depend on that."""

import selectors
import socket
from contextlib import ExitStack

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
        listener.settimeout(60)
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


@pytest.fixture
def answering(worker):
    """A worker whose application answers with the path that is asked for."""

    def application(environ, start_response):
        path = environ["PATH_INFO"].encode()
        start_response("200 OK", [("Content-Length", str(len(path)))])
        return [path]

    worker.wsgi = application
    return worker


def ask(client, path):
    client.sendall(b"GET %s HTTP/1.1\r\nHost: here\r\n\r\n" % path)
    answer = b""
    while not answer.endswith(b"\r\n\r\n" + path):
        received = client.recv(4096)
        assert received, answer
        answer += received


def test_requests_that_follow_each_other_do_without_the_main_loop(answering, monkeypatch):
    (listener,) = answering.sockets
    monkeypatch.setattr("ngshare_site.server.worker.PAUSE", 60)
    with socket.create_connection(listener.getsockname(), timeout=60) as client:
        answering.accept(listener)
        for path in (b"/one", b"/two", b"/three"):
            ask(client, path)
    answering.tpool.shutdown()
    answering.method_queue.run_callbacks(None)
    assert answering.nr_conns == 0


def test_connection_that_pauses_gives_back_its_thread(answering):
    (listener,) = answering.sockets
    answering.poller = selectors.DefaultSelector()
    with answering.poller, socket.create_connection(listener.getsockname(), timeout=60) as client:
        answering.accept(listener)
        ask(client, b"/one")
        answering.tpool.shutdown()
        answering.method_queue.run_callbacks(None)
        assert len(answering.keepalived_conns) == answering.nr_conns == 1
        answering.murder_keepalived(force=True)


def test_nobody_keeps_a_thread_while_others_wait_for_one(answering, monkeypatch):
    (listener,) = answering.sockets
    answering.cfg.set("threads", 1)
    answering.tpool, answering.poller = answering.get_thread_pool(), selectors.DefaultSelector()
    monkeypatch.setattr("ngshare_site.server.worker.PAUSE", 60)
    with ExitStack() as stack:
        stack.enter_context(answering.poller)
        clients = [stack.enter_context(socket.create_connection(listener.getsockname(), timeout=60)) for _ in range(2)]
        for _ in clients:
            answering.accept(listener)
        for client in clients:
            ask(client, b"/path")
        answering.tpool.shutdown()
        answering.method_queue.run_callbacks(None)
        assert len(answering.keepalived_conns) == 2
        answering.murder_keepalived(force=True)
