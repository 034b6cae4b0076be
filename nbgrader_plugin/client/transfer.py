"""Fetching blobs, many at once: those that are on this computer are not requested, the others come in bundles.

Bundles are bounded in size and number of files, large files come by themselves, and several transfers run at once.
After a broken connection only what is still missing is requested again. A blob that cannot be fetched is reported, and
does not keep the others.
"""

import logging
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from ..translation import gettext as _
from . import bundle, downloads, parts
from .client import NgshareClient
from .errors import ErrorResponse, InvalidResponse, ServiceError
from .manifest import File, as_json, hash_file
from .progress import Progress
from .records import as_mapping
from .retries import retry

BUNDLE_BYTES = 64 * 1000 * 1000  # a bundle has no more
BUNDLE_FILES = 500


class Blobs:
    """The blobs that one command needs, by hash, wherever on this computer they are."""

    def __init__(self, client: NgshareClient, folder: Path, log: logging.Logger) -> None:
        self.client, self.folder, self.log = client, folder, log
        self.errors: dict[str, ServiceError] = {}  # by hash: why a blob cannot be fetched
        self._places: dict[str, Path] = {}
        self._uses: Counter[str] = Counter()  # how many of the fetched files are still to be written, by hash

    def place(self, sha256: str) -> Path:
        """Return where the bytes are; raise the error that kept them from coming."""
        if sha256 in self.errors:
            raise self.errors[sha256]
        return self._places[sha256]

    def write(self, sha256: str, target: Path) -> None:
        """Write the bytes to a new file; raise the error that kept them from coming.

        What was fetched for one file is moved there, not copied.
        """
        place = self.place(sha256)
        self._uses[sha256] -= 1
        if self._uses[sha256] == 0:
            shutil.move(place, target)
            del self._places[sha256]
        else:
            shutil.copyfile(place, target)

    def use_local_copies(self, files: Iterable[File], candidates: Callable[[File], Iterable[Path]]) -> None:
        """Use files that are here: `candidates` returns where one may be. Its size is compared first, then its hash."""
        for file in files:
            if file.sha256 not in self._places:
                copy = next((path for path in candidates(file) if _is_copy(path, file)), None)
                if copy:
                    self._places[file.sha256] = copy

    def fetch(self, files: Sequence[File], label: str) -> None:
        """Fetch all blobs of these files, or note why not in `errors`. Raises ServiceError if nothing works at all."""
        self._uses.update(file.sha256 for file in files if file.sha256 not in self._places)
        wanted = {file.sha256: file.size for file in files if file.sha256 not in self._places}
        large = {sha256: size for sha256, size in wanted.items() if size >= parts.LARGE}
        small = {sha256: size for sha256, size in wanted.items() if size < parts.LARGE}
        addresses = downloads.find_addresses(self.client, large) if large else {}
        with Progress(label, sum(wanted.values()), self.log) as progress:
            todo: list[Callable[[], None]] = [
                partial(self._fetch_large, sha256, size, addresses, progress) for sha256, size in large.items()
            ]
            todo += [partial(self._fetch_batch, batch, progress) for batch in _batches(small)]
            if len(todo) <= 1:
                for fetch in todo:
                    fetch()
                return
            with ThreadPoolExecutor(self.client.parallel_downloads, "ngshare") as pool:
                jobs = [pool.submit(fetch) for fetch in todo]
                try:
                    for job in jobs:
                        job.result()
                finally:
                    pool.shutdown(cancel_futures=True)

    def _fetch_large(self, sha256: str, size: int, addresses: dict[str, str], progress: Progress) -> None:
        target = self.folder / sha256
        download = downloads.Download(self.client, sha256, size, target, progress=progress.advance)
        try:
            download.fetch(addresses.get(sha256, ""))
        except (ErrorResponse, InvalidResponse) as error:
            if isinstance(error, ErrorResponse) and error.status in (401, 403):
                raise
            self.errors[sha256] = error
            return
        finally:
            if download.store_is_out_of_reach:
                addresses.clear()  # the other files do not wait for it, too
        self._places[sha256] = target

    def _fetch_batch(self, wanted: Mapping[str, int], progress: Progress) -> None:
        missing = dict(wanted)
        try:
            self._fetch_with_retries(missing, progress)
        except (ErrorResponse, InvalidResponse) as error:
            # The server answers, but not with all of this: find the blob, so that it does not keep the others.
            if isinstance(error, ErrorResponse) and error.status in (401, 403):
                raise
            if len(missing) == 1:
                self.errors[next(iter(missing))] = error
                return
            hashes = sorted(missing)
            for half in (hashes[: len(hashes) // 2], hashes[len(hashes) // 2 :]):
                self._fetch_batch({sha256: missing[sha256] for sha256 in half}, progress)

    def _fetch_with_retries(self, missing: dict[str, int], progress: Progress) -> None:
        """Fetch one bundle. A blob that has come is removed from `missing`, so that a repeat requests the rest."""
        count = len(missing)

        def has_progressed() -> bool:
            nonlocal count
            before, count = count, len(missing)
            return count < before

        retry(
            lambda: self._fetch_once(missing, progress),
            attempts=self.client.attempts,
            has_progressed=has_progressed,
            log=self.log,
        )

    def _fetch_once(self, missing: dict[str, int], progress: Progress) -> None:
        if not missing:  # the connection broke after the last blob
            return
        wanted = dict(missing)
        with self.client.download("blobs", "bundle", body={"sha256": sorted(wanted)}) as body:
            for sha256 in bundle.receive(body, wanted, self.folder, progress=progress.advance):
                self._places[sha256] = self.folder / sha256
                del missing[sha256]


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


def find_missing(client: NgshareClient, files: Sequence[File]) -> set[str]:
    """Return the hashes that the server wants to be sent. It answers an error here that an upload would end with."""
    hashes = as_mapping(client.post("blobs", "missing", body={"files": as_json(files)})).get("missing")
    if not isinstance(hashes, list):
        raise InvalidResponse(_("The exchange did not say which files it needs."))
    return {sha256 for sha256 in hashes if isinstance(sha256, str)}
