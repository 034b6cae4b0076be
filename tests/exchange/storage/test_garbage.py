"""Garbage collection, and its command `manage.py sweep_blobs`."""

import os
import time
from datetime import timedelta
from io import StringIO

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from courses.models import AuditEntry
from exchange import services
from exchange.models import Blob, FileEntry, FileSet, Submission
from exchange.storage import blobs, file_sets, garbage
from tests import cast
from tests.cast import WORK, actor

LEFT_OVER = b"of an upload that broke off"
HOUR = timedelta(hours=1)


def is_stored(content):
    return default_storage.exists(blobs.key(cast.sha256(content)))


def break_off(content):
    """Leave a blob as a crash between bytes and rows does."""
    with pytest.raises(RuntimeError), file_sets.store_upload(cast.upload({"a": content}), by=actor("bob")):
        raise RuntimeError("the process dies")
    return Blob.objects.get(sha256=cast.sha256(content))


def in_an_hour():
    return timezone.now() + HOUR


def test_upload_that_broke_off_leaves_no_file_set_and_its_bytes_are_removed(course):
    break_off(b"orphan")
    assert is_stored(b"orphan") and not FileSet.objects.exists()
    assert garbage.collect_garbage(timezone.now() - HOUR) == (0, 0)
    assert is_stored(b"orphan")
    assert garbage.orphans(in_an_hour()).count() == 1
    assert garbage.collect_garbage(in_an_hour()) == (1, len(b"orphan"))
    assert not is_stored(b"orphan") and not Blob.objects.exists()


def test_bytes_stay_stored_if_an_upload_that_is_under_way_names_them_after_they_were_marked(course, monkeypatch):
    break_off(b"shared")
    Blob.objects.update(stored=True)
    upload, mark = cast.upload({"a": b"shared"}), garbage._mark_as_going
    with file_sets.store_upload(upload, by=actor("bob")) as stored:

        def mark_and_commit_the_upload(pks, before):
            mark(pks, before)
            file_sets.create_file_set(upload.manifests[0], stored)

        monkeypatch.setattr(garbage, "_mark_as_going", mark_and_commit_the_upload)
        garbage.collect_garbage(in_an_hour())
    assert is_stored(b"shared") and Blob.objects.get().stored


def test_what_is_in_use_stays(submission):
    before = cast.everything()
    assert not garbage.orphans(in_an_hour()).exists()
    assert garbage.collect_garbage(in_an_hour()) == (0, 0)
    assert cast.everything() == before
    assert all(blobs.verify(blob.sha256) for blob in Blob.objects.all())


def test_releases_and_feedback_are_uses_too(submission):
    cast.return_feedback(submission, "alice")
    services.release(submission.assignment.course, "ps2", cast.upload({"b": b"b"}), by=actor("alice"))
    before = cast.everything()
    assert garbage.collect_garbage(in_an_hour()) == (0, 0)
    assert cast.everything() == before


def test_files_of_a_deleted_submission_go_and_shared_ones_stay(submission):
    submission.delete()
    size = len(WORK["ps1.ipynb"])
    assert garbage.orphans(in_an_hour()).count() == 1
    assert garbage.collect_garbage(in_an_hour()) == (1, size)
    assert not is_stored(WORK["ps1.ipynb"]) and is_stored(WORK["data/numbers.csv"])
    assert FileSet.objects.count() == 1
    entry = AuditEntry.objects.first()
    assert (entry.action, entry.object_type, entry.object_id) == ("collect garbage", "blob", None)
    assert entry.details == {"blobs": 1, "bytes": size, "file_sets": 1}


def test_files_of_a_deleted_submission_stay_while_an_upload_relies_on_them(submission):
    submission.delete()
    Blob.objects.update(touched=timezone.now() - 2 * HOUR)
    Blob.objects.filter(sha256=cast.sha256(WORK["ps1.ipynb"])).update(touched=timezone.now())
    before = cast.everything()
    assert garbage.collect_garbage(timezone.now() - HOUR) == (0, 0)
    assert cast.everything() == before


def test_running_upload_protects_what_it_relies_on(assignment):
    Blob.objects.update(touched=timezone.now() - 48 * HOUR)
    upload = cast.upload({"ps1.ipynb": b"{}"})
    with file_sets.store_upload(upload, by=actor("bob")):
        assert garbage.collect_garbage(timezone.now() - HOUR) == (0, 0)
        with transaction.atomic():
            assert file_sets.create_file_set(upload.manifests[0])


def test_upload_touches_what_it_did_not_send_so_that_it_stays(submission):
    """The submission is deleted while another upload of the same student relies on its files."""
    Blob.objects.update(touched=timezone.now() - 48 * HOUR)
    upload = cast.upload(WORK)
    upload.sent = []
    with file_sets.store_upload(upload, by=actor("bob")):
        submission.delete()
        assert garbage.collect_garbage(timezone.now() - HOUR) == (0, 0)
        with transaction.atomic():
            file_set, _ = file_sets.create_file_set(upload.manifests[0])
    assert all(blobs.verify(entry.blob.sha256) for entry in file_set.entries.all())


def test_recent_blob_without_a_file_set_is_not_marked(course):
    blob = break_off(b"recent")
    Blob.objects.filter(pk=blob.pk).update(stored=True)
    before = cast.everything()
    assert garbage.collect_garbage(timezone.now() - HOUR) == (0, 0)
    assert cast.everything() == before


def test_bytes_are_stored_anew_after_a_collection_that_crashed(assignment, monkeypatch):
    blob = break_off(b"again")
    Blob.objects.filter(pk=blob.pk).update(stored=True)

    def crash(sha256):
        default_storage.delete(blobs.key(sha256))
        raise RuntimeError("the power is gone")

    with monkeypatch.context() as patched, pytest.raises(RuntimeError):
        patched.setattr(blobs, "delete", crash)
        garbage.collect_garbage(in_an_hour())
    assert not Blob.objects.get(pk=blob.pk).stored and not is_stored(b"again")
    services.submit(assignment, cast.upload({"a": b"again"}), by=actor("bob"))
    assert blobs.verify(blob.sha256) and Blob.objects.get(pk=blob.pk).stored


# Beside running uploads


@pytest.fixture
def after_first_deletion(monkeypatch):
    """Run something after the bytes of the first blob went, as an upload in another process would."""
    delete, pending = blobs.delete, []

    def delete_and_run(sha256):
        delete(sha256)
        if pending:
            pending.pop()(Blob.objects.exclude(sha256=sha256).get())

    monkeypatch.setattr(blobs, "delete", delete_and_run)
    return pending.append


@pytest.mark.parametrize("column", ["touched", "stored"])
def test_blob_on_which_an_upload_relied_meanwhile_stays(course, after_first_deletion, column):
    break_off(b"one"), break_off(b"two")
    value = {"touched": timezone.now() + 2 * HOUR, "stored": True}[column]
    after_first_deletion(lambda other: Blob.objects.filter(pk=other.pk).update(**{column: value}))
    assert garbage.collect_garbage(in_an_hour()) == (1, 3)
    assert is_stored(b"one") + is_stored(b"two") == Blob.objects.count() == 1


def test_blob_that_a_file_set_names_meanwhile_stays(course, after_first_deletion):
    break_off(b"one"), break_off(b"two")

    def use(other):
        file_set = FileSet.objects.create(digest="0" * 64, size=3, file_count=1)
        FileEntry.objects.create(file_set=file_set, position=0, path="a", blob=other)

    after_first_deletion(use)
    assert garbage.collect_garbage(in_an_hour()) == (1, 3)
    assert is_stored(b"one") + is_stored(b"two") == Blob.objects.count() == 1


def test_file_set_that_is_used_meanwhile_stays(submission, monkeypatch):
    """Another student submits equal files after the unused file sets were listed and before their blobs were locked."""
    submission.delete()
    file_set = FileSet.objects.get(pk=submission.file_set_id)
    locking = QuerySet.select_for_update

    def submit_then_lock(rows, *arguments, **options):
        if rows.model is Blob and not Submission.objects.exists():
            columns = {"assignment": submission.assignment, "student": cast.person("dave")}
            Submission.objects.create(**columns, created=timezone.now(), file_set=file_set)
        return locking(rows, *arguments, **options)

    monkeypatch.setattr(QuerySet, "select_for_update", submit_then_lock)
    assert garbage.collect_garbage(in_an_hour()) == (0, 0)
    assert Submission.objects.get().file_set == file_set


def test_rows_are_locked_in_a_transaction_before_bytes_go(submission, monkeypatch):
    submission.delete()
    steps = []
    locking, delete = QuerySet.select_for_update, blobs.delete

    def record_lock(rows, *arguments, **options):
        steps.append(("lock", rows.model.__name__, len(transaction.get_connection().savepoint_ids)))
        return locking(rows, *arguments, **options)

    monkeypatch.setattr(QuerySet, "select_for_update", record_lock)
    monkeypatch.setattr(blobs, "delete", lambda sha256: (steps.append(("delete",)), delete(sha256)))
    outside = len(transaction.get_connection().savepoint_ids)
    garbage.collect_garbage(in_an_hour())
    locks = [("lock", model, outside + 1) for model in ("Blob", "FileSet", "Blob", "Blob")]
    assert steps == [*locks, ("delete",)]


# The command


def run(*arguments):
    out = StringIO()
    call_command("sweep_blobs", *arguments, stdout=out)
    return out.getvalue()


def leave_over(*, hours):
    sha256 = cast.sha256(LEFT_OVER)
    touched = timezone.now() - timedelta(hours=hours)
    Blob.objects.create(sha256=sha256, md5="0" * 32, size=len(LEFT_OVER), touched=touched)
    default_storage.save(blobs.key(sha256), ContentFile(LEFT_OVER))
    return sha256


def test_dry_run_only_says_what_would_be_removed(submission):
    sha256 = leave_over(hours=25)
    assert run("--dry-run") == f"1 blob, {len(LEFT_OVER)} bytes, would be removed; 0 unfinished uploads, too.\n"
    assert Blob.objects.filter(sha256=sha256).exists()
    assert default_storage.exists(blobs.key(sha256))


def test_old_leftovers_are_removed_and_what_is_in_use_stays(submission):
    sha256 = leave_over(hours=25)
    kept = Blob.objects.exclude(sha256=sha256).count()
    Blob.objects.update(touched=timezone.now() - timedelta(days=400))
    assert run() == f"1 blob, {len(LEFT_OVER)} bytes, removed; 0 unfinished uploads, too.\n"
    assert not default_storage.exists(blobs.key(sha256))
    assert Blob.objects.count() == kept
    assert all(blobs.verify(blob.sha256) for blob in Blob.objects.all())


def test_recent_leftovers_stay(submission):
    leave_over(hours=23)
    assert run() == "0 blobs, 0 bytes, removed; 0 unfinished uploads, too.\n"


def test_time_that_could_hit_a_running_upload_is_refused(db):
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
    assert "1 unfinished upload," in run("--dry-run") and old.exists()
    run()
    assert not old.exists() and new.exists()
