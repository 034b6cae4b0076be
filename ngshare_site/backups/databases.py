"""Databases: copying SQLite while it is in use, and reading what a copy, or a dump of PostgreSQL, contains."""

import re
import shlex
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from django.conf import settings
from django.db import connection

from courses.errors import Invalid
from ngshare_site.backups.folder import SQLITE_FILE, Snapshot, sync

OUR_APPS = ("courses", "exchange")
OURS = re.compile(r"(courses|exchange)_(?!auditunlock$)\w+")
COPY = re.compile(r'COPY (?:\w+\.)?"?(?P<table>\w+)"? \((?P<columns>[^)]*)\) FROM stdin;\n')


@dataclass
class Contents:
    """What a copy of the database says."""

    rows: dict[str, int] = field(default_factory=dict)  # by table
    migrations: dict[str, list[str]] = field(default_factory=dict)  # by app
    blobs: dict[str, int] = field(default_factory=dict)  # bytes by hash, of all that a file set names
    latest: list[int] = field(default_factory=list)  # ids of the latest submissions


def is_sqlite() -> bool:
    return connection.vendor == "sqlite"


def sqlite_path() -> Path:
    return Path(str(cast(str, connection.settings_dict["NAME"])))


def copy_sqlite(target: Path) -> None:
    """Copy the database as it is at one moment, while others read and write."""
    target.unlink(missing_ok=True)
    with closing(sqlite3.connect(sqlite_path(), timeout=60)) as source, closing(sqlite3.connect(target)) as copy:
        source.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE")  # one file, which is whole by itself
    target.chmod(0o600)
    sync(target)


def read_contents(snapshot: Snapshot, *, latest: int = 0) -> Contents:
    """Return what the database of a snapshot contains. Errors: Invalid, if it is damaged or not there."""
    if snapshot.database.name == SQLITE_FILE:
        return read_sqlite(snapshot.database, latest=latest)
    return _read_dump(snapshot.database, latest=latest)


def read_sqlite(path: Path, *, latest: int = 0) -> Contents:
    """Errors: Invalid."""
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
            ((state,), *_) = database.execute("PRAGMA integrity_check(1)")
            if state != "ok" or database.execute("PRAGMA foreign_key_check").fetchone():
                raise Invalid(f"{path} is damaged: {state}.")
            return _read_tables(database, latest)
    except sqlite3.Error as error:
        raise Invalid(f"{path} cannot be read: {error}.") from error


def _read_tables(database: sqlite3.Connection, latest: int) -> Contents:
    contents = Contents()
    for (table,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").fetchall():
        if OURS.fullmatch(table):
            ((contents.rows[table],),) = database.execute(f'SELECT count(*) FROM "{table}"')
    for app, name in database.execute("SELECT app, name FROM django_migrations ORDER BY id"):
        contents.migrations.setdefault(app, []).append(name)
    contents.blobs = dict(
        database.execute("SELECT sha256, size FROM exchange_blob WHERE id IN (SELECT blob_id FROM exchange_fileentry)")
    )
    rows = database.execute("SELECT id FROM exchange_submission ORDER BY id DESC LIMIT ?", [latest])
    contents.latest = [pk for (pk,) in rows]
    return contents


def _read_dump(path: Path, *, latest: int) -> Contents:
    """Read a dump of PostgreSQL through pg_restore, which comes with pg_dump. Errors: Invalid."""
    if not path.exists():
        raise Invalid(f"{path} is not there yet: run pg_dump as `ngshare backup` says.")
    contents = Contents()
    used: set[str] = set()
    sizes: dict[str, tuple[str, int]] = {}
    submissions: list[int] = []
    for table, row in _dumped_rows(path):
        if table == "django_migrations":
            contents.migrations.setdefault(row["app"], []).append(row["name"])
        elif OURS.fullmatch(table):
            contents.rows[table] = contents.rows.get(table, 0) + bool(row)
        if row and table == "exchange_blob":
            sizes[row["id"]] = row["sha256"], int(row["size"])
        elif row and table == "exchange_fileentry":
            used.add(row["blob_id"])
        elif row and table == "exchange_submission":
            submissions.append(int(row["id"]))
    contents.blobs = dict(sizes[pk] for pk in used)
    contents.latest = sorted(submissions)[::-1][:latest]
    return contents


def _dumped_rows(path: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield the table and the values of each row of a dump, and one of no values for each table. Errors: Invalid."""
    command = ["pg_restore", "--data-only", "--file=-", str(path)]
    try:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8")
    except FileNotFoundError as error:
        raise Invalid("pg_restore is not installed here; it reads the dump.") from error
    with process:
        assert process.stdout and process.stderr
        for line in process.stdout:
            if match := COPY.fullmatch(line):
                table, columns = match["table"], [name.strip(' "') for name in match["columns"].split(",")]
                is_needed = OURS.fullmatch(table) or table == "django_migrations"
                if OURS.fullmatch(table):
                    yield table, {}
                for row in iter(process.stdout.readline, "\\.\n"):
                    if is_needed:
                        yield table, dict(zip(columns, row.rstrip("\n").split("\t"), strict=True))
        message = process.stderr.read()
    if process.returncode:
        raise Invalid(f"{path} cannot be read: {message.strip()[-500:]}")


# What an operator runs


def dump_command(target: Path) -> str:
    return f"pg_dump --format=custom --no-owner --file={shlex.quote(str(target))} --dbname={_address()}"


def restore_command(source: Path, *, replace: bool) -> str:
    clean = "--clean --if-exists " if replace else ""
    return (
        f"pg_restore {clean}--no-owner --single-transaction --exit-on-error --dbname={_address()} "
        f"{shlex.quote(str(source))}"
    )


def _address() -> str:
    """Return where PostgreSQL is, without the password: PGPASSWORD or ~/.pgpass has it."""
    database: dict[str, Any] = connection.settings_dict
    parts = {"host": database["HOST"], "port": database["PORT"], "user": database["USER"], "dbname": database["NAME"]}
    parts |= {name: value for name, value in database["OPTIONS"].items() if name.startswith(("ssl", "channel_"))}
    return shlex.quote(" ".join(f"{name}={_quoted(str(value))}" for name, value in parts.items() if value))


def _quoted(value: str) -> str:
    """Return a value as libpq's connection strings have it."""
    if re.fullmatch(r"[\w./:@-]+", value):
        return value
    return "'" + value.replace("\\", r"\\").replace("'", r"\'") + "'"


def sync_command(folder: Path, *, is_backup: bool) -> str:
    """Return the command that copies the bucket to a folder, or back."""
    store: Any = settings.STORAGES["default"]
    options = store["OPTIONS"]
    bucket = f"s3://{options['bucket_name']}/{options['location']}".rstrip("/") + "/"
    places = (bucket, f"{folder}/") if is_backup else (f"{folder}/", bucket)
    flags = {"--endpoint-url": options.get("endpoint_url"), "--region": options.get("region_name")}
    parts = ["aws", "s3", "sync", "--size-only", *places, "--exclude", "parts/*"]  # of unfinished uploads
    return shlex.join(parts + [part for name, value in flags.items() if value for part in (name, value)])
