"""Connections to clients: who waits for one holds no place, and one without progress for a minute is given up.

Progress is any byte. What a client sends or takes slowly may take as long as it likes, but for the head of a request,
which says who it is: that has the same time in all.
"""

import array
import errno
import fcntl
import select
import socket
import ssl
import termios
import time
from typing import TYPE_CHECKING, Any

from django.conf import settings

from courses.places import leave_database, waiting

PIECE = 2**16  # bytes sent at once
TLS_PIECE = 2**14  # bytes; a record of TLS, which is sent as a whole

if TYPE_CHECKING:
    _Socket = socket.socket
else:
    _Socket = object


class Patient(_Socket):
    """A socket whose blocking calls end after NGSHARE_CLIENT_SECONDS without progress."""

    _piece = PIECE
    has_gone = False  # the client, for all we know
    has_ended = False  # the client has sent its last byte, and said so
    _head_until: float | None = None  # when the head of a request must have come, by the monotonic clock

    def begin_head(self) -> None:
        """Expect a request."""
        self._head_until = time.monotonic() + settings.NGSHARE_CLIENT_SECONDS

    def end_head(self) -> None:
        self._head_until = None

    def setblocking(self, flag: bool) -> None:
        """Blocking, which the server sets before each request, means to wait so long."""
        self.settimeout(settings.NGSHARE_CLIENT_SECONDS if flag else 0)

    def recv(self, size: int = 2**13, flags: int = 0) -> bytes:
        """Return what has arrived; nothing at the end, and from a client that has sent nothing for too long."""
        if self._head_until is not None and time.monotonic() > self._head_until:
            self.has_gone = True
        if self.has_gone:
            return b""
        if self.gettimeout() == 0 or self._has_received():
            return self._take(size, flags)
        try:
            with waiting():
                return self._take(size, flags)
        except TimeoutError:
            if self.gettimeout() != settings.NGSHARE_CLIENT_SECONDS:
                raise  # whoever set another time waits for that
            self.has_gone = True
            return b""

    def _take(self, size: int, flags: int) -> bytes:
        content = super().recv(size, flags)
        self.has_ended = not content
        return content

    def wait_for_bytes(self, seconds: float) -> bool:
        """Return whether there is something to receive within this time: bytes, or the client's end."""
        return self._has_received() or self._is_ready(select.POLLIN, seconds)

    def sendall(self, content: Any, flags: int = 0) -> None:
        """Errors: ConnectionResetError, if the client takes nothing for too long."""
        if self.gettimeout() == 0:
            return super().sendall(content, flags)
        rest = memoryview(content).cast("B")
        while rest:
            self._wait_until_it_takes()
            rest = rest[self.send(rest[: self._piece], flags) :]
        return None

    def _has_received(self) -> bool:
        return self._is_ready(select.POLLIN, 0)

    def _wait_until_it_takes(self) -> None:
        """Wait for room to write. The system makes room in large steps: also what is on its way tells of progress."""
        while not self._is_ready(select.POLLOUT, 0):
            leave_database()
            underway = self._count_underway()
            if not self._is_ready(select.POLLOUT, self.gettimeout()) and self._count_underway() >= underway:
                raise ConnectionResetError(errno.ECONNRESET, "the client takes nothing")

    def _is_ready(self, event: int, seconds: float | None) -> bool:
        poll = select.poll()
        poll.register(self, event)
        return bool(poll.poll(None if seconds is None else seconds * 1000))

    def _count_underway(self) -> int:
        """Return how many bytes wait to be sent, or for the client to confirm them."""
        count = array.array("i", [0])
        try:
            fcntl.ioctl(self, termios.TIOCOUTQ, count)
        except OSError:  # no such count for sockets on this system
            return 0
        return count[0]


class PatientSocket(Patient, socket.socket):
    pass


class PatientTLSSocket(Patient, ssl.SSLSocket):
    _piece = TLS_PIECE

    def do_handshake(self, block: bool = False) -> None:
        """Errors: ConnectionResetError, if the client does not go on."""
        try:
            super().do_handshake(block)
        except TimeoutError as error:
            raise ConnectionResetError(errno.ECONNRESET, "the client does not go on") from error

    def _has_received(self) -> bool:
        return self.pending() > 0 or super()._has_received()
