"""Requests to the exchange: one object, the methods of HTTP, and an error with a sentence for whatever goes wrong.

Redirections are never followed (the token would go along), further pages are only ever requested from the address of
the first, and a request is repeated only where that cannot do something twice. Inside of `connected`, requests use one
connection after the other.
"""

import math
import platform
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Protocol
from urllib.parse import parse_qs, quote, urlsplit

import nbgrader
import requests
from traitlets import Float, Integer, Unicode
from traitlets.config import LoggingConfigurable

from .. import __version__
from ..translation import gettext as _
from ..translation import language
from . import recent, responses
from .address import HubToken, NoToken, find_address
from .bundle import Upload
from .connections import Connections
from .errors import InvalidResponse, ServiceError, Unreachable
from .records import as_list, as_mapping
from .retries import retry

PAGE_SIZE = 5000  # rows, the most that the server sends at once
MOST_PAGES = 5000  # the server ends a page early where its submissions have very many files
BYTES = "application/octet-stream"
READ_ONLY = ("blobs/addresses/", "blobs/missing/", "blobs/bundle/", "receipts/verify/")  # POST, but nothing changes
AGENT = f"ngshare-plugin/{__version__} nbgrader/{nbgrader.__version__} Python/{platform.python_version()}"


class Stream(Protocol):
    """A body that is sent piece by piece, and can be iterated again for repeats."""

    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[bytes]: ...


@dataclass(frozen=True)
class Request:
    """One request; the same object is sent again when it is repeated."""

    method: str
    url: str
    params: Mapping[str, object] = field(default_factory=dict)
    body: Mapping[str, object] | Stream | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    read_timeout: float = 0.0  # seconds; 0 for that of the client
    is_ours: bool = True  # whether the exchange is asked, and not an object store beside it

    @property
    def changes_something(self) -> bool:
        return self.method != "GET" and not self.url.endswith(READ_ONLY)


class NgshareClient(LoggingConfigurable):
    """The connection to the exchange; its settings are `c.NgshareClient.…` in nbgrader_config.py."""

    url = Unicode(
        "", help="Address of the exchange, such as http://hub.example/services/ngshare. Default: NGSHARE_URL."
    ).tag(config=True)
    connect_timeout = Float(5.0, help="Seconds to wait for a connection.").tag(config=True)
    read_timeout = Float(120.0, help="Seconds to wait for the next bytes of a response.").tag(config=True)
    list_timeout = Float(10.0, help="Seconds, in all, that a command waits for a list.").tag(config=True)
    lab_timeout = Float(4.0, help="Seconds, in all, that JupyterLab and formgrader wait for a list.").tag(config=True)
    attempts = Integer(5, min=1, help="How often a request is tried where a repeat is safe.").tag(config=True)
    parallel_downloads = Integer(4, min=1, max=16, help="How many large downloads run at once.").tag(config=True)

    def __init__(self, **traits: Any) -> None:
        super().__init__(**traits)
        self._connections = Connections()

    def connected(self) -> AbstractContextManager[None]:
        """Keep the connection between the requests of a command. Outside of this, each request makes its own."""
        return self._connections.kept()

    def address(self, *parts: object) -> str:
        """Return an address in the API, made of percent-encoded parts. It ends with a slash."""
        path = "".join(f"{quote(str(part), safe='')}/" for part in parts)
        return f"{find_address(self.url)}/api/v2/{path}"

    def get(self, *parts: object, **params: object) -> object:
        """Return the JSON at an address."""
        return self._json(Request("GET", self.address(*parts), params))

    def get_if_changed(self, *parts: object, etag: str) -> responses.Tagged | None:
        """Return the JSON at an address with its ETag; None if the one with this `etag` is still there."""
        headers = {"If-None-Match": etag} if etag else {}
        answer = self._answer(Request("GET", self.address(*parts), headers=headers))
        return None if answer.is_unchanged else answer

    def get_all(self, *parts: object, **params: object) -> list[object]:
        """Return all rows of a list, requested page by page."""
        return self._all_pages(self.address(*parts), params)

    def get_recent(self, *parts: object, **params: object) -> list[object]:
        """Return all rows of a list for a person who waits: tried once, in limited time, and kept for one click."""
        url, token = self.address(*parts), HubToken()
        seconds = self.lab_timeout if recent.is_click() else self.list_timeout

        def load() -> list[object]:
            deadline = time.monotonic() + seconds
            return run_within(seconds, lambda: self._all_pages(url, params, attempts=1, deadline=deadline))

        return recent.get((url, token, tuple(sorted(params.items()))), load)

    def get_recent_object(self, *parts: object) -> object:
        """Return the JSON at an address as `get_recent` does a list."""
        url, token = self.address(*parts), HubToken()
        seconds = self.lab_timeout if recent.is_click() else self.list_timeout

        def load() -> list[object]:
            return run_within(seconds, lambda: [self._json(Request("GET", url), attempts=1)])

        return recent.get((url, token), load)[0]

    def post(
        self,
        *parts: object,
        body: Mapping[str, object],
        repeatable: bool = True,
        read_timeout: float = 0.0,
        **params: object,
    ) -> object:
        """Send JSON. Not `repeatable` means that doing it twice would do something else than doing it once."""
        request = Request("POST", self.address(*parts), params, body, read_timeout=read_timeout)
        return self._json(request, repeatable=repeatable)

    def patch(self, *parts: object, body: Mapping[str, object], **params: object) -> object:
        """Change what the JSON names."""
        return self._json(Request("PATCH", self.address(*parts), params, body))

    def put(self, *parts: object, body: Stream) -> None:
        """Send bytes."""
        self._json(Request("PUT", self.address(*parts), body=body, headers={"Content-Type": BYTES}))

    def put_elsewhere(self, url: str, *, body: Stream) -> None:
        """Send bytes to an address of an object store, which the exchange has given: without the token."""
        request = Request("PUT", url, body=body, is_ours=False)

        def attempt() -> None:
            with self._connections.session(new=False) as session, self._send(session, request) as response:
                responses.Body(response).finish()

        retry(attempt, attempts=self.attempts, log=self.log)

    def delete(self, *parts: object, **params: object) -> object:
        return self._json(Request("DELETE", self.address(*parts), params))

    def upload(self, *parts: object, upload: Upload, key: str = "", if_match: str = "", **params: object) -> object:
        """Send a bundle. With an idempotency `key` it is repeated, else only if the server surely has not acted.

        With `if_match`, the ETag of a release, it is refused with 412 unless that is the latest one.
        """
        headers = {"Content-Type": "application/x-tar"}
        headers |= {"Idempotency-Key": key} if key else {}
        headers |= {"If-Match": if_match} if if_match else {}
        return self._json(Request("POST", self.address(*parts), params, upload, headers), repeatable=bool(key))

    @contextmanager
    def download(self, *parts: object, body: Mapping[str, object]) -> Iterator[responses.Body]:
        """Open the bytes that a POST is answered with, as a stream. It is not repeated here."""
        request = Request("POST", self.address(*parts), body=body)
        with self._connections.session(new=False) as session, self._send(session, request) as response:
            body_of_response = responses.Body(response)
            yield body_of_response
            body_of_response.finish()

    @contextmanager
    def download_blob(self, sha256: str, *, start: int, address: str = "") -> Iterator[tuple[responses.Body, int]]:
        """Open the bytes of a blob from `start` on, or from where the server sends them, which is returned, too.

        With an `address` they come from an object store, which does not get the token; without, from the exchange
        itself, also where it would point to a store. It is not repeated here.
        """
        headers = {"Range": f"bytes={start}-"} if start else {}
        url, params = (address, {}) if address else (self.address("blobs", sha256), {"redirect": "false"})
        request = Request("GET", url, params, headers=headers, is_ours=not address)
        with self._connections.session(new=False) as session, self._send(session, request) as response:
            yield responses.Body(response), start if response.status_code == HTTPStatus.PARTIAL_CONTENT else 0

    def _all_pages(
        self, url: str, params: Mapping[str, object], *, attempts: int = 0, deadline: float = math.inf
    ) -> list[object]:
        query: Mapping[str, object] = {"page_size": PAGE_SIZE, **params}
        results: list[object] = []
        for _page in range(MOST_PAGES):
            page = as_mapping(self._json(Request("GET", url, query), attempts=attempts))
            results += as_list(page.get("results"))
            if page.get("next") is None:
                return results
            if time.monotonic() > deadline:
                break
            query = parse_qs(urlsplit(str(page["next"])).query)  # only the query of `next`: never another address
        raise InvalidResponse(_("The exchange sent a list that does not end."))

    def _json(self, request: Request, *, repeatable: bool = True, attempts: int = 0) -> object:
        """Return the JSON of the response, after repeats where they are safe; raise everything else."""
        return self._answer(request, repeatable=repeatable, attempts=attempts).content

    def _answer(self, request: Request, *, repeatable: bool = True, attempts: int = 0) -> responses.Tagged:
        try:
            return retry(
                lambda: self._answer_once(request, repeatable=repeatable),
                attempts=attempts or self.attempts,
                repeatable=repeatable,
                log=self.log,
            )
        finally:
            if request.changes_something:
                recent.forget()

    def _answer_once(self, request: Request, *, repeatable: bool) -> responses.Tagged:
        with self._connections.session(new=not repeatable) as session, self._send(session, request) as response:
            return responses.read_tagged(response)

    def _send(self, session: requests.Session, request: Request) -> requests.Response:
        """Return a response without error, its body still to be read."""
        body = request.body
        try:
            response = session.request(
                request.method,
                request.url,
                params=_query(request.params),
                headers={**_usual_headers(request), **request.headers},
                auth=HubToken() if request.is_ours else NoToken(),
                json=body if isinstance(body, Mapping) else None,
                data=None if isinstance(body, Mapping) else body,
                timeout=(self.connect_timeout, request.read_timeout or self.read_timeout),
                allow_redirects=False,
                stream=True,
            )
        except requests.RequestException as error:
            if request.is_ours:
                self._log_address(request)
            raise responses.connection_error(error) from None
        is_unchanged = response.status_code == HTTPStatus.NOT_MODIFIED and "If-None-Match" in request.headers
        if response.status_code >= 300 and not is_unchanged:
            with response:
                if not request.is_ours:
                    raise responses.error_of_store(response.status_code)
                self._log_address(request)
                raise responses.error_from(response)
        return response

    def _log_address(self, request: Request) -> None:
        """Log what an error does not say: where it comes from."""
        self.log.debug("The request was %s %s", request.method, request.url)


def _usual_headers(request: Request) -> dict[str, str]:
    """Return the headers of every request; the exchange writes its sentences in the language of ours."""
    headers = {"Accept": "*/*", "Accept-Encoding": "identity", "User-Agent": AGENT}
    return headers | {"Accept-Language": language()} if request.is_ours else headers


def _query(params: Mapping[str, object]) -> dict[str, Any]:
    """Return query parameters as the server reads them: `true` for True, and nothing for what is not set."""
    return {
        name: "true" if value is True else value for name, value in params.items() if value not in (None, False, "")
    }


def run_within(seconds: float, load: Callable[[], list[object]]) -> list[object]:
    """Return what `load` returns if that takes no longer than this; raise Unreachable otherwise.

    A time-out of a socket is for each of its reads: name resolution has none, and a trickle of bytes never ends. The
    thread that is left behind ends with its own time-outs.
    """
    outcome: list[list[object] | ServiceError] = []

    def run() -> None:
        try:
            outcome.append(load())
        except ServiceError as error:
            outcome.append(error)

    thread = threading.Thread(target=run, daemon=True, name="ngshare-list")
    thread.start()
    thread.join(seconds)
    if not outcome:
        raise Unreachable(_("The exchange did not answer within %(seconds)g seconds.") % {"seconds": seconds})
    if isinstance(outcome[0], ServiceError):
        raise outcome[0]
    return outcome[0]
