"""The machine's own limit: receive, hash, write and sync what is uploaded, and nothing else.

`python -m benchmarks.limit PORT FOLDER` answers each upload when its bytes are durable in a file that is named by their
SHA-256. It knows no users, no courses and no manifests. It has as many processes and threads as the service.
"""

import hashlib
import os
import socket
import sys
import threading
from pathlib import Path

PROCESSES, THREADS = 2, 8
CHUNK = 2**18  # bytes
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def main(port: int, folder: Path) -> None:
    listener = socket.create_server(("127.0.0.1", port), backlog=1024)
    for _ in range(PROCESSES - 1):
        if os.fork() == 0:
            break
    threads = [threading.Thread(target=serve, args=(listener, folder)) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def serve(listener: socket.socket, folder: Path) -> None:
    buffer = bytearray(CHUNK)
    while True:
        connection, _ = listener.accept()
        with connection:
            try:
                answer(connection, folder, buffer)
            except OSError:
                continue  # the client has left


def answer(connection: socket.socket, folder: Path, buffer: bytearray) -> None:
    """Answer the requests of one connection."""
    head = b""
    while chunk := connection.recv(CHUNK):
        head += chunk
        if b"\r\n\r\n" not in head:
            continue
        fields, _, body = head.partition(b"\r\n\r\n")
        if not fields.startswith(b"GET"):
            store(connection, folder, buffer, body, content_length(fields))
        connection.sendall(ANSWER)
        head = b""


def content_length(fields: bytes) -> int:
    lines = (line.partition(b":") for line in fields.split(b"\r\n"))
    return next(int(value) for name, _, value in lines if name.lower() == b"content-length")


def store(connection: socket.socket, folder: Path, buffer: bytearray, begun: bytes, length: int) -> None:
    """Write a body of this length, whose beginning has come already; return when it is durable."""
    partial = folder / f"{os.getpid()}-{threading.get_ident()}.part"
    hasher = hashlib.sha256(begun)
    with partial.open("wb", buffering=0) as file:
        file.write(begun)
        missing = length - len(begun)
        while missing > 0:
            count = connection.recv_into(buffer, min(missing, CHUNK))
            if not count:
                raise ConnectionError("the body ended early")
            hasher.update(memoryview(buffer)[:count])
            file.write(memoryview(buffer)[:count])
            missing -= count
        os.fsync(file.fileno())
    partial.rename(folder / hasher.hexdigest())
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
