"""`ngshare backup` of SQLite and a folder, and `backup --check`."""

import hashlib
import stat
import subprocess

import pytest

from tests.cast import WORK, sha256
from tests.ngshare_site.backups.conftest import described, snapshots

pytestmark = pytest.mark.live  # each command is a process
NOTEBOOK = sha256(WORK["ps1.ipynb"])


def test_backup_has_the_database_the_key_and_every_blob(place, tmp_path):
    done = place.must("backup", tmp_path / "backup")
    assert "4 blobs, 52 bytes, of which 4, 52 bytes, are new" in done.stdout
    (snapshot,) = snapshots(tmp_path / "backup")
    assert described(snapshot)["rows"]["exchange_submission"] == 1
    assert (snapshot / "ngshare_secret_key").read_text() == (place.data / "ngshare_secret_key").read_text()
    assert stat.S_IMODE((snapshot / "ngshare_secret_key").stat().st_mode) == 0o600
    assert stat.S_IMODE((snapshot / "ngshare.sqlite3").stat().st_mode) == 0o600
    for name, path in place.blobs().items():
        copy = tmp_path / "backup/blobs" / name[:2] / name
        assert copy.read_bytes() == path.read_bytes() and copy.stat().st_ino != path.stat().st_ino
    # without ngshare, too
    command = ["sha256sum", "--check", "--quiet", snapshot / "blobs.sha256"]
    assert subprocess.run(command, cwd=tmp_path / "backup").returncode == 0
    assert "is whole: 1 submission, 4 blobs" in place.must("backup", "--check", tmp_path / "backup").stdout
    ((task, succeeded),) = place.query("SELECT task, succeeded FROM exchange_maintenancerun")
    assert (task, succeeded) == ("backup", 1)


def test_second_backup_copies_only_what_is_new_and_old_snapshots_are_pruned(place, tmp_path):
    place.must("backup", tmp_path / "backup")
    first = {path: path.stat().st_mtime_ns for path in (tmp_path / "backup/blobs").glob("??/*")}
    place.submit("again")
    place.query("SELECT 1")
    done = place.must("backup", tmp_path / "backup", "--keep", "1")
    assert "of which 1, 5 bytes, are new" in done.stdout and "1 older snapshots were removed" in done.stdout
    (snapshot,) = snapshots(tmp_path / "backup")
    assert described(snapshot)["rows"]["exchange_submission"] == 2
    assert all(path.stat().st_mtime_ns == time for path, time in first.items())
    place.must("backup", "--check", tmp_path / "backup")


WATCHED = """
import os, sys, django
os.environ["DJANGO_SETTINGS_MODULE"] = "ngshare_site.settings"
django.setup()
from django.core.management import call_command
from courses.errors import Conflict
from ngshare_site.backups.folder import BackupFolder
prune = BackupFolder.prune
def watch(folder, keep):
    try:
        with BackupFolder(folder.root).locked():
            print("open to others")
    except Conflict as error:
        print(error)
    return prune(folder, keep)
BackupFolder.prune = watch
call_command("backup", sys.argv[1], keep=1)
"""


def test_no_other_backup_begins_while_old_snapshots_are_pruned(place, tmp_path):
    done = place.must(tmp_path / "backup", script=WATCHED)
    assert f"Another backup to {tmp_path / 'backup'} is running." in done.stdout
    assert "open to others" not in done.stdout


def test_blobs_of_pruned_snapshots_go_with_them(place, tmp_path):
    place.must("backup", tmp_path / "backup")
    feedback = hashlib.sha256(b"<b>well done</b>").hexdigest()
    place.query("DELETE FROM exchange_feedback")
    place.query("DELETE FROM exchange_fileentry WHERE path = 'ps1.html'")
    place.must("backup", tmp_path / "backup")
    assert (tmp_path / "backup/blobs" / feedback[:2] / feedback).exists()
    place.must("backup", tmp_path / "backup", "--keep", "2")
    assert not (tmp_path / "backup/blobs" / feedback[:2] / feedback).exists()
    assert (tmp_path / "backup/blobs" / NOTEBOOK[:2] / NOTEBOOK).exists()


def test_backup_of_a_store_that_lost_bytes_has_the_rest_and_says_so(place, tmp_path):
    place.blobs()[NOTEBOOK].write_bytes(b"rotten")
    done = place.run("backup", tmp_path / "backup")
    assert done.returncode == 1 and NOTEBOOK in done.stderr and "1 blob is lost" in done.stderr
    (snapshot,) = snapshots(tmp_path / "backup")
    assert described(snapshot)["lost"] == [NOTEBOOK]
    assert not (tmp_path / "backup/blobs" / NOTEBOOK[:2] / NOTEBOOK).exists()


@pytest.mark.parametrize("harm", ["blob", "no blob", "database", "key"])
def test_check_finds_what_is_wrong_with_a_backup(place, tmp_path, harm):
    place.must("backup", tmp_path / "backup")
    (snapshot,) = snapshots(tmp_path / "backup")
    blob = tmp_path / "backup/blobs" / NOTEBOOK[:2] / NOTEBOOK
    if harm == "blob":
        blob.write_bytes(WORK["ps1.ipynb"][::-1])
    elif harm == "no blob":
        blob.unlink()
    elif harm == "database":
        content = bytearray((snapshot / "ngshare.sqlite3").read_bytes())
        content[5000] ^= 1
        (snapshot / "ngshare.sqlite3").write_bytes(content)
    else:
        (snapshot / "ngshare_secret_key").write_text("another key, as long as one has to be, but other\n")
    done = place.run("backup", "--check", tmp_path / "backup")
    assert done.returncode == 1 and "1 thing is wrong" in done.stderr
    expected = {"database": "is not the file that was written", "key": "signed with another key"}
    assert expected.get(harm, f"{NOTEBOOK} is damaged or missing") in done.stderr


def test_snapshot_that_was_cut_off_is_replaced_by_the_next(place, tmp_path):
    (tmp_path / "backup/snapshots/20200101T000000Z.unfinished").mkdir(parents=True)
    place.must("backup", tmp_path / "backup")
    (snapshot,) = snapshots(tmp_path / "backup")
    assert not snapshot.name.startswith("2020")


def test_folder_that_cannot_be_written_is_one_sentence(place, tmp_path):
    (tmp_path / "file").write_text("")
    done = place.run("backup", tmp_path / "file")
    assert done.returncode == 1 and "cannot be written: Not a directory" in done.stderr
    assert "Traceback" not in done.stderr


def test_for_s3_the_command_is_printed_and_the_check_finishes_the_snapshot(place, tmp_path):
    store = {"NGSHARE_STORAGE": "s3://bucket/pre fix?endpoint_url=http://s3.invalid:9000&region_name=eu-1"}
    done = place.run("backup", tmp_path / "backup", **store)
    assert done.returncode == 3
    command = f"aws s3 sync --size-only 's3://bucket/pre fix/' {tmp_path}/backup/blobs/ --exclude 'parts/*' "
    assert command + "--endpoint-url http://s3.invalid:9000 --region eu-1\n" in done.stdout
    assert done.stdout.endswith(f"ngshare backup --check {tmp_path}/backup\n")
    done = place.run("backup", "--check", tmp_path / "backup", **store)
    assert done.returncode == 1 and "4 things are wrong" in done.stderr
    subprocess.run(["cp", "-r", place.data / "blobs", tmp_path / "backup"], check=True)
    place.must("backup", "--check", tmp_path / "backup", **store)
    (snapshot,) = snapshots(tmp_path / "backup")
    assert not snapshot.name.endswith("unfinished") and described(snapshot)["blobs"] == 4
