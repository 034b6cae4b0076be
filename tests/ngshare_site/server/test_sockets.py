"""Sockets that give up whoever makes no progress."""

import socket
import threading
import time

import pytest
from django.db import connection

from courses.models import User
from ngshare_site.server.sockets import PatientSocket


@pytest.fixture
def pair(settings):
    """The server's end, which waits 0.3 s, and the client's."""
    settings.NGSHARE_CLIENT_SECONDS = 0.3
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = socket.socket()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(listener.getsockname())
        accepted, _ = listener.accept()
    accepted.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    with client, PatientSocket(accepted.family, accepted.type, accepted.proto, accepted.detach()) as server:
        server.setblocking(True)
        yield server, client


def test_silent_client_counts_as_gone_for_good(pair):
    server, client = pair
    assert server.recv(100) == b""
    client.sendall(b"GET / HTTP/1.1\r\n")  # nobody takes the rest of a body for a request
    assert server.recv(100) == b""
    assert server.has_gone


def test_head_that_takes_too_long_in_all_ends(pair, settings):
    server, client = pair
    settings.NGSHARE_CLIENT_SECONDS = 2  # in which the first byte comes, on a busy machine too
    server.begin_head()
    deadline = time.monotonic() + 60
    received = b""
    while time.monotonic() < deadline:
        client.sendall(b"x")
        if not (byte := server.recv(100)):
            break
        received += byte
        time.sleep(0.01)
    assert server.has_gone and received


def test_body_may_take_its_time(pair):
    server, client = pair
    server.begin_head()
    server.end_head()
    time.sleep(0.35)
    client.sendall(b"slow")
    assert server.recv(100) == b"slow"


def test_time_limit_of_the_server_itself_stays_an_error(pair):
    server, _ = pair
    server.settimeout(0.01)
    with pytest.raises(TimeoutError):
        server.recv(100)
    assert not server.has_gone


def test_what_has_arrived_is_returned(pair):
    server, client = pair
    client.sendall(b"hello")
    assert server.recv(100) == b"hello"
    client.close()
    assert server.recv(100) == b""


def test_client_that_takes_nothing_is_given_up(pair):
    server, _ = pair
    with pytest.raises(ConnectionResetError, match="takes nothing"):
        server.sendall(bytes(10_000_000))


@pytest.mark.django_db(transaction=True)
def test_no_connection_to_the_database_is_open_while_a_client_takes_nothing(pair):
    server, client = pair
    seen = []

    def send():
        User.objects.count()  # as a long export does while it is sent
        seen.append(connection.connection)
        with pytest.raises(ConnectionResetError):
            server.sendall(bytes(10_000_000))
        seen.append(connection.connection)

    thread = threading.Thread(target=send)
    thread.start()
    thread.join(30)
    assert seen[0] is not None and seen[1] is None


def test_client_that_takes_everything_gets_everything(pair, settings):
    server, client = pair
    settings.NGSHARE_CLIENT_SECONDS = 60
    server.setblocking(True)
    content = bytes(range(256)) * 10_000
    received = bytearray()

    def read():
        while len(received) < len(content):
            received.extend(client.recv(10_000))

    thread = threading.Thread(target=read)
    thread.start()
    server.sendall(content)
    thread.join(30)
    assert received == content


def test_call_that_may_not_block_does_not(pair):
    server, _ = pair
    server.setblocking(False)
    with pytest.raises(BlockingIOError):
        server.recv(100)
    with pytest.raises(BlockingIOError):
        server.sendall(bytes(10_000_000))
