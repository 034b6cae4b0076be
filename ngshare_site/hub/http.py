"""Connections to the Hub. An answer of any length may come, at any pace: only a bounded one is read.

Connections stay open for the next question, whoever asks it. No cookie is kept with them.
"""

import io
import os
import time
from collections.abc import Mapping
from functools import cache
from http.cookiejar import DefaultCookiePolicy
from typing import Any, TypeVar

import requests
from django.conf import settings
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError, ProtocolError

from courses.places import waiting

TIMEOUT = (3, 10)  # seconds to connect, to wait for the next bytes
MAX_ANSWER_BYTES = 2**24  # a page of 200 groups of a thousand members each has about 4 MB
MAX_ANSWER_SECONDS = 30
CHUNK = 2**16  # bytes
MOST_IDLE = 100  # connections that a process keeps, if it had as many at once

Session = TypeVar("Session", bound=requests.Session)


class BoundedAdapter(HTTPAdapter):
    """Reads the whole answer at once, and gives up on one that is too long. Errors: RequestException.

    Meanwhile the thread leaves its place to others.
    With the Hub's own certificates (`internal_ssl`), each side shows its certificate to the other.
    """

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,  # requests describes these three in types that it does not export
        verify: Any = True,
        cert: Any = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        if settings.JUPYTERHUB_SSL_CLIENT_CA:  # set here, since REQUESTS_CA_BUNDLE goes before the session's
            verify = settings.JUPYTERHUB_SSL_CLIENT_CA
            cert = (settings.JUPYTERHUB_SSL_CERTFILE, settings.JUPYTERHUB_SSL_KEYFILE)
        with waiting():
            try:
                response = super().send(request, True, timeout or TIMEOUT, verify, cert, proxies)
            except requests.ConnectionError as error:
                # The Hub may close a kept connection at the very moment when it is used again.
                if request.method != "GET" or not isinstance(error.args[0], ProtocolError):
                    raise
                response = super().send(request, True, timeout or TIMEOUT, verify, cert, proxies)
            return self._read(response)

    def _read(self, response: requests.Response) -> requests.Response:
        end = time.monotonic() + MAX_ANSWER_SECONDS
        body = bytearray()
        try:
            for chunk in response.raw.stream(CHUNK, decode_content=True):
                body += chunk
                if len(body) > MAX_ANSWER_BYTES or time.monotonic() > end:
                    raise requests.RequestException("the answer does not end")
        except HTTPError as error:
            raise requests.RequestException(type(error).__name__) from error
        finally:
            response.raw.close()
        response.raw = io.BytesIO(body)
        return response


def bounded(session: Session) -> Session:
    """Return the session after making it read bounded answers only."""
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
    for scheme in ("http://", "https://"):
        session.mount(scheme, BoundedAdapter(pool_connections=2, pool_maxsize=MOST_IDLE))
    return session


@cache
def _session() -> requests.Session:
    """Return the session of this process, for all its threads."""
    return bounded(requests.Session())


os.register_at_fork(after_in_child=_session.cache_clear)  # two processes cannot share a connection


def request(
    method: str,
    address: str,
    *,
    headers: Mapping[str, str] | None = None,
    params: Mapping[str, int] | None = None,
    timeout: tuple[float, float] = TIMEOUT,
) -> requests.Response:
    """Return the answer, whatever its status. Redirects are not followed. Errors: RequestException."""
    return _session().request(
        method, address, headers=dict(headers or {}), params=params, timeout=timeout, allow_redirects=False
    )
