"""`ngshare restore`: into a fresh folder, over an existing one, and what it refuses."""

import json
import os

import pytest

from tests.cast import WORK, sha256
from tests.ngshare_site.backups.conftest import snapshots

pytestmark = pytest.mark.live  # each command is a process
NOTEBOOK = sha256(WORK["ps1.ipynb"])
TABLES = ("courses_membership", "exchange_submission", "exchange_fileentry", "courses_auditentry")

READY = """
import json, os, sys, django
os.environ["DJANGO_SETTINGS_MODULE"] = "ngshare_site.settings"
from ngshare_site import data_folder
django.setup(); data_folder.prepare()
from exchange import receipts
from exchange.models import Submission
"""
RECEIPTS = f"{READY}print(json.dumps([receipts.receipt(row) for row in Submission.objects.order_by('pk')]))"
VERIFY = f"{READY}print(json.dumps([receipts.verify(receipt).state for receipt in json.loads(sys.argv[1])]))"


@pytest.fixture
def backup(place, tmp_path):
    place.must("backup", tmp_path / "backup")
    return tmp_path / "backup"


def rows(place):
    return [place.query(f"SELECT * FROM {table} ORDER BY id") for table in TABLES]


def test_fresh_folder_gets_everything_and_receipts_verify(place, fresh, backup):
    done = fresh.must("restore", backup)
    assert "1 submission, 4 blobs, and the receipts verify" in done.stdout
    assert rows(fresh) == rows(place)
    assert {name: path.read_bytes() for name, path in fresh.blobs().items()} == {
        name: path.read_bytes() for name, path in place.blobs().items()
    }
    key = fresh.data / "ngshare_secret_key"
    assert key.read_text() == (place.data / "ngshare_secret_key").read_text()
    assert oct(key.stat().st_mode)[-3:] == "600" and oct(fresh.data.stat().st_mode)[-3:] == "700"
    fresh.must("restore", "--check", backup)
    assert "4 blobs verified" in fresh.must("verify_blobs", "--all").stdout


def test_place_that_is_not_empty_is_refused_and_left_alone(place, backup):
    place.submit("newer")
    before = rows(place)
    done = place.run("restore", backup)
    assert done.returncode == 1 and "There is a database already" in done.stderr
    assert rows(place) == before


def test_replacing_keeps_what_was_there_aside(place, backup):
    place.submit("newer")
    place.must("restore", "--replace", backup)
    assert len(place.query("SELECT id FROM exchange_submission")) == 1
    (aside,) = place.data.glob("ngshare.sqlite3.before-*")
    place.data.joinpath("ngshare.sqlite3").unlink()
    aside.rename(place.data / "ngshare.sqlite3")
    assert len(place.query("SELECT id FROM exchange_submission")) == 2


def test_other_key_is_refused(fresh, backup):
    fresh.data.mkdir()
    (fresh.data / "ngshare_secret_key").write_text("a key that was here before, long enough, and not the same")
    done = fresh.run("restore", backup)
    assert done.returncode == 1 and "There is another key already" in done.stderr
    assert os.listdir(fresh.data) == ["ngshare_secret_key"]


def test_damaged_backup_restores_nothing(fresh, backup):
    (backup / "blobs" / NOTEBOOK[:2] / NOTEBOOK).write_bytes(b"rotten")
    done = fresh.run("restore", backup)
    assert done.returncode == 1 and "nothing was restored" in done.stderr
    assert not fresh.data.exists()


def test_unfinished_backup_is_refused(fresh, backup):
    (snapshot,) = snapshots(backup)
    snapshot.rename(f"{snapshot}.unfinished")
    done = fresh.run("restore", backup)
    assert done.returncode == 1 and "is not whole" in done.stderr
    assert not fresh.data.exists()


def test_backup_of_a_newer_version_is_refused(fresh, backup):
    (snapshot,) = snapshots(backup)
    description = json.loads((snapshot / "backup.json").read_text())
    description["migrations"]["exchange"].append("9999_of_tomorrow")
    (snapshot / "backup.json").write_text(json.dumps(description))
    done = fresh.run("restore", backup)
    assert done.returncode == 1 and "newer ngshare" in done.stderr
    assert not fresh.data.exists()


def test_backup_of_an_older_version_is_migrated(place, fresh, tmp_path):
    place.must("migrate", "exchange", "0005", "--verbosity=0")
    place.must("backup", tmp_path / "old")
    fresh.must("restore", tmp_path / "old")
    assert fresh.query("SELECT count(*) FROM django_migrations WHERE name = '0006_blob_upload'") == [(1,)]


def test_interrupted_restore_can_be_repeated(fresh, backup):
    kept = backup / "blobs" / NOTEBOOK[:2] / NOTEBOOK
    there = fresh.data / "blobs" / NOTEBOOK[:2] / NOTEBOOK
    there.parent.mkdir(parents=True)
    there.write_bytes(kept.read_bytes()[:5])
    (fresh.data / "ngshare.sqlite3.restoring").write_bytes(b"half")
    fresh.must("restore", backup)
    assert there.read_bytes() == WORK["ps1.ipynb"]


def test_check_names_what_a_restored_place_has_lost(fresh, backup):
    fresh.must("restore", backup)
    fresh.blobs()[NOTEBOOK].unlink()
    fresh.query("DELETE FROM exchange_feedback")
    done = fresh.run("restore", "--check", backup)
    assert done.returncode == 1
    assert f"The blob {NOTEBOOK} is missing" in done.stderr
    assert "exchange_feedback has 0 rows; the backup has 1" in done.stderr
    (fresh.data / "ngshare_secret_key").write_text("a key that never signed a receipt of this service")
    assert "Receipt 1 of bob" not in fresh.run("restore", "--check", backup).stderr
    fresh.query("DELETE FROM exchange_receiptkey")
    assert "Receipt 1 of bob: This receipt was not signed" in fresh.run("restore", "--check", backup).stderr


def test_receipts_verify_after_a_rotation_and_a_restore_without_the_secret_key(place, fresh, tmp_path):
    place.must("rotate_receipt_key")
    place.submit("second")
    receipts = json.loads(place.must(script=RECEIPTS).stdout)
    assert len({receipt["key"] for receipt in receipts}) == 2
    place.must("backup", tmp_path / "backup")
    (snapshot,) = snapshots(tmp_path / "backup")
    (snapshot / "ngshare_secret_key").unlink()
    fresh.must("restore", tmp_path / "backup", NGSHARE_SECRET_KEY=(place.data / "ngshare_secret_key").read_text())
    other = {"NGSHARE_SECRET_KEY": "another one, which has never signed anything here 0123456789"}
    assert json.loads(fresh.must(script=RECEIPTS, **other).stdout) == receipts
    done = fresh.must(json.dumps(receipts), script=VERIFY, **other)
    assert json.loads(done.stdout) == ["genuine", "genuine"]


def test_receipts_from_after_the_backup_are_genuine_and_say_that_the_submission_is_gone(place, fresh, backup):
    place.must("rotate_receipt_key")
    place.submit("later")
    fresh.must("restore", backup)
    done = fresh.must(place.must(script=RECEIPTS).stdout, script=VERIFY)
    assert json.loads(done.stdout) == ["genuine", "deleted"]
