"""Making a backup: the database first, then the blobs that it names.

Blobs never change and are only added, so every blob that the copy of the database names is there to be copied later,
unless garbage collection removes one of what was deleted permanently meanwhile: then the database is copied again.
"""

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings
from django.db.migrations.loader import MigrationLoader

from courses.errors import TryAgain
from courses.timestamps import format_timestamp
from exchange import receipt_keys, receipts
from exchange.models import FileEntry, Submission
from exchange.storage import blobs
from exchange.storage.blobs import WrongHash, WrongSize
from ngshare_site import __version__, env
from ngshare_site.backups import databases
from ngshare_site.backups.databases import Contents
from ngshare_site.backups.folder import (
    KEY_FILE,
    SQLITE_FILE,
    BackupFolder,
    Description,
    Snapshot,
    hash_of,
    write_secret,
)

ATTEMPTS = 3
VANISHED = "Garbage collection removed files while they were copied. Make the backup when it has ended."
RECEIPTS = 20  # of the latest submissions are kept to verify after a restore
ON_COPY = Callable[[int, int], None]  # bytes done, bytes in all


class Vanished(Exception):
    """A blob was deleted permanently since the database was copied."""


@dataclass
class Backup:
    """What a run did."""

    snapshot: Snapshot
    copied: int = 0
    copied_bytes: int = 0
    lost: list[str] = field(default_factory=list)


def prepare_backup(folder: BackupFolder) -> list[str]:
    """Start a snapshot with what can be copied now. Return the commands for the rest. Hold the folder's lock.

    Blobs in a folder are copied when the snapshot is finished: after the database.
    """
    snapshot = folder.start()
    _copy_secret_key(snapshot)
    commands = []
    if databases.is_sqlite():
        databases.copy_sqlite(snapshot.path / SQLITE_FILE)
    else:
        commands.append(databases.dump_command(snapshot.database))
    if blobs.folder() is None:
        commands.append(databases.sync_command(folder.copies.root, is_backup=True))
    return commands


def make_backup(folder: BackupFolder, on_copy: ON_COPY = lambda done, total: None) -> Backup:
    """Make a snapshot of SQLite and a folder. Hold the folder's lock.

    What the store has lost or damaged is listed in the snapshot and in the result. Errors: TryAgain, StoreUnreachable,
    Invalid.
    """
    backup = Backup(folder.start())
    _copy_secret_key(backup.snapshot)
    for _ in range(ATTEMPTS):
        databases.copy_sqlite(backup.snapshot.path / SQLITE_FILE)
        contents = databases.read_contents(backup.snapshot, latest=RECEIPTS)
        try:
            copy_blobs(folder, contents, backup, on_copy)
        except Vanished:
            continue
        backup.snapshot = backup.snapshot.finish(describe(backup.snapshot, contents, lost=backup.lost), contents.blobs)
        return backup
    shutil.rmtree(backup.snapshot.path)
    raise TryAgain(VANISHED)


def describe(snapshot: Snapshot, contents: Contents, *, lost: list[str]) -> Description:
    """A database that this version has yet to migrate is copied without a sample of its receipts."""
    latest = contents.latest if _is_migrated(contents) else []
    rows = Submission.objects.select_related("assignment__course", "student", "submitted_by", "release", "file_set")
    return Description(
        created=format_timestamp(datetime.now(UTC)),
        version=__version__,
        database=snapshot.database.name,
        database_sha256=hash_of(snapshot.database),
        rows=contents.rows,
        migrations=contents.migrations,
        blobs=len(contents.blobs),
        bytes=sum(contents.blobs.values()),
        lost=sorted(lost),
        receipts=[receipts.receipt(submission) for submission in rows.filter(pk__in=latest)],
        receipt_keys=receipt_keys.public_keys() if latest else {},
    )


def _is_migrated(contents: Contents) -> bool:
    known = MigrationLoader(None).disk_migrations or {}
    return all(name in contents.migrations.get(app, ()) for app, name in known if app in databases.OUR_APPS)


def _copy_secret_key(snapshot: Snapshot) -> None:
    """Copy the key that ngshare has made. One that comes from the environment is kept where that is kept."""
    path = settings.DATA / env.secret_file("NGSHARE_SECRET_KEY")
    if path.exists():
        write_secret(snapshot.path / KEY_FILE, path.read_text())


def copy_blobs(folder: BackupFolder, contents: Contents, backup: Backup, on_copy: ON_COPY) -> None:
    """Copy the blobs that are not among the copies yet. Errors: Vanished."""
    copies, backup.lost = folder.copies, []
    new = {sha256: size for sha256, size in contents.blobs.items() if not copies.has(sha256, size)}
    total, done = sum(new.values()), 0
    with tempfile.TemporaryDirectory(dir=folder.root, prefix="copying-") as staging:
        for sha256, size in sorted(new.items()):
            try:
                copies.add(sha256, size, Path(staging))
            except (FileNotFoundError, WrongHash, WrongSize) as error:
                if not FileEntry.objects.filter(blob__sha256=sha256).exists():
                    raise Vanished from error
                backup.lost.append(sha256)
            else:
                backup.copied, backup.copied_bytes = backup.copied + 1, backup.copied_bytes + size
            done += size
            on_copy(done, total)
