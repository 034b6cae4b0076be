"""Bytes: verified while they arrive, stored and read back."""

import io
import os
import time
from datetime import timedelta

import pytest
from django.core.files.storage import FileSystemStorage, default_storage
from django.utils import timezone

from exchange.storage import blobs
from tests import cast

CONTENT = b"0123456789" * 100_000  # more than one chunk
HASH = cast.sha256(CONTENT)


class Trickle(io.BytesIO):
    """A stream that gives a few bytes at a time, as a slow connection does, and remembers the largest read."""

    largest = 0

    def read(self, size, /):
        self.largest = max(self.largest, size)
        return super().read(min(size, 70_001))


def store(content):
    with blobs.staging() as folder:
        staged = blobs.stage(io.BytesIO(content), folder, sha256=cast.sha256(content), size=len(content))
        blobs.put(staged)
    return cast.sha256(content)


def test_staged_bytes_are_described(tmp_path):
    staged = blobs.stage(Trickle(CONTENT), tmp_path, sha256=HASH, size=len(CONTENT))
    assert (staged.sha256, staged.size) == (HASH, len(CONTENT))
    assert staged.path.read_bytes() == CONTENT


def test_staging_reads_in_chunks_and_no_further_than_announced(tmp_path):
    stream = Trickle(CONTENT + b"of the next blob")
    blobs.stage(stream, tmp_path, sha256=HASH, size=len(CONTENT))
    assert stream.largest <= blobs.CHUNK
    assert stream.getvalue()[stream.tell() :] == b"of the next blob"


def test_stream_that_ends_early_is_refused(tmp_path):
    with pytest.raises(blobs.WrongSize, match=f"ends after {len(CONTENT) - 1} of {len(CONTENT)} bytes"):
        blobs.stage(io.BytesIO(CONTENT[:-1]), tmp_path, sha256=HASH, size=len(CONTENT))


def test_other_bytes_than_announced_are_refused(tmp_path):
    with pytest.raises(blobs.WrongHash):
        blobs.stage(io.BytesIO(b"x" * len(CONTENT)), tmp_path, sha256=HASH, size=len(CONTENT))


@pytest.mark.parametrize("fails", [False, True])
def test_staging_folder_of_an_upload_is_removed(fails):
    try:
        with blobs.staging() as folder:
            assert folder.parent == blobs.staging_folder()
            (folder / "half").write_bytes(b"x")
            if fails:
                raise ConnectionError
    except ConnectionError:
        assert fails
    assert list(blobs.staging_folder().iterdir()) == []


def test_folders_that_are_old_are_abandoned():
    assert blobs.abandoned_folders(timezone.now()) == []
    old, new = (blobs.staging_folder() / name for name in ("old", "new"))
    for folder in (old, new):
        folder.mkdir(parents=True)
        (folder / "half").write_bytes(b"x")
    os.utime(old, (time.time() - 7200, time.time() - 7200))
    before = timezone.now() - timedelta(hours=1)
    assert blobs.abandoned_folders(before) == [old] and old.exists()
    assert blobs.remove_abandoned_folders(before) == 1
    assert not old.exists() and new.exists()


def test_upload_that_ends_meanwhile_is_not_abandoned():
    blobs.staging_folder().mkdir(parents=True, exist_ok=True)
    (blobs.staging_folder() / "ended").symlink_to("gone")  # listed, and not there when it is looked at
    assert blobs.abandoned_folders(timezone.now()) == []


def test_stored_bytes_are_read_back():
    sha256 = store(CONTENT)
    assert default_storage.exists(f"{sha256[:2]}/{sha256}")
    assert b"".join(blobs.read(sha256, length=len(CONTENT))) == CONTENT
    assert b"".join(blobs.read(sha256, start=7, length=300_000)) == CONTENT[7:300_007]
    assert max(map(len, blobs.read(sha256, length=len(CONTENT)))) <= blobs.CHUNK
    with blobs.open_blob(sha256) as file:
        assert file.read(3) == b"012"


def test_stored_bytes_that_are_short_are_an_error_and_not_a_short_answer():
    sha256 = store(b"short")
    with pytest.raises(OSError, match="2 bytes short"):
        list(blobs.read(sha256, length=7))


def test_bytes_that_are_not_there_are_an_error():
    with pytest.raises(blobs.Absent):
        next(blobs.read(HASH, length=1))


def test_absent_are_those_that_are_not_there_or_not_whole():
    whole, empty, short = store(b"whole"), store(b""), store(b"short")
    assert blobs.find_absent({whole: 5, HASH: 1, short: 6, empty: 0}) == [HASH, short]
    assert blobs.find_absent({}) == []


def test_rotten_and_lost_bytes_do_not_verify():
    sha256 = store(b"good")
    assert blobs.verify(sha256)
    blobs.delete(sha256)
    assert not blobs.verify(sha256)
    default_storage.save(blobs.key(sha256), io.BytesIO(b"evil"))
    assert not blobs.verify(sha256)


def test_storing_again_repairs_rotten_bytes():
    sha256 = cast.sha256(b"good")
    default_storage.save(blobs.key(sha256), io.BytesIO(b"evil"))
    store(b"good")
    assert blobs.verify(sha256)


def test_deleting_what_is_not_there_is_no_error():
    blobs.delete(HASH)


class Unreachable(FileSystemStorage):
    def save(self, *arguments, **options):
        raise OSError("the disk is on fire")

    exists = save


def test_store_that_does_not_answer_is_said_to_be_unreachable(monkeypatch, tmp_path):
    blobs.probe()
    monkeypatch.setattr(blobs, "default_storage", Unreachable(tmp_path))
    with pytest.raises(blobs.StoreUnreachable, match="Try again in a moment") as caught:
        store(b"x")
    assert caught.value.code == "busy"
    with pytest.raises(blobs.StoreUnreachable, match="the disk is on fire"):
        blobs.probe()
