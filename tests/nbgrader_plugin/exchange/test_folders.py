"""Folders written whole or not at all."""

from pathlib import Path

import pytest

from nbgrader_plugin.client import manifest
from nbgrader_plugin.exchange import folders
from nbgrader_plugin.exchange.local_files import read_file
from tests.nbgrader_plugin.people import tree, write


def test_folder_is_replaced_whole_or_stays(tmp_path):
    write(tmp_path, {"blob": "new"})
    source = read_file("blob", tmp_path / "blob")
    write(tmp_path / "ps1", {"old": "old"})
    files = [manifest.File("new", source.sha256, 3), manifest.File("second", "0" * 64, 3)]
    with pytest.raises(KeyError):
        folders.write_folder(tmp_path / "ps1", files, folders.copy_from({source.sha256: source.source}))
    assert tree(tmp_path / "ps1") == {"old": b"old"}
    folders.write_folder(tmp_path / "ps1", files[:1], folders.copy_from({source.sha256: source.source}))
    assert tree(tmp_path / "ps1") == {"new": b"new"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["blob", "ps1"]


@pytest.fixture
def new(tmp_path):
    write(tmp_path, {"blob": "new", "ps1/old": "old"})
    source = read_file("blob", tmp_path / "blob")
    return [manifest.File("new", source.sha256, 3)], folders.copy_from({source.sha256: source.source})


def test_old_folder_comes_back_when_the_new_one_cannot_take_its_place(tmp_path, new, monkeypatch):
    rename = Path.rename

    def fails_for_new(self, target):
        if target == tmp_path / "ps1" and self.name != "old":
            raise OSError(28, "No space left on device")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", fails_for_new)
    with pytest.raises(OSError, match="No space left"):
        folders.write_folder(tmp_path / "ps1", *new)
    assert tree(tmp_path) == {"blob": b"new", "ps1/old": b"old"}


def test_file_that_cannot_be_copied_whole_leaves_the_old_one(tmp_path, monkeypatch):
    write(tmp_path, {"source": "new", "page": "old"})

    def breaks(source, target):
        Path(target).write_text("n")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(folders.shutil, "copyfile", breaks)
    with pytest.raises(OSError, match="No space left"):
        folders.write_file(tmp_path / "page", tmp_path / "source")
    assert tree(tmp_path) == {"source": b"new", "page": b"old"}


def test_text_wins_over_a_file_or_folder_of_its_name(tmp_path, new):
    files, source = new
    forged = [*files, manifest.File("timestamp.txt/x", files[0].sha256, 3)]
    folders.write_folder(tmp_path / "ps1", forged, source, texts={"timestamp.txt": "now"})
    assert tree(tmp_path / "ps1") == {"new": b"new", "timestamp.txt": b"now"}
