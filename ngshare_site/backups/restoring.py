"""Restoring: the key, the blobs, and the database last, so that nothing names bytes that are not there yet."""

import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.db.migrations.loader import MigrationLoader

from courses.errors import Conflict, Invalid
from exchange.storage import blobs
from ngshare_site import data_folder, env
from ngshare_site.backups import checking, databases
from ngshare_site.backups.folder import STAMP, BackupFolder, Snapshot, sync, write_secret


def restore(
    folder: BackupFolder, snapshot: Snapshot, *, replace: bool, on_copy: Callable[[int, int], None]
) -> list[str]:
    """Restore a snapshot. Return the commands that an operator must run for what this process cannot restore.

    With `replace` the database and the key that are here are kept beside the restored ones. Before anything is
    changed, the backup is checked. Errors: Conflict, Invalid, TryAgain.
    """
    description = snapshot.describe()
    _check_versions(description.migrations, description.version)
    is_sqlite_file = snapshot.database.suffix == ".sqlite3"
    if is_sqlite_file != databases.is_sqlite():
        raise Conflict(
            "The backup is of another kind of database than DATABASE_URL names; docs/operating.md has a way."
        )
    if not replace:
        _check_is_empty(snapshot)
    if problems := list(checking.check_backup(folder, snapshot)):
        raise Invalid(f"The backup is damaged, nothing was restored: {' '.join(problems[:5])}")
    aside = datetime.now(UTC).strftime(f".before-{STAMP}")
    os.umask(data_folder.PRIVATE_UMASK)
    _restore_key(snapshot, aside)
    data_folder.prepare()
    commands = []
    if blobs.folder() is not None:
        _restore_blobs(folder, snapshot, on_copy)
    else:
        commands.append(databases.sync_command(folder.copies.root, is_backup=False))
    if is_sqlite_file:
        _restore_sqlite(snapshot, aside)
        call_command("migrate", interactive=False, verbosity=0)
    else:
        commands += [databases.restore_command(snapshot.database, replace=replace), "ngshare migrate"]
    return commands


def _check_versions(migrations: dict[str, list[str]], version: str) -> None:
    known = MigrationLoader(None).disk_migrations or {}
    for app, names in migrations.items():
        if unknown := [name for name in names if app in databases.OUR_APPS and (app, name) not in known]:
            raise Conflict(f"The backup is of a newer ngshare, {version}: this one does not know {app} {unknown[0]}.")


def _check_is_empty(snapshot: Snapshot) -> None:
    """Errors: Conflict, if there is a database already, or a key that is not the backup's."""
    if databases.is_sqlite():
        path = databases.sqlite_path()
        if path.exists() and path.stat().st_size:
            raise Conflict(f"There is a database already: {path}. With --replace it is kept beside the restored one.")
    elif "courses_course" in connection.introspection.table_names():
        raise Conflict("The database has tables of ngshare already. With --replace they are replaced.")
    here = env.secret("NGSHARE_SECRET_KEY", settings.DATA)
    if _key_file().exists() and snapshot.secret_key and here != snapshot.secret_key:
        raise Conflict(
            f"There is another key already: {_key_file()}. With --replace it is kept beside the restored one."
        )


def _key_file() -> Path:
    return settings.DATA / env.secret_file("NGSHARE_SECRET_KEY")


def _restore_key(snapshot: Snapshot, aside: str) -> None:
    path = _key_file()
    if not snapshot.secret_key or (path.exists() and path.read_text().strip() == snapshot.secret_key):
        return
    settings.DATA.mkdir(parents=True, exist_ok=True, mode=0o700)
    if path.exists():
        path.rename(path.with_name(path.name + aside))
    write_secret(path, snapshot.secret_key)


def _restore_blobs(folder: BackupFolder, snapshot: Snapshot, on_copy: Callable[[int, int], None]) -> None:
    lost = set(snapshot.describe().lost)
    sizes = {sha256: size for sha256, size in databases.read_contents(snapshot).blobs.items() if sha256 not in lost}
    total, done = sum(sizes.values()), 0
    for sha256, size in sorted(sizes.items()):
        folder.copies.put_into_store(sha256, size)
        done += size
        on_copy(done, total)


def _restore_sqlite(snapshot: Snapshot, aside: str) -> None:
    path = databases.sqlite_path()
    draft = path.with_name(f"{path.name}.restoring")
    shutil.copyfile(snapshot.database, draft)
    sync(draft)
    checking.check_copy(snapshot, databases.read_sqlite(draft))
    connection.close()
    if path.exists():
        with closing(sqlite3.connect(path)) as former:
            former.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # everything in one file
        path.rename(path.with_name(path.name + aside))
        for suffix in ("-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
    draft.rename(path)
    sync(path.parent)
