"""Clients on very slow connections: each begins an upload and sends it a few bytes at a time."""

import multiprocessing
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection

from benchmarks.crowd import connect

BYTES_PER_SECOND = 200
PAUSE = 0.5  # seconds between two pieces
PROMISED = 1_000_000  # bytes, the Content-Length of each upload


@contextmanager
def dripping(netloc: str, head: bytes, count: int) -> Iterator[None]:
    """Hold `count` uploads that do not get on. `head`: the request without its body, which PROMISED bytes follow."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("fork").Process(target=_drip, args=(netloc, head, count, theirs))
    process.start()
    try:
        ours.recv()  # all are connected
        yield
    finally:
        ours.send("stop")
        process.join()


def _drip(netloc: str, head: bytes, count: int, control: Connection) -> None:
    connections: list[socket.socket] = []
    piece = b"x" * int(BYTES_PER_SECOND * PAUSE)
    for _ in range(count):
        try:
            connection = connect(netloc, 5)
            connection.sendall(head)
        except OSError:
            continue  # the server takes no more
        connection.setblocking(False)
        connections.append(connection)
    control.send(len(connections))
    while not control.poll(PAUSE):
        for connection in list(connections):
            try:
                connection.send(piece)
            except BlockingIOError:
                continue
            except OSError:
                connections.remove(connection)  # the server ended it
    for connection in connections:
        connection.close()
