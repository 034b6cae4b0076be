"""Manifests. Runs without nbgrader."""

import hashlib
import json

from nbgrader_plugin.client import manifest


def test_digest_is_that_of_the_documentation():
    rows = [["ps1.ipynb", hashlib.sha256(b"{}").hexdigest(), 2], ["ä.txt", hashlib.sha256(b"abcd").hexdigest(), 4]]
    text = json.dumps(rows, ensure_ascii=False, separators=(",", ":"))
    files = [manifest.File(*row) for row in reversed(rows)]
    assert manifest.digest(files) == hashlib.sha256(text.encode()).hexdigest()


def test_ignoring_looks_at_every_part_of_a_path():
    files = [manifest.File(path, "0" * 64, 0) for path in ("a.pyc", "__pycache__/b", "c/.ipynb_checkpoints/d", "e")]
    kept = manifest.without_ignored(files, ["*.pyc", "__pycache__", ".ipynb_checkpoints"])
    assert [file.path for file in kept] == ["e"]
