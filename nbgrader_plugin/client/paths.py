"""Which names may become files and folders on this computer. Needs the standard library alone.

Names come from other people (a student's submission, a server's response), so each one is checked before it is joined
to a path. A *path* names a file within a file set (`data/points.csv`); a *name* is a single part (a user, a course, an
assignment, a time). The rule for paths is the one of docs/api.md.
"""

import os
import unicodedata
from collections.abc import Iterable, Sequence

LONGEST_NAME = 255  # bytes of UTF-8, what file systems take for one part
LONGEST_PATH = 1024  # bytes of UTF-8
LONGEST_TEXT = 2000  # characters of a text from elsewhere that are shown
FORBIDDEN_CATEGORIES = {"Cc", "Zl", "Zp", "Cs"}  # controls, line and paragraph separators, half characters


class BadPath(ValueError):
    """A file name that must not be used, here or on the server; the text is a sentence."""


def check_path(path: object) -> str:
    """Return the path if it is a clean relative one; raise BadPath with the reason if not."""
    if not isinstance(path, str):
        raise BadPath("A file has no usable name.")
    fault = _path_fault(path)
    if fault:
        raise BadPath(f"The file name {_quoted(path)} cannot be used: {fault}.")
    return path


def check_paths(paths: Iterable[object]) -> list[str]:
    """Return all paths of one file set if they are clean and do not clash with each other; raise BadPath if not."""
    checked = [check_path(path) for path in paths]
    spelling: dict[str, str] = {}  # how each file and folder is spelled, by its folded form
    files: set[str] = set()
    for path in checked:
        folded = _folded(path)
        if folded in files:
            raise BadPath(f"The file name {_quoted(path)} cannot be used: another one equals it or looks the same.")
        files.add(folded)
    for path in checked:
        parts = path.split("/")
        for depth in range(1, len(parts) + 1):
            prefix = "/".join(parts[:depth])
            folded = _folded(prefix)
            if spelling.setdefault(folded, prefix) != prefix:
                raise BadPath(f"The names {_quoted(spelling[folded])} and {_quoted(prefix)} look the same.")
            if depth < len(parts) and folded in files:
                raise BadPath(f"{_quoted(prefix)} is a file and a folder at once.")
    return checked


def check_name(text: object, what: str = "name") -> str:
    """Return a single part of a path, such as a user's name, if it is safe; raise BadPath, which says `what` it is."""
    if not isinstance(text, str) or not text:
        raise BadPath(f"The {what} is empty.")
    if text in (os.curdir, os.pardir):
        fault = "it means a folder"
    elif any(separator in text for separator in _separators()):
        fault = "it has a path separator"
    else:
        fault = _character_fault(text) or _length_fault(text)
    if fault:
        raise BadPath(f"The {what} {_quoted(text)} cannot be used as a file name: {fault}.")
    return text


def printable(text: str) -> str:
    """Return a text from elsewhere as it is safe to show in a terminal: no control characters but line breaks, cut."""
    return "".join(char for char in text[:LONGEST_TEXT] if char == "\n" or char.isprintable())


def _separators() -> Sequence[str]:
    return [separator for separator in (os.sep, os.altsep, "/") if separator]


def _path_fault(path: str) -> str:
    if not path:
        return "it is empty"
    fault = _character_fault(path)
    if fault:
        return fault
    if "\\" in path:
        return "it has a backslash"
    if not unicodedata.is_normalized("NFC", path):
        return "its accents are not in the composed form (Unicode NFC)"
    if len(path.encode()) > LONGEST_PATH:
        return f"it is longer than {LONGEST_PATH} bytes"
    for part in path.split("/"):
        if part == "":
            return "it is absolute, or has an empty part"
        if part in (".", ".."):
            return f"it has the part '{part}'"
        fault = _length_fault(part)
        if fault:
            return fault
    return ""


def _character_fault(text: str) -> str:
    if any(unicodedata.category(char) in FORBIDDEN_CATEGORIES for char in text):
        return "it has a control character or is not valid Unicode"
    return ""


def _length_fault(part: str) -> str:
    return f"a part is longer than {LONGEST_NAME} bytes" if len(part.encode()) > LONGEST_NAME else ""


def _folded(path: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())


def _quoted(text: str) -> str:
    return f"'{printable(text[:120])}'"
