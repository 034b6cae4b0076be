"""Clients on bad connections: hundreds of sockets that send or take a little every now and then."""

import contextlib
import os
import socket
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

PACE = 50  # bytes that each sends or takes at a time
PAUSE = 0.25  # seconds
LISTENING = "0A"  # in /proc/net/tcp


def connect(url, timeout=300):
    """A raw connection that takes little before it is read, and keeps little of what is not yet taken."""
    parts = urlsplit(url)
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2**12)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2**16)
    connection.settimeout(timeout)
    connection.connect((parts.hostname, parts.port))
    return connection


def head(method, path, *, token="", length=None, content_type="application/x-tar"):
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost"]
    if token:
        lines.append(f"Authorization: token {token}")
    if length is not None:
        lines += [f"Content-Length: {length}", f"Content-Type: {content_type}"]
    return "".join(f"{line}\r\n" for line in [*lines, ""]).encode()


class Crowd:
    """Many slow clients, each of which says `opening` and then drips `drip`, if anything, and reads as slowly."""

    def __init__(self, url, count, opening, drip=b""):
        self.sockets = [connect(url) for _ in range(count)]
        self._drip = drip
        self._has_left = threading.Event()
        for one in self.sockets:
            one.sendall(opening)
            one.setblocking(False)
        self._thread = threading.Thread(target=self._live)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._has_left.set()
        self._thread.join()
        for one in self.sockets:
            one.close()

    def _live(self):
        while not self._has_left.wait(PAUSE):
            for one in self.sockets:
                with contextlib.suppress(OSError):  # nothing to read, or the server has ended it
                    if self._drip:
                        one.send(self._drip)
                    one.recv(PACE)


def connections_of(pids, url):
    """How many connections of clients these processes hold: theirs to a database come and go, too."""
    port = f":{urlsplit(url).port:04X}"
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    clients = {f"socket:[{row[9]}]" for row in rows if row[1].endswith(port) and row[3] != LISTENING}
    count = 0
    for pid in pids:
        for handle in Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(OSError):
                count += os.readlink(handle) in clients
    return count


def read_until_closed(connection):
    """What the server still says, until it ends the connection."""
    parts = []
    with contextlib.suppress(ConnectionResetError):
        while part := connection.recv(2**16):
            parts.append(part)
    return b"".join(parts)


def send_until_closed(connection, most):
    """How many bytes of `most` can be sent until the server has ended the connection."""
    sent = 0
    try:
        while sent < most:
            sent += connection.send(bytes(2**16))
            time.sleep(0.001)
    except OSError:
        pass
    return sent
