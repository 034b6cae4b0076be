"""Clients on bad connections: `python -m benchmarks.slow_clients URL --count 500 --seconds 20`.

`hold` keeps many of them on a server, each at 200 bytes a second, and asks for its health meanwhile.
"""

import argparse
import asyncio
import json
import multiprocessing
import socket
import statistics
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

PACE = 200  # bytes a second
STATIC = "/static/ngshare/ngshare.css"
BODY = 2_000_000  # bytes that are announced
ARRIVAL = 2  # seconds until all are there


@dataclass
class Target:
    """A server, and what the slow clients ask of it."""

    url: str  # without the slash at its end
    headers: str = "Authorization: token slow\r\n"
    upload: str = "/api/v2/blobs/missing/"
    content_type: str = "application/json"
    download: str = STATIC  # what slow readers read; the larger, the better
    static: str = STATIC

    def request(self, method: str, path: str, headers: str = "") -> bytes:
        parts = urlsplit(self.url)
        return f"{method} {parts.path}{path} HTTP/1.1\r\nHost: {parts.netloc}\r\n{headers}\r\n".encode()


@dataclass
class Figures:
    """What became of it."""

    health: list[float] = field(default_factory=list)  # seconds of each check
    failed: int = 0  # checks without an answer

    def summary(self) -> dict[str, float]:
        ordered = sorted(self.health) or [float("inf")]
        return {
            "checks": len(self.health),
            "failed": self.failed,
            "median_ms": round(statistics.median(ordered) * 1000, 1),
            "p99_ms": round(ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))] * 1000, 1),
        }


async def _connect(target: Target) -> socket.socket:
    parts = urlsplit(target.url)
    connection = socket.socket()
    connection.setblocking(False)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    await asyncio.get_running_loop().sock_connect(connection, (parts.hostname, parts.port))
    return connection


async def _drip(connection: socket.socket, content: Iterable[bytes]) -> None:
    for piece in content:
        await asyncio.get_running_loop().sock_sendall(connection, piece)
        await asyncio.sleep(len(piece) / PACE)


async def _read_slowly(connection: socket.socket) -> None:
    while await asyncio.get_running_loop().sock_recv(connection, PACE):
        await asyncio.sleep(1)


async def drip_headers(target: Target) -> None:
    with await _connect(target) as connection:
        head = target.request("GET", "/healthz")[:-2]
        await _drip(connection, [head, *(f"X-Slow-{n:05}: {'x' * 180}\r\n".encode() for n in range(90))])


async def drip_body(target: Target, headers: str | None = None) -> None:
    with await _connect(target) as connection:
        about = f"Content-Type: {target.content_type}\r\nContent-Length: {BODY}\r\n"
        head = target.request("POST", target.upload, about + (target.headers if headers is None else headers))
        await asyncio.get_running_loop().sock_sendall(connection, head)
        await _drip(connection, (b"[" * PACE for _ in range(BODY // PACE)))


async def drip_refused_body(target: Target) -> None:
    await drip_body(target, "")


async def read_slowly(target: Target) -> None:
    with await _connect(target) as connection:
        await asyncio.get_running_loop().sock_sendall(
            connection, target.request("GET", target.download, target.headers)
        )
        await _read_slowly(connection)


async def stay_idle(target: Target) -> None:
    with await _connect(target) as connection:
        await asyncio.get_running_loop().sock_sendall(connection, target.request("GET", "/healthz"))
        while await asyncio.get_running_loop().sock_recv(connection, PACE):
            pass


async def pipeline(target: Target) -> None:
    with await _connect(target) as connection:
        await asyncio.get_running_loop().sock_sendall(connection, target.request("GET", target.static) * 20)
        await _read_slowly(connection)


KINDS: dict[str, Callable[[Target], Awaitable[None]]] = {
    "headers": drip_headers,
    "bodies": drip_body,
    "refused bodies": drip_refused_body,
    "readers": read_slowly,
    "idle": stay_idle,
    "pipelined": pipeline,
}


async def _again_and_again(act: Callable[[Target], Awaitable[None]], target: Target) -> None:
    while True:
        with suppress(OSError):
            await act(target)
        await asyncio.sleep(1)  # the server has ended it


async def _check_health(target: Target, figures: Figures, pause: float) -> None:
    parts = urlsplit(target.url)
    while True:
        start = time.monotonic()
        try:
            async with asyncio.timeout(10):
                reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
                writer.write(target.request("GET", "/healthz", "Connection: close\r\n"))
                answer = await reader.read()
                writer.close()
            if not answer.startswith(b"HTTP/1.1 200"):
                raise OSError
            figures.health.append(time.monotonic() - start)
        except (OSError, TimeoutError):
            figures.failed += 1
        await asyncio.sleep(pause)


async def hold(target: Target, count: int, seconds: float, kinds: Iterable[str] = KINDS) -> Figures:
    """Keep `count` slow clients of these kinds on the server for so long."""
    figures = Figures()
    chosen = [KINDS[kind] for kind in kinds]
    tasks = [asyncio.create_task(_again_and_again(chosen[n % len(chosen)], target)) for n in range(count)]
    await asyncio.sleep(1)
    tasks.append(asyncio.create_task(_check_health(target, figures, 0.05)))
    await asyncio.sleep(seconds)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return figures


@contextmanager
def held(target: Target, count: int) -> Iterator[None]:
    """Keep slow uploads on the server meanwhile, in a process of their own."""
    everlasting = hold(target, count, float(10**6), ["bodies"])
    process = multiprocessing.get_context("fork").Process(target=asyncio.run, args=(everlasting,))
    process.start()
    time.sleep(ARRIVAL)
    try:
        yield
    finally:
        process.terminate()
        process.join()
    everlasting.close()  # it ran in the other process


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.slow_clients", description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--kinds", nargs="+", choices=list(KINDS), default=list(KINDS))
    parser.add_argument("--download", default=STATIC)
    options = parser.parse_args()
    target = Target(options.url.rstrip("/"), download=options.download)
    print(json.dumps(asyncio.run(hold(target, options.count, options.seconds, options.kinds)).summary()))


if __name__ == "__main__":
    main()
