"""The store that survives a power cut: what is synced, and in which order."""

import os
import stat
from pathlib import Path

import pytest
from django.core.files.base import ContentFile

from exchange.storage.folder import DurableFolder, StagedFile


@pytest.fixture
def folder(tmp_path):
    """One in which ab/ is known to be there."""
    folder = DurableFolder(str(tmp_path / "store"))
    folder.save("ab/first", ContentFile(b""))
    folder.delete("ab/first")
    return folder


@pytest.fixture
def steps(monkeypatch):
    """What is synced and renamed, in order: ("sync", inode) and ("rename", name)."""
    found = []
    fsync, replace = os.fsync, os.replace

    def record_sync(descriptor):
        found.append(("sync", os.fstat(descriptor).st_ino))
        fsync(descriptor)

    def record_rename(source, target):
        found.append(("rename", Path(target).name))
        replace(source, target)

    monkeypatch.setattr(os, "fsync", record_sync)
    monkeypatch.setattr(os, "replace", record_rename)
    return found


def inode(path):
    return Path(path).stat().st_ino


def test_file_is_synced_then_renamed_then_its_folder_is_synced(folder, steps):
    folder.save("ab/abc", ContentFile(b"bytes"))
    target = Path(folder.path("ab/abc"))
    assert steps == [("sync", inode(target)), ("rename", "abc"), ("sync", inode(target.parent))]
    assert target.read_bytes() == b"bytes" and os.listdir(target.parent) == ["abc"]


def test_staged_file_is_synced_and_moved_without_a_copy(folder, steps, tmp_path):
    path = tmp_path / "abc"
    path.write_bytes(b"bytes")
    number = inode(path)
    with open(path, "rb") as file:
        folder.save("ab/abc", StagedFile(file, path))
    target = Path(folder.path("ab/abc"))
    assert inode(target) == number and not path.exists() and target.read_bytes() == b"bytes"
    assert steps == [("sync", number), ("rename", "abc"), ("sync", inode(target.parent))]


def test_new_folder_is_an_entry_of_its_parent_that_is_synced(folder, steps):
    folder.save("cd/cde", ContentFile(b"bytes"))
    assert ("sync", inode(folder.location)) in steps[: steps.index(("rename", "cde"))]


def test_new_store_is_an_entry_of_its_parents_that_are_synced(steps, tmp_path):
    DurableFolder(str(tmp_path / "data" / "blobs")).save("cd/cde", ContentFile(b"bytes"))
    parents = [tmp_path, tmp_path / "data", tmp_path / "data" / "blobs"]
    assert steps[:3] == [("sync", inode(parent)) for parent in parents]


def test_folder_that_another_process_has_just_made_is_synced(folder, steps):
    """It may not have come to that yet, and the answer of this process must not count on it."""
    (Path(folder.location) / "cd").mkdir()
    folder.save("cd/cde", ContentFile(b"bytes"))
    assert ("sync", inode(folder.location)) in steps[: steps.index(("rename", "cde"))]


def test_file_of_the_same_name_is_replaced(folder):
    for content in (b"rotten", b"good"):
        folder.save("ab/abc", ContentFile(content))
    assert folder.open("ab/abc").read() == b"good"
    assert folder.listdir("ab") == ([], ["abc"])


def test_failed_rename_leaves_the_old_file(folder, monkeypatch):
    folder.save("ab/abc", ContentFile(b"old"))

    def fail(*arguments):
        raise OSError("no space left")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="no space left"):
        folder.save("ab/abc", ContentFile(b"new"))
    assert folder.open("ab/abc").read() == b"old"
    assert stat.S_ISREG(os.stat(folder.path("ab/abc")).st_mode)
