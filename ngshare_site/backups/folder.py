"""The layout of a backup, and how it is written so that a power cut leaves a whole snapshot or none.

blobs/ab/abcdef…                   as in the store; shared by all snapshots
snapshots/20261127T121500Z/        `.unfinished` at the end until everything is there
    ngshare.sqlite3, or ngshare.dump of PostgreSQL
    ngshare_secret_key
    blobs.sha256                   what the database names; `sha256sum --check` in the backup's folder reads it
    backup.json                    when, by which version, how many rows, some receipts and their keys
"""

import fcntl
import hashlib
import json
import os
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from courses.errors import Conflict, Invalid, NotFound
from exchange.storage import blobs
from exchange.storage.copies import BlobCopies

UNFINISHED = ".unfinished"
STAMP = "%Y%m%dT%H%M%SZ"
SQLITE_FILE, DUMP_FILE, KEY_FILE = "ngshare.sqlite3", "ngshare.dump", "ngshare_secret_key"
LIST_FILE, DESCRIPTION_FILE = "blobs.sha256", "backup.json"
FORMAT = 1


@dataclass
class Description:
    """What `backup.json` says about a snapshot."""

    created: str
    version: str  # of ngshare
    database: str  # the file
    database_sha256: str
    rows: dict[str, int]  # by table
    migrations: dict[str, list[str]]  # by app
    blobs: int
    bytes: int
    lost: list[str]  # what the store had lost when the backup was made
    receipts: list[dict[str, object]]  # of the latest submissions
    receipt_keys: dict[str, str] = field(default_factory=dict)  # public keys by id
    format: int = field(default=FORMAT)


@dataclass(frozen=True)
class Snapshot:
    path: Path

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def is_finished(self) -> bool:
        return not self.name.endswith(UNFINISHED)

    @property
    def database(self) -> Path:
        """The database file that it has, or will have if it is PostgreSQL's."""
        sqlite = self.path / SQLITE_FILE
        return sqlite if sqlite.exists() else self.path / DUMP_FILE

    @property
    def secret_key(self) -> str:
        """The key in it; an empty text if the key is kept elsewhere."""
        path = self.path / KEY_FILE
        return path.read_text().strip() if path.exists() else ""

    def describe(self) -> Description:
        """Errors: Invalid."""
        try:
            fields: dict[str, Any] = json.loads((self.path / DESCRIPTION_FILE).read_text())
            if fields.get("format") != FORMAT:
                raise Invalid(f"{self.path} was made by another version of ngshare, in a format unknown to this one.")
            return Description(**fields)
        except (OSError, ValueError, TypeError, AttributeError) as error:
            raise Invalid(f"{self.path / DESCRIPTION_FILE} cannot be read: {error}") from error

    def listed_blobs(self) -> Iterator[str]:
        """Yield the hashes of `blobs.sha256`."""
        with open(self.path / LIST_FILE) as lines:
            yield from (line.partition(" ")[0] for line in lines)

    def finish(self, description: Description, named: Mapping[str, int]) -> "Snapshot":
        """Write what makes it complete, and give it its name. Return the finished snapshot."""
        with open(self.path / LIST_FILE, "w") as file:
            file.writelines(f"{sha256}  blobs/{blobs.key(sha256)}\n" for sha256 in sorted(named))
        (self.path / DESCRIPTION_FILE).write_text(json.dumps(asdict(description), indent=2) + "\n")
        for path in self.path.iterdir():
            sync(path)
        sync(self.path)
        finished = self.path.with_name(self.name.removesuffix(UNFINISHED))
        self.path.rename(finished)
        sync(finished.parent)
        return Snapshot(finished)


class BackupFolder:
    def __init__(self, root: Path) -> None:
        self.root = root.absolute()
        self.copies = BlobCopies(self.root / "blobs")
        self._snapshots = self.root / "snapshots"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Make the folder, and keep other backups out of it. Errors: Conflict, Invalid."""
        try:
            self._snapshots.mkdir(parents=True, exist_ok=True, mode=0o700)
            lock = open(self.root / "lock", "w")
        except OSError as error:
            raise Invalid(f"{self.root} cannot be written: {error.strerror}.") from error
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise Conflict(f"Another backup to {self.root} is running.") from error
            yield

    def finished(self) -> list[Snapshot]:
        """Return the finished snapshots, the oldest first."""
        return [snapshot for snapshot in self._all() if snapshot.is_finished]

    def choose(self, name: str = "") -> Snapshot:
        """Return the snapshot of this name, or the newest, finished or not. Errors: NotFound."""
        snapshots = [snapshot for snapshot in self._all() if name in ("", snapshot.name)]
        if not snapshots:
            raise NotFound(f"{self.root} has no snapshot {name}".rstrip() + ".")
        return snapshots[-1]

    def start(self) -> Snapshot:
        """Return a new snapshot to fill, after removing those that were never finished."""
        for snapshot in self._all():
            if not snapshot.is_finished:
                shutil.rmtree(snapshot.path)
        taken = {snapshot.name for snapshot in self._all()}
        while (name := datetime.now(UTC).strftime(STAMP)) in taken:  # a snapshot of this second
            time.sleep(0.05)
        path = self._snapshots / f"{name}{UNFINISHED}"
        path.mkdir(mode=0o700)
        return Snapshot(path)

    def prune(self, keep: int) -> int:
        """Remove all but the newest `keep` finished snapshots, then the blobs that no kept one lists.

        Return how many snapshots were removed.
        """
        (*others,) = self.finished()[:-keep]
        for snapshot in others:
            shutil.rmtree(snapshot.path)
        if others and all(snapshot.is_finished for snapshot in self._all()):
            self.copies.remove_others({sha256 for snapshot in self.finished() for sha256 in snapshot.listed_blobs()})
        return len(others)

    def _all(self) -> list[Snapshot]:
        paths = self._snapshots.iterdir() if self._snapshots.is_dir() else ()
        return sorted((Snapshot(path) for path in paths if path.is_dir()), key=lambda snapshot: snapshot.name)


def sync(path: Path) -> None:
    """Wait until a file, or the entries of a folder, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_secret(path: Path, secret: str) -> None:
    """Write a secret for its owner alone, durably."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "w") as file:
        file.write(secret)
        file.flush()
        os.fsync(file.fileno())
    sync(path.parent)


def hash_of(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
