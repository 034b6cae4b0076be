"""Fetching blobs, many at once: what is on this computer already is not asked for, the rest comes in bundles.

Bundles are bounded in size and number of files, several run at once, and after a broken connection only what is still
missing is asked for again. A blob that cannot be had is reported, and does not keep the others.
"""

import logging
import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from . import bundle
from .client import FIRST_PAUSE, LONGEST_PAUSE, NgshareClient, may_repeat
from .errors import BadAnswer, Refused, ServiceError
from .manifest import File, hash_file
from .progress import Progress

BUNDLE_BYTES = 64 * 1000 * 1000  # a bundle has no more, unless it is one large file
BUNDLE_FILES = 500


class Blobs:
    """The blobs that one action needs, by hash, wherever on this computer they are."""

    def __init__(self, client: NgshareClient, folder: Path, log: logging.Logger) -> None:
        self.client, self.folder, self.log = client, folder, log
        self.trouble: dict[str, ServiceError] = {}  # by hash: why it is not to be had
        self._places: dict[str, Path] = {}

    def place(self, sha256: str) -> Path:
        """Where the bytes are. Raises what kept them from coming."""
        if sha256 in self.trouble:
            raise self.trouble[sha256]
        return self._places[sha256]

    def look_locally(self, files: Iterable[File], candidates: Callable[[File], Iterable[Path]]) -> None:
        """Use local copies: `candidates` says where a file may be. Size is compared first, then the hash."""
        for file in files:
            if file.sha256 not in self._places:
                found = next((path for path in candidates(file) if _is_copy(path, file)), None)
                if found:
                    self._places[file.sha256] = found

    def fetch(self, files: Iterable[File], label: str) -> None:
        """Have all blobs of these files here, or the reason in `trouble`. ServiceError if nothing works at all."""
        wanted = {file.sha256: file.size for file in files if file.sha256 not in self._places}
        batches = list(_batches(wanted))
        with Progress(label, sum(wanted.values()), self.log) as progress:
            if len(batches) <= 1:
                for batch in batches:
                    self._fetch_batch(batch, progress)
                return
            with ThreadPoolExecutor(self.client.parallel_downloads, "ngshare") as pool:
                jobs = [pool.submit(self._fetch_batch, batch, progress) for batch in batches]
                try:
                    for job in jobs:
                        job.result()
                finally:
                    pool.shutdown(cancel_futures=True)

    def _fetch_batch(self, wanted: Mapping[str, int], progress: Progress) -> None:
        left = dict(wanted)
        try:
            self._fetch_patiently(left, progress)
        except (Refused, BadAnswer) as error:
            # The server answers, but not with all of this: find the blob, so that it does not keep the others.
            if isinstance(error, Refused) and error.status in (401, 403):
                raise
            if len(left) == 1:
                self.trouble[next(iter(left))] = error
                return
            hashes = sorted(left)
            for half in (hashes[: len(hashes) // 2], hashes[len(hashes) // 2 :]):
                self._fetch_batch({sha256: left[sha256] for sha256 in half}, progress)

    def _fetch_patiently(self, left: dict[str, int], progress: Progress) -> None:
        """One bundle; what has come is taken out of `left`, so that a repeat asks for the rest."""
        attempts, pause = self.client.attempts, FIRST_PAUSE
        while left:
            before = len(left)
            try:
                self._fetch_once(left, progress)
            except ServiceError as error:
                attempts = self.client.attempts if len(left) < before else attempts - 1
                if attempts <= 0 or not may_repeat(error, repeatable=True):
                    raise
                wait = min(max(pause * random.uniform(0.5, 1.5), error.retry_after), LONGEST_PAUSE)
                self.log.debug("%s Trying again in %.1f s.", error, wait)
                time.sleep(wait)
                pause *= 2

    def _fetch_once(self, left: dict[str, int], progress: Progress) -> None:
        wanted = dict(left)
        with self.client.download("blobs", "bundle", body={"sha256": sorted(wanted)}) as content:
            for sha256 in bundle.receive(content, wanted, self.folder, progress=progress.advance):
                self._places[sha256] = self.folder / sha256
                del left[sha256]


def _batches(wanted: Mapping[str, int]) -> Iterator[dict[str, int]]:
    batch: dict[str, int] = {}
    total = 0
    for sha256, size in wanted.items():
        if batch and (total + size > BUNDLE_BYTES or len(batch) >= BUNDLE_FILES):
            yield batch
            batch, total = {}, 0
        batch[sha256] = size
        total += size
    if batch:
        yield batch


def _is_copy(path: Path, file: File) -> bool:
    try:
        return path.is_file() and path.stat().st_size == file.size and hash_file(path)[0] == file.sha256
    except OSError:
        return False


def missing(client: NgshareClient, files: Sequence[File]) -> set[str]:
    """Which hashes the server wants to be sent; it refuses here, in a sentence, what it would refuse later."""
    answer = client.post("blobs", "missing", body={"files": [file.as_json() for file in files]})
    hashes = answer.get("missing") if isinstance(answer, dict) else None
    if not isinstance(hashes, list):
        raise BadAnswer("The exchange did not say which files it needs.")
    return {sha256 for sha256 in hashes if isinstance(sha256, str)}
