"""Fetching a large file by itself: after a broken connection it goes on where it stopped.

It comes from the exchange or, where that gives an address for it, straight from an object store.
"""

import hashlib
from collections.abc import Callable, Collection
from pathlib import Path

from ..translation import gettext as _
from .client import NgshareClient
from .errors import ErrorResponse, InvalidResponse, ServiceError, Unreachable
from .manifest import CHUNK
from .records import as_mapping
from .retries import retry


def find_addresses(client: NgshareClient, hashes: Collection[str]) -> dict[str, str]:
    """Return where an object store has these blobs, {hash: address}; empty where it is not open to users."""
    try:
        answer = as_mapping(client.post("blobs", "addresses", body={"sha256": sorted(hashes)}))
    except ErrorResponse as error:
        if error.status in (401, 403):
            raise
        return {}  # an older exchange; or it lacks a blob, which fetching that will tell
    addresses = answer.get("addresses")
    if not isinstance(addresses, dict):
        return {}
    return {sha256: url for sha256, url in addresses.items() if isinstance(url, str) and url}


class Download:
    """A blob that is being fetched. `target` has it when `fetch` returns, verified; and nothing after an error."""

    def __init__(
        self, client: NgshareClient, sha256: str, size: int, target: Path, *, progress: Callable[[int], None]
    ) -> None:
        self.client, self.sha256, self.size, self.target, self.progress = client, sha256, size, target, progress
        self.store_is_out_of_reach = False
        self._received = 0  # bytes
        self._hasher = hashlib.sha256()

    def fetch(self, address: str = "") -> None:
        """Fetch from the address of a store, else from the exchange: also if the store refuses, or is out of reach."""
        try:
            try:
                self._fetch_with_retries(address)
            except (ErrorResponse, Unreachable) as error:
                if not address:
                    raise
                self.store_is_out_of_reach = isinstance(error, Unreachable)
                self._fetch_with_retries("")
            if self._hasher.hexdigest() != self.sha256:
                raise InvalidResponse(_("The exchange sent a file whose content is not what its hash says."))
        except ServiceError:
            self._begin_anew()
            self.target.unlink(missing_ok=True)
            raise

    def _fetch_with_retries(self, address: str) -> None:
        count = self._received

        def has_progressed() -> bool:
            nonlocal count
            before, count = count, self._received
            return count > before

        retry(
            lambda: self._fetch_rest(address),
            attempts=self.client.attempts,
            has_progressed=has_progressed,
            log=self.client.log,
        )

    def _fetch_rest(self, address: str) -> None:
        with self.client.download_blob(self.sha256, start=self._received, address=address) as (body, start):
            if start != self._received:
                self._begin_anew()
            with self.target.open("ab" if self._received else "wb") as file:
                while chunk := body.read(CHUNK):
                    file.write(chunk)
                    self._hasher.update(chunk)
                    self._received += len(chunk)
                    self.progress(len(chunk))
                    if self._received > self.size:
                        raise InvalidResponse(_("The exchange sent a file of another size than it said."))
        if self._received < self.size:
            raise Unreachable(_("The exchange stopped in the middle of a file."))

    def _begin_anew(self) -> None:
        self.progress(-self._received)
        self._received, self._hasher = 0, hashlib.sha256()
