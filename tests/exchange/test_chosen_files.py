"""Which files of a folder are submitted, and under which paths."""

import pytest

from exchange.chosen_files import choose_paths

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
