"""HTTP as the clients here speak it: requests that are made beforehand, and requests that are counted."""

import http.client
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

TIMEOUT = 300  # seconds


@dataclass
class Traffic:
    """What went over the wire: requests, and bytes of bodies."""

    requests: int = 0
    sent: int = 0
    received: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def add(self, sent: int, received: int) -> None:
        with self._lock:
            self.requests += 1
            self.sent += sent
            self.received += received


class Refused(Exception):
    """The answer was not 2xx, or there was none."""


def raw_request(method: str, path: str, headers: Mapping[str, str], body: bytes = b"") -> bytes:
    """Return a whole request as it goes over the wire, with the headers that the library of all these plugins sends."""
    fields = {
        "Host": "127.0.0.1",
        "User-Agent": "python-requests/2.32",
        "Accept": "*/*",
        "Connection": "keep-alive",
        "Content-Length": str(len(body)),
        **headers,
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + body


@dataclass
class Http:
    """A server's address, and the traffic with it. Each request has a connection of its own."""

    url: str
    traffic: Traffic = field(default_factory=Traffic)
    timeout: float = TIMEOUT

    @property
    def netloc(self) -> str:
        return urlsplit(self.url).netloc

    def __call__(
        self,
        method: str,
        path: str,
        body: bytes | Iterable[bytes] = b"",
        headers: Mapping[str, str] | None = None,
        *,
        length: int | None = None,
        keep: bool = True,
    ) -> bytes:
        """Return the body of a good answer, or nothing of it unless `keep`. `length`: of a body that comes in pieces.

        Errors: Refused.
        """
        return self._exchange(method, path, body, headers, length, keep)[1]

    def header(self, name: str, path: str, headers: Mapping[str, str]) -> str:
        """Return a header of the answer to a GET, or nothing if there is none. Errors: Refused."""
        return self._exchange("GET", path, b"", headers, None, True)[0].get(name, "")

    def _exchange(
        self,
        method: str,
        path: str,
        body: bytes | Iterable[bytes],
        headers: Mapping[str, str] | None,
        length: int | None,
        keep: bool,
    ) -> tuple[Mapping[str, str], bytes]:
        size = len(body) if isinstance(body, bytes) else length or 0
        connection = http.client.HTTPConnection(self.netloc, timeout=self.timeout)
        try:
            sent = {"Content-Length": str(size), "Connection": "close", **(headers or {})}
            connection.request(method, urlsplit(self.url).path + path, body=body, headers=sent)
            response = connection.getresponse()
            content, received = _read(response, keep)
        except (OSError, http.client.HTTPException) as error:
            raise Refused(f"{method} {path}: {error!r}") from error
        finally:
            connection.close()
        self.traffic.add(size, received)
        if not 200 <= response.status < 300:
            raise Refused(f"{method} {path}: {response.status} {content[:300]!r}")
        return dict(response.getheaders()), content


def _read(response: http.client.HTTPResponse, keep: bool) -> tuple[bytes, int]:
    """Return the body, and its size in bytes."""
    if keep:
        content = response.read()
        return content, len(content)
    received = 0
    while chunk := response.read(2**20):
        received += len(chunk)
    return b"", received
