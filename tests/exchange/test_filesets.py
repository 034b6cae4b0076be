"""File sets: settled in the right order, swept without harm."""

import io
from datetime import timedelta

import pytest
from django.core.files.storage import default_storage
from django.db import IntegrityError, transaction
from django.utils import timezone

from exchange import services
from exchange.api.v2 import bundles
from exchange.models import Blob, FileEntry, FileSet
from exchange.storage import blobs, file_sets, garbage
from exchange.storage.file_sets import ManifestEntry, Upload
from tests import cast
from tests.api_v2.conftest import WORK
from tests.cast import actor

LATER = timedelta(days=2)


def stored(content):
    return default_storage.exists(blobs.key(cast.sha256(content)))


def abandoned(content):
    """A blob as a crash between bytes and rows leaves it."""
    with pytest.raises(RuntimeError), file_sets.store_upload(cast.upload({"a": content}), by=cast.actor("bob")):
        raise RuntimeError("the process dies")


def test_digest_covers_order_paths_hashes_and_sizes():
    one, two = ManifestEntry("a", "0" * 64, 1), ManifestEntry("b", "1" * 64, 2)
    different = [
        [],
        [one],
        [two],
        [one, two],
        [two, one],
        [ManifestEntry("a", "0" * 64, 2)],
        [ManifestEntry("é", "0" * 64, 1)],
    ]
    assert len({file_sets.digest(lines) for lines in different}) == len(different)


def test_crash_after_the_bytes_leaves_no_file_set_and_the_sweep_removes_them(course):
    abandoned(b"orphan")
    assert stored(b"orphan") and not FileSet.objects.exists()
    assert garbage.collect_garbage(timezone.now() - timedelta(hours=1)) == (0, 0)
    assert stored(b"orphan")
    assert garbage.collect_garbage(timezone.now() + LATER) == (1, len(b"orphan"))
    assert not stored(b"orphan") and not Blob.objects.exists()


def test_sweep_leaves_what_is_in_use(submission):
    before = set(Blob.objects.values_list("sha256", flat=True))
    assert garbage.collect_garbage(timezone.now() + LATER) == (0, 0)
    assert set(Blob.objects.values_list("sha256", flat=True)) == before
    assert all(blobs.verify(sha256) for sha256 in before)


def test_bytes_are_stored_anew_after_a_sweep_that_crashed(assignment):
    abandoned(b"again")
    Blob.objects.filter(sha256=cast.sha256(b"again")).update(stored=False)  # the sweep's first step …
    blobs.delete(cast.sha256(b"again"))  # … its second, and then the power went
    services.submit(assignment, cast.upload({"a": b"again"}), by=cast.actor("bob"))
    assert blobs.verify(cast.sha256(b"again"))
    assert Blob.objects.get(sha256=cast.sha256(b"again")).stored


def test_upload_under_way_protects_its_blobs_from_the_sweep(assignment):
    Blob.objects.update(touched=timezone.now() - LATER)
    upload = cast.upload({"ps1.ipynb": b"{}"})
    with file_sets.store_upload(upload, by=cast.actor("bob")):
        assert garbage.collect_garbage(timezone.now() - timedelta(hours=1)) == (0, 0)
        with transaction.atomic():
            assert file_sets.create_file_set(upload.manifests[0])


def test_nothing_is_stored_unless_everything_is_right(course):
    good, bad = b"good", b"bad"
    lines = [ManifestEntry("a", cast.sha256(good), 4), ManifestEntry("b", cast.sha256(bad), 3)]
    sent = [(cast.sha256(good), io.BytesIO(good)), (cast.sha256(bad), io.BytesIO(b"BAD"))]
    with pytest.raises(blobs.WrongHash), file_sets.store_upload(Upload([lines], sent), by=cast.actor("bob")):
        pytest.fail("it must not come this far")
    assert not stored(good) and not Blob.objects.exists()
    assert list(blobs.staging_folder().iterdir()) == []


def test_same_upload_twice_keeps_one_tree_and_one_copy(assignment):
    for who in ("bob", "dave"):
        services.submit(assignment, cast.upload({"a": b"x", "b": b"x"}), by=cast.actor(who))
    assert FileSet.objects.filter(file_count=2, size=2).count() == 1
    assert Blob.objects.filter(sha256=cast.sha256(b"x")).count() == 1


@pytest.mark.parametrize("path", ["", "/etc/passwd", "a\\b"])
def test_database_itself_refuses_paths_that_leave_the_tree(submission, path):
    entry = FileEntry.objects.first()
    with pytest.raises(IntegrityError), transaction.atomic():
        FileEntry.objects.filter(pk=entry.pk).update(path=path)


@pytest.mark.parametrize("sha256", ["", "x" * 64, "A" * 64, "0" * 63])
def test_database_itself_refuses_what_is_no_hash(submission, sha256):
    with pytest.raises(IntegrityError), transaction.atomic():
        Blob.objects.filter(pk=Blob.objects.first().pk).update(sha256=sha256)


def test_stored_bytes_that_rotted_are_noticed(submission):
    sha256 = Blob.objects.first().sha256
    assert blobs.verify(sha256)
    blobs.delete(sha256)
    assert not blobs.verify(sha256)
    default_storage.save(blobs.key(sha256), io.BytesIO(b"rotten"))
    assert not blobs.verify(sha256)


def test_lost_bytes_are_noted_and_healed_by_the_next_upload(submission):
    lost = Blob.objects.get(sha256=cast.sha256(WORK["ps1.ipynb"]))
    blobs.delete(lost.sha256)
    with pytest.raises(FileNotFoundError):
        list(bundles.stream([lost]))
    cast.person("bob")
    assert file_sets.readable_blobs(actor("bob"), [lost.sha256]) == {}
    services.submit(submission.assignment, cast.upload(WORK), by=actor("bob"))
    assert blobs.verify(lost.sha256) and file_sets.readable_blobs(actor("bob"), [lost.sha256])
