"""The one rule for the paths of a file set. Standard library only.

A path is relative, its parts are joined by `/`, and it means the same file on every system that a file set may be
written to: Unicode in NFC, no part that climbs or vanishes, no control characters, nothing that a case-folding or
normalising file system would merge with another.
"""

import unicodedata
from collections.abc import Iterable

MAX_PART = 255  # bytes of UTF-8, the limit of common file systems
MAX_PATH = 1024  # bytes of UTF-8


class BadPath(ValueError):
    """A path breaks the rule; the message says which one and why."""


def check(path: object) -> str:
    """Return the path itself. Errors: BadPath, if it breaks the rule.

    >>> check("figures/plot.png")
    'figures/plot.png'
    >>> check("../grades.csv")
    Traceback (most recent call last):
    ...
    exchange.paths.BadPath: '../grades.csv' is no usable path: it has a part '..'.
    """
    if not isinstance(path, str):
        raise BadPath(f"A path must be text, not {type(path).__name__}.")
    if reason := _fault(path):
        raise BadPath(f"{ascii(path[:200])} is no usable path: {reason}.")
    return path


def _fault(path: str) -> str | None:
    """Return what is wrong with the path; None if it obeys the rule."""
    if not path:
        return "it is empty"
    try:
        if len(path.encode()) > MAX_PATH:
            return f"it is longer than {MAX_PATH} bytes"
    except UnicodeEncodeError:
        return "it is not valid Unicode"
    if any(unicodedata.category(char) in ("Cc", "Zl", "Zp") for char in path):
        return "it has a control character"
    if "\\" in path:
        return "it has a backslash"
    if unicodedata.normalize("NFC", path) != path:
        return "it is not in Unicode normal form NFC"
    for part in path.split("/"):
        if not part:
            return "it starts or ends with '/' or has two in a row"
        if part in (".", ".."):
            return f"it has a part {part!r}"
        if len(part.encode()) > MAX_PART:
            return f"a part is longer than {MAX_PART} bytes"
    return None


def check_all(paths: Iterable[object]) -> None:
    """Check the paths of a whole file set.

    Errors: BadPath, if one breaks the rule, or if two would be one file, or a file and a folder, on some system.
    """
    files: dict[str, str] = {}
    folders: dict[str, str] = {}
    for value in paths:
        path = check(value)
        key = unicodedata.normalize("NFC", path.casefold())
        if key in files:
            raise BadPath(_clash(path, files[key]))
        files[key] = path
        parts = path.split("/")
        for depth in range(1, len(parts)):
            folder = "/".join(parts[:depth])
            # Two spellings of one folder would merge on some systems and not on others.
            known = folders.setdefault(unicodedata.normalize("NFC", folder.casefold()), folder)
            if known != folder:
                raise BadPath(_clash(folder, known))
    for key in folders:
        if key in files:
            raise BadPath(f"{files[key]!r} is both a file and a folder.")


def _clash(path: str, known: str) -> str:
    if path == known:
        return f"{path!r} comes twice."
    return f"{path!r} and {known!r} differ only in case or Unicode form: on many computers they are one file."
