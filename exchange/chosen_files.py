"""Which of the files that somebody chose in a browser are their submission, and what its notebooks lack.

The plugin has the same rules for a folder (nbgrader's `ignore`), and static/ngshare/submit.js to show it before it is
sent.
"""

import unicodedata
from collections.abc import Collection, Iterable, Sequence
from fnmatch import fnmatchcase
from typing import NamedTuple

from exchange.paths import MAX_PARTS, MAX_PATH
from exchange.storage import manifests

# Names of files and folders: nbgrader's `CourseDirectory.ignore`, and what systems add to folders and zips.
IGNORED = (
    ".ipynb_checkpoints",
    "*.pyc",
    "__pycache__",
    "feedback",
    "__MACOSX",
    ".DS_Store",
    "Thumbs.db",
    "desktop.ini",
)
IGNORED_AT_TOP = ("timestamp.txt", "submission_secret.txt", "receipt.json")  # nbgrader's and ours, not the student's


class Comparison(NamedTuple):
    """The notebooks of a submission beside those of the release, as `nbgrader submit` compares them."""

    found: list[str]
    missing: list[str]
    extra: list[str]

    @property
    def is_same(self) -> bool:
        return not self.missing and not self.extra


def compare_notebooks(released: Iterable[str], submitted: Iterable[str]) -> Comparison:
    """Return how the notebooks among these paths differ.

    >>> compare_notebooks(["a.ipynb", "b.ipynb", "data.csv"], ["b.ipynb", "c.ipynb", "data.csv"])
    Comparison(found=['b.ipynb'], missing=['a.ipynb'], extra=['c.ipynb'])
    """
    expected, present = set(filter(_is_notebook, released)), set(filter(_is_notebook, submitted))
    return Comparison(sorted(expected & present), sorted(expected - present), sorted(present - expected))


def choose_paths(chosen: Sequence[str], assignment: str, released: Collection[str]) -> list[str | None]:
    """Return the path under which each of the chosen files is submitted; None for what is left out.

    `released` are the paths of the release. A single folder around all files is left off if it has the assignment's
    name, or a notebook of the release in it. Errors: BadPath, for one that is longer than any may be.

    >>> choose_paths(["ps1/a.ipynb", "ps1/.DS_Store"], "ps1", ["a.ipynb"])
    ['a.ipynb', None]
    """
    for path in chosen:
        if len(path) > MAX_PATH or path.count("/") >= MAX_PARTS:  # what follows takes long for it
            manifests.check_path(path)
    paths = [unicodedata.normalize("NFC", path) for path in chosen]
    kept = {path for path in paths if not _is_ignored(path)}
    prefix = ""
    while top := _folder_around(kept, prefix, assignment, released):
        prefix += top
    return [
        path.removeprefix(prefix) if path in kept and path.removeprefix(prefix) not in IGNORED_AT_TOP else None
        for path in paths
    ]


def _folder_around(paths: set[str], prefix: str, assignment: str, released: Collection[str]) -> str:
    """Return the folder, with a slash at its end, that is around all paths below `prefix`, if it is to be left off."""
    rest = [path.removeprefix(prefix) for path in paths]
    tops = {path.partition("/")[0] for path in rest}
    if len(tops) != 1 or not all("/" in path for path in rest) or not set(released).isdisjoint(rest):
        return ""  # or the release has them as they are
    (name,) = tops
    if name in ("", ".", ".."):
        return ""  # the path is refused as it is
    notebooks = {f"{name}/{path}" for path in released if _is_notebook(path)}
    return f"{name}/" if name == assignment or not notebooks.isdisjoint(rest) else ""


def _is_ignored(path: str) -> bool:
    return any(fnmatchcase(part, pattern) for part in path.split("/") for pattern in IGNORED)


def _is_notebook(path: str) -> bool:
    return path.endswith(".ipynb")
