"""A relay between the service and what it relies on (an object store, Redis, the Hub), which fails on demand."""

import contextlib
import socket
import socketserver
import threading
import time
from contextlib import contextmanager

CHUNK = 65536


class Relay:
    """Passes bytes on, unless it was told otherwise. `failure` is one of these:

    "": none; "gone": every connection is cut; "silent": nothing is answered; "slow": each piece waits;
    "500", "503": that answer to everything; "half": each request is cut in the middle of its body.
    """

    def __init__(self, host, port):
        self.target = (host, port)
        self.failure = ""
        self.open = set()
        self.breaks, self.breaks_after = 0, 0  # how many connections will be cut, and after how many bytes of requests

    @contextmanager
    def failing(self, failure):
        self.failure = failure
        if failure == "gone":
            self.cut()
        try:
            yield
        finally:
            self.failure = ""
            self.cut()  # nobody waits for what was lost

    def cut(self):
        for one in list(self.open):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def serve(self, client):
        if self.failure == "gone":
            return
        self.open.add(client)
        try:
            with socket.create_connection(self.target) as server:
                self.open.add(server)
                back = threading.Thread(target=self._pass, args=(server, client), daemon=True)
                back.start()
                self._pass(client, server, is_request=True)
                back.join()
                self.open.discard(server)
        except OSError:
            pass
        finally:
            self.open.discard(client)

    def _pass(self, source, sink, *, is_request=False):
        passed = 0
        with contextlib.suppress(OSError):
            while piece := source.recv(CHUNK):
                passed += len(piece)
                if self.failure == "gone":  # it was opened while the others were cut
                    break
                if self.failure in ("500", "503") and is_request:
                    source.sendall(
                        f"HTTP/1.1 {self.failure} Trouble\r\nConnection: close\r\nContent-Length: 0\r\n\r\n".encode()
                    )
                    break
                if is_request and self.breaks and passed > self.breaks_after:
                    self.breaks -= 1
                    break
                if self.failure == "half" and is_request and passed > CHUNK:
                    break
                while self.failure == "silent":
                    time.sleep(0.05)
                if self.failure == "slow":
                    time.sleep(0.2)
                sink.sendall(piece)
        for one in (source, sink):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)


@contextmanager
def relay_to(host, port):
    """A relay, and the port where it listens."""
    relay = Relay(host, port)

    class Handler(socketserver.BaseRequestHandler):
        def handle(self):
            relay.serve(self.request)

    class Server(socketserver.ThreadingTCPServer):
        allow_reuse_address = daemon_threads = True
        block_on_close = False
        request_queue_size = 128

    with Server(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        try:
            yield relay, server.server_address[1]
        finally:
            relay.failure = "gone"
            relay.cut()
            server.shutdown()
