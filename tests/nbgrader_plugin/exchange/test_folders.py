"""Folders written whole or not at all."""

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
        folders.write_folder(tmp_path / "ps1", files, {source.sha256: source.source}.__getitem__)
    assert tree(tmp_path / "ps1") == {"old": b"old"}
    folders.write_folder(tmp_path / "ps1", files[:1], {source.sha256: source.source}.__getitem__)
    assert tree(tmp_path / "ps1") == {"new": b"new"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["blob", "ps1"]
