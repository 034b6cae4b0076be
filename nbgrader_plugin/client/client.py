"""Speaking to the exchange: one object, the verbs of HTTP, and an error with a sentence for whatever goes wrong.

Redirections are never followed (the token would go along), pages are only ever asked of the address that was asked
first, and a repeat is made only where it cannot do something twice.
"""

import math
import platform
import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import nbgrader
import requests
from traitlets import Float, Integer, Unicode
from traitlets.config import LoggingConfigurable

from .. import __version__
from . import address, recent
from . import responses as answers
from .bundle import Upload
from .errors import BadAnswer, NotConnected, Refused, ServiceError, Unreachable
from .records import mapping, rows

PAGE_SIZE = 5000  # rows, the most that the server gives at once
MOST_PAGES = 500
FIRST_PAUSE = 0.5  # seconds before the first repeat; doubles each time, with jitter
LONGEST_PAUSE = 30.0  # seconds, also when the server's Retry-After asks for more
TEMPORARY = {429, 502, 503, 504}  # of these, 502 to 504 may come from a proxy in between
NOTHING_DONE = {"busy", "hub_unreachable"}  # the server says so before it acts: a repeat is always safe (docs/api.md)
READ_ONLY = ("blobs/missing/", "blobs/bundle/", "receipts/verify/")  # POST, but nothing changes


class NgshareClient(LoggingConfigurable):
    """The connection to the exchange; its settings are `c.NgshareClient.…` in nbgrader_config.py."""

    url = Unicode(
        "", help="Address of the exchange, such as http://hub.example/services/ngshare. Default: NGSHARE_URL."
    ).tag(config=True)
    connect_timeout = Float(5.0, help="Seconds to wait for a connection.").tag(config=True)
    read_timeout = Float(120.0, help="Seconds to wait for the next bytes of an answer.").tag(config=True)
    list_timeout = Float(
        10.0, help="Seconds, in all, to wait for a list: a Jupyter server stands still meanwhile."
    ).tag(config=True)
    attempts = Integer(5, min=1, help="How often something is tried where a repeat is safe.").tag(config=True)
    parallel_downloads = Integer(4, min=1, max=16, help="How many large downloads run at once.").tag(config=True)

    def address(self, *parts: object) -> str:
        """The address of something in the API: its parts, percent-encoded. Ends with a slash."""
        path = "".join(f"{quote(str(part), safe='')}/" for part in parts)
        return f"{address.find(self.url)}/api/v2/{path}"

    def get(self, *parts: object, **params: object) -> Any:
        """The JSON at an address."""
        return self._json("GET", self.address(*parts), params=params)

    def pages(self, *parts: object, **params: object) -> list[Any]:
        """All rows of a list, page by page."""
        return self._pages(self.address(*parts), params)

    def recent_pages(self, *parts: object, **params: object) -> list[Any]:
        """All rows of a list, for a person who waits: tried once, for at most `list_timeout`, kept for some seconds."""
        url, token = self.address(*parts), address.HubToken()
        deadline = time.monotonic() + self.list_timeout

        def question() -> list[Any]:
            return within(self.list_timeout, lambda: self._pages(url, params, attempts=1, deadline=deadline))

        return rows(recent.ask((url, token, tuple(sorted(params.items()))), question))

    def post(self, *parts: object, body: Mapping[str, Any], repeatable: bool = True) -> Any:
        """Send JSON. Not `repeatable` means that doing it twice would do something else than doing it once."""
        return self._json("POST", self.address(*parts), body=body, repeatable=repeatable)

    def patch(self, *parts: object, body: Mapping[str, Any]) -> Any:
        return self._json("PATCH", self.address(*parts), body=body)

    def delete(self, *parts: object) -> None:
        self._json("DELETE", self.address(*parts))

    def send(self, *parts: object, upload: Upload, key: str = "", **params: object) -> Any:
        """Send a bundle. With an idempotency `key` it is repeated, else only if the server surely has not acted."""
        headers = {"Content-Type": "application/x-tar"}
        if key:
            headers["Idempotency-Key"] = key
        return self._json(
            "POST", self.address(*parts), body=upload, params=params, headers=headers, repeatable=bool(key)
        )

    @contextmanager
    def download(self, *parts: object, body: Mapping[str, Any]) -> Iterator[answers.Content]:
        """The bytes that a POST is answered with, as a stream to read from. Repeats are the caller's."""
        with requests.Session() as session, self._once(session, "POST", self.address(*parts), body=body) as response:
            yield answers.Content(response)

    def _pages(
        self, url: str, params: Mapping[str, object], *, attempts: int = 0, deadline: float = math.inf
    ) -> list[Any]:
        query: Mapping[str, object] = {"page_size": PAGE_SIZE, **params}
        results: list[Any] = []
        for _ in range(MOST_PAGES):
            page = mapping(self._json("GET", url, params=query, attempts=attempts))
            results += rows(page.get("results"))
            if page.get("next") is None:
                return results
            if time.monotonic() > deadline:
                break
            query = parse_qs(urlsplit(str(page["next"])).query)  # of `next` only the question: never another address
        raise BadAnswer("The exchange sent a list that does not end.")

    def _json(self, method: str, url: str, *, repeatable: bool = True, attempts: int = 0, **request: Any) -> Any:
        """The JSON of a good answer, trying again where that is safe; everything else is raised."""
        try:
            with requests.Session() as session:
                return self._patiently(
                    lambda: self._one_json(session, method, url, **request), repeatable, attempts or self.attempts
                )
        finally:
            if method != "GET" and not url.endswith(READ_ONLY):
                recent.forget()

    def _patiently(self, question: Callable[[], Any], repeatable: bool, attempts: int) -> Any:
        pause = FIRST_PAUSE
        while True:
            attempts -= 1
            try:
                return question()
            except ServiceError as error:
                if not attempts or not may_repeat(error, repeatable):
                    raise
                wait = min(max(pause * random.uniform(0.5, 1.5), error.retry_after), LONGEST_PAUSE)
                self.log.debug("%s Trying again in %.1f s.", error, wait)
            time.sleep(wait)
            pause *= 2

    def _one_json(self, session: requests.Session, method: str, url: str, **request: Any) -> Any:
        with self._once(session, method, url, **request) as response:
            return answers.json_of(response)

    def _once(
        self,
        session: requests.Session,
        method: str,
        url: str,
        *,
        body: Mapping[str, Any] | Upload | None = None,
        params: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """A good answer, its body still to be read."""
        try:
            response = session.request(
                method,
                url,
                params=_texts(params or {}),
                headers={"Accept": "*/*", "Accept-Encoding": "identity", "User-Agent": AGENT, **(headers or {})},
                auth=address.HubToken(),
                json=None if isinstance(body, Upload) else body,
                data=body if isinstance(body, Upload) else None,
                timeout=(self.connect_timeout, self.read_timeout),
                allow_redirects=False,
                stream=True,
            )
        except requests.RequestException as error:
            raise answers.no_answer(url, error) from error
        if response.status_code >= 300:
            with response:
                raise answers.refusal(url, response)
        return response


AGENT = f"ngshare-plugin/{__version__} nbgrader/{nbgrader.__version__} Python/{platform.python_version()}"


def may_repeat(error: ServiceError, repeatable: bool) -> bool:
    if isinstance(error, Refused):
        return error.code in NOTHING_DONE or (repeatable and error.status in TEMPORARY)
    return isinstance(error, NotConnected) or (repeatable and isinstance(error, Unreachable))


def _texts(params: Mapping[str, object]) -> dict[str, Any]:
    """Query parameters as the server reads them: `true` for True, and nothing for what is not set."""
    return {
        name: "true" if value is True else value for name, value in params.items() if value not in (None, False, "")
    }


def within(seconds: float, question: Callable[[], list[Any]]) -> list[Any]:
    """The answer to a question if it comes in time; Unreachable otherwise.

    A time-out of a socket is for each of its reads: name resolution has none, and a trickle of bytes never ends. The
    thread that is left behind ends with its own time-outs.
    """
    outcome: list[Any] = []

    def run() -> None:
        try:
            outcome.append(question())
        except ServiceError as error:
            outcome.append(error)

    thread = threading.Thread(target=run, daemon=True, name="ngshare-list")
    thread.start()
    thread.join(seconds)
    if not outcome:
        raise Unreachable(f"The exchange did not answer within {seconds:g} seconds.")
    if isinstance(outcome[0], ServiceError):
        raise outcome[0]
    answer: list[Any] = outcome[0]
    return answer
