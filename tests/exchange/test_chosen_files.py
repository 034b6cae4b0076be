"""Which files of a folder are submitted, and under which paths."""

import pytest

from exchange import chosen_files
from exchange.chosen_files import choose_paths
from exchange.storage.manifests import BadPath

RELEASED = ["a.ipynb", "data/numbers.csv", "sub/b.ipynb"]


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        (["a.ipynb", "x.txt"], ["a.ipynb", "x.txt"]),
        (["ps1/a.ipynb", "ps1/sub/b.ipynb"], ["a.ipynb", "sub/b.ipynb"]),
        (["ps1/notes.txt"], ["notes.txt"]),
        (["my work/a.ipynb", "my work/notes.txt"], ["a.ipynb", "notes.txt"]),
        (["my work/notes.txt"], ["my work/notes.txt"]),
        (["Downloads/ps1/a.ipynb"], ["Downloads/ps1/a.ipynb"]),
        (["ps1/ps1/a.ipynb", "ps1/ps1/c.txt"], ["a.ipynb", "c.txt"]),
        (["data/numbers.csv"], ["data/numbers.csv"]),
        (["sub/b.ipynb"], ["sub/b.ipynb"]),
        (["ps1/a.ipynb", "other/b.ipynb"], ["ps1/a.ipynb", "other/b.ipynb"]),
        (["ps1/a.ipynb", "__MACOSX/ps1/._a.ipynb"], ["a.ipynb", None]),
        (
            [
                "ps1/a.ipynb",
                "ps1/.ipynb_checkpoints/a-checkpoint.ipynb",
                "ps1/.DS_Store",
                "ps1/x.pyc",
                "ps1/feedback/a.html",
            ],
            ["a.ipynb", None, None, None, None],
        ),
        (["ps1/timestamp.txt", "ps1/receipt.json", "ps1/sub/receipt.json"], [None, None, "sub/receipt.json"]),
        (["u\u0308.txt"], ["\u00fc.txt"]),
        ([".DS_Store"], [None]),
        ([], []),
        (["/a.ipynb"], ["/a.ipynb"]),
        (["../a.ipynb"], ["../a.ipynb"]),
        (["ps1/../a.ipynb"], ["../a.ipynb"]),
    ],
)
def test_paths(chosen, expected):
    assert choose_paths(chosen, "ps1", RELEASED) == expected


@pytest.mark.parametrize("path", ["ps1/" * 40_000 + "a.ipynb", "x" * 1025, "ps1/" * 32 + "a.ipynb"])
def test_endless_path_is_refused_before_its_folders_are_looked_at(monkeypatch, path):
    monkeypatch.setattr(chosen_files, "_folder_around", None)
    with pytest.raises(BadPath, match="no usable path"):
        choose_paths([path], "ps1", RELEASED)
