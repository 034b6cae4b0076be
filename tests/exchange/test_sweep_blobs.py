"""`manage.py sweep_blobs`."""

import os
import time
from datetime import timedelta
from io import StringIO

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.utils import timezone

from exchange.models import Blob
from exchange.storage import blobs
from tests import cast

LEFT_OVER = b"of an upload that broke off"


def said(*arguments):
    out = StringIO()
    call_command("sweep_blobs", *arguments, stdout=out)
    return out.getvalue()


def leave_over(*, hours):
    sha256 = cast.sha256(LEFT_OVER)
    touched = timezone.now() - timedelta(hours=hours)
    Blob.objects.create(sha256=sha256, md5="0" * 32, size=len(LEFT_OVER), touched=touched)
    default_storage.save(blobs.key(sha256), ContentFile(LEFT_OVER))
    return sha256


def test_a_dry_run_only_says_what_would_go(submission):
    sha256 = leave_over(hours=25)
    assert said("--dry-run") == f"1 blobs, {len(LEFT_OVER)} bytes, would be removed; 0 unfinished uploads, too.\n"
    assert Blob.objects.filter(sha256=sha256).exists()
    assert default_storage.exists(blobs.key(sha256))


def test_old_left_overs_go_and_what_is_in_use_stays(submission):
    sha256 = leave_over(hours=25)
    kept = Blob.objects.exclude(sha256=sha256).count()
    Blob.objects.update(touched=timezone.now() - timedelta(days=400))
    assert said() == f"1 blobs, {len(LEFT_OVER)} bytes, removed; 0 unfinished uploads, too.\n"
    assert not default_storage.exists(blobs.key(sha256))
    assert Blob.objects.count() == kept
    assert all(blobs.verify(blob.sha256) for blob in Blob.objects.all())


def test_young_left_overs_stay(submission):
    leave_over(hours=23)
    assert said() == "0 blobs, 0 bytes, removed; 0 unfinished uploads, too.\n"


def test_a_time_that_could_hit_an_upload_under_way_is_refused(db):
    with pytest.raises(CommandError, match="--hours"):
        call_command("sweep_blobs", "--hours", "1")


def test_folder_of_an_upload_whose_process_died_is_removed(db):
    root = blobs.staging_folder()
    old, new = root / "old", root / "new"
    for folder in (old, new):
        folder.mkdir(parents=True)
        (folder / "half").write_bytes(b"x")
    day = 24 * 3600
    os.utime(old, (time.time() - 2 * day, time.time() - 2 * day))
    assert "1 unfinished uploads" in said("--dry-run") and old.exists()
    said()
    assert not old.exists() and new.exists()
