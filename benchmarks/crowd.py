"""A crowd of students, many at once, in one lean process: it sends requests that were made beforehand over plain
sockets, so that clients take as little as possible of the cores that they share with the servers.
"""

import multiprocessing
import socket
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection

CHUNK = 2**18  # bytes
ENOUGH = 120  # seconds after which nobody else of a crowd begins


@dataclass(frozen=True)
class Visit:
    """What one student does: requests, one after the other."""

    netloc: str  # host:port
    requests: Sequence[bytes]
    keep: bool = False  # one connection for all; otherwise each request makes its own
    proof: bytes = b""  # what the last answer's body must contain


@dataclass
class Outcome:
    """What became of a crowd. Bytes are those on the wire, with headers."""

    seconds: float = 0.0
    times: list[float] = field(default_factory=list)  # seconds of each visit that succeeded
    errors: list[str] = field(default_factory=list)
    sent: int = 0
    received: int = 0
    cpu: float = 0.0  # seconds that the clients used

    @property
    def per_second(self) -> float:
        return len(self.times) / self.seconds if self.seconds else 0.0

    def percentile(self, part: float) -> float:
        """Return seconds that this part of the visits took at most."""
        return sorted(self.times)[min(int(len(self.times) * part), len(self.times) - 1)] if self.times else float("nan")


def send_crowd(visits: Sequence[Visit], at_once: int, *, patience: float = ENOUGH) -> Outcome:
    """Let all visit, `at_once` at a time. What takes longer than `patience` seconds is an error."""
    ours, theirs = multiprocessing.Pipe()
    # Forked, not spawned: the requests are hundreds of megabytes.
    process = multiprocessing.get_context("fork").Process(target=_run, args=(visits, at_once, patience, theirs))
    process.start()
    theirs.close()
    try:
        return ours.recv()
    except EOFError as error:
        raise RuntimeError("the process of the clients ended") from error
    finally:
        process.join()


def _run(visits: Sequence[Visit], at_once: int, patience: float, control: Connection) -> None:
    outcome, waiting, lock = Outcome(), iter(visits), threading.Lock()
    start_together = threading.Barrier(at_once + 1)

    def student() -> None:
        start_together.wait()
        while True:
            with lock:
                visit = next(waiting, None)
            if visit is None:
                return
            began = time.perf_counter()
            try:
                if began - start > patience:
                    raise TimeoutError("not begun, since the others took so long")
                sent, received = make_visit(visit, patience)
            except (OSError, ValueError) as error:
                with lock:
                    outcome.errors.append(f"{type(error).__name__}: {error}")
                continue
            with lock:
                outcome.times.append(time.perf_counter() - began)
                outcome.sent += sent
                outcome.received += received

    threads = [threading.Thread(target=student) for _ in range(at_once)]
    for thread in threads:
        thread.start()
    cpu, start = time.process_time(), time.perf_counter()
    start_together.wait()
    for thread in threads:
        thread.join()
    outcome.seconds, outcome.cpu = time.perf_counter() - start, time.process_time() - cpu
    control.send(outcome)


def make_visit(visit: Visit, patience: float) -> tuple[int, int]:
    """Return the bytes sent and received. Errors: OSError, ValueError for an answer that is no success."""
    sent = received = 0
    body, connection = b"", None
    try:
        for request in visit.requests:
            if connection is None:
                connection = connect(visit.netloc, patience)
            connection.sendall(request)
            status, body, size = read_response(connection)
            sent += len(request)
            received += size
            if not 200 <= status < 300:
                raise ValueError(f"answered {status}: {body[:200]!r}")
            if not visit.keep:
                connection.close()
                connection = None
    finally:
        if connection:
            connection.close()
    if visit.proof not in body:
        raise ValueError(f"answered without success: {body[:200]!r}")
    return sent, received


def connect(netloc: str, patience: float) -> socket.socket:
    host, _, port = netloc.rpartition(":")
    connection = socket.create_connection((host, int(port)), timeout=patience)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def read_response(connection: socket.socket) -> tuple[int, bytes, int]:
    """Return status, body (chunks as they came) and the number of bytes of an answer. Errors: OSError, ValueError."""
    received = b""
    while (end := received.find(b"\r\n\r\n")) < 0:
        received += _receive(connection)
    head, body = received[:end], [received[end + 4 :]]
    fields = dict(_field(line) for line in head.split(b"\r\n")[1:])
    if b"content-length" in fields:
        missing = int(fields[b"content-length"]) - len(body[0])
        while missing > 0:
            body.append(_receive(connection))
            missing -= len(body[-1])
    elif b"chunked" in fields.get(b"transfer-encoding", b""):
        while not body[-1].endswith(b"0\r\n\r\n"):
            body.append(_receive(connection))
    content = b"".join(body)
    return int(head[9:12]), content, end + 4 + len(content)


def _field(line: bytes) -> tuple[bytes, bytes]:
    name, _, value = line.partition(b":")
    return name.lower(), value.strip().lower()


def _receive(connection: socket.socket) -> bytes:
    chunk = connection.recv(CHUNK)
    if not chunk:
        raise ConnectionError("the connection was closed before the end of the answer")
    return chunk
