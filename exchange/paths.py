"""The one rule for the paths of a file set. Standard library only.

A path is relative, its parts are joined by `/`, and it means the same file on every system that a file set may be
written to: Unicode in NFC, no part that climbs or vanishes, no control characters, nothing that a case-folding or
normalising file system would merge with another.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field

MAX_PART = 255  # bytes of UTF-8, the limit of common file systems
MAX_PATH = 1024  # bytes of UTF-8
MAX_PARTS = 32
MAX_FOLDERS = 10_000  # distinct folders of one file set: whoever collects it makes each of them

# Controls and line separators, what is invisible or reorders the text around it, and half characters. The joiners
# U+200C and U+200D are left out: Persian names and emoji need them.
UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e007f\ud800-\udfff]"
)

# What Windows does not take in a name, or takes for a device (Microsoft, “Naming Files, Paths, and Namespaces”).
NOT_ON_WINDOWS = re.compile(r'[<>:"|?*\\]')
DEVICE = re.compile(r"(CON|PRN|AUX|NUL|CONIN\$|CONOUT\$|(COM|LPT)[0-9¹²³]) *(\..*)?", re.IGNORECASE)


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
    """Return what is wrong with the path; None if it obeys the rule. The lengths come first: the rest costs time."""
    if not path:
        return "it is empty"
    try:
        if len(path) > MAX_PATH or len(path.encode()) > MAX_PATH:
            return f"it is longer than {MAX_PATH} bytes"
    except UnicodeEncodeError:
        return "it is not valid Unicode"
    if unsafe := UNSAFE.search(path):
        return f"it has a control character or an invisible one, U+{ord(unsafe[0]):04X}"
    if "\\" in path:
        return "it has a backslash"
    if not unicodedata.is_normalized("NFC", path):
        return "it is not in Unicode normal form NFC"
    parts = path.split("/")
    if len(parts) > MAX_PARTS:
        return f"it has {len(parts)} parts, the limit is {MAX_PARTS}"
    for part in parts:
        if not part:
            return "it starts or ends with '/' or has two in a row"
        if part in (".", ".."):
            return f"it has a part {part!r}"
        if len(part.encode()) > MAX_PART:
            return f"a part is longer than {MAX_PART} bytes"
    return None


def check_all(paths: Iterable[object]) -> None:
    """Check the paths of a whole file set. Errors: those of PathTree.add."""
    tree = PathTree()
    for path in paths:
        tree.add(path)


@dataclass(slots=True)
class _Folder:
    """A folder. `entries` has its files (their names) and folders, by the name as all systems would fold it."""

    name: str
    entries: "dict[str, str | _Folder]" = field(default_factory=dict)


class PathTree:
    """The paths of one file set, added one by one. Adding takes time in proportion to the path's length."""

    def __init__(self) -> None:
        self._root = _Folder("")
        self._folder_count = 0

    def add(self, path: object) -> None:
        """Add a path, or leave the tree as it is.

        Errors: BadPath, if the path breaks the rule, if it and another would be one file, or a file and a folder, on
        some system, or if there are too many folders.
        """
        checked = check(path)
        *folders, name = checked.split("/")
        folder, new = self._find(folders)
        if existing := None if new else folder.entries.get(_fold(name)):
            if isinstance(existing, _Folder):
                raise BadPath(f"{checked!r} is both a file and a folder.")
            raise BadPath(_clash([*folders, name], existing))
        if self._folder_count + len(new) > MAX_FOLDERS:
            raise BadPath(f"The files are in more than {MAX_FOLDERS:,} folders, which is the limit.")
        self._folder_count += len(new)
        for part in new:
            inner = _Folder(part)
            folder.entries[_fold(part)] = inner
            folder = inner
        folder.entries[_fold(name)] = name

    def _find(self, folders: list[str]) -> tuple[_Folder, list[str]]:
        """Return the deepest of these folders that exists, and the names of those below it. Errors: BadPath."""
        folder = self._root
        for depth, part in enumerate(folders):
            existing = folder.entries.get(_fold(part))
            if existing is None:
                return folder, folders[depth:]
            if isinstance(existing, str):
                raise BadPath(f"{'/'.join([*folders[:depth], existing])!r} is both a file and a folder.")
            if existing.name != part:  # would be merged by some systems and not by others
                raise BadPath(_clash(folders[: depth + 1], existing.name))
            folder = existing
        return folder, []


def portable(path: str) -> str:
    """Return a path that Windows can write, too: the same one wherever that is possible.

    >>> portable("ps1/data.csv"), portable("aux.c"), portable("10:30?"), portable("etc./x")
    ('ps1/data.csv', '_aux.c', '10_30_', 'etc_/x')
    """
    return "/".join(map(_portable_part, path.split("/")))


def _portable_part(part: str) -> str:
    plain = UNSAFE.sub("_", NOT_ON_WINDOWS.sub("_", part))
    if plain.endswith((".", " ")):
        plain = f"{plain[:-1]}_"
    return f"_{plain}" if DEVICE.fullmatch(plain) else plain


def _fold(part: str) -> str:
    """Return a form that is the same for parts that some system takes for one; Windows drops dots at the end."""
    return unicodedata.normalize("NFC", part.casefold()).rstrip(". ") or part


def _clash(parts: list[str], known: str) -> str:
    """Return the sentence about a path and another one, which has the name `known` in the same folder."""
    path, other = "/".join(parts), "/".join([*parts[:-1], known])
    if path == other:
        return f"{path!r} comes twice."
    return (
        f"{path!r} and {other!r} differ only in case, Unicode form or a dot at the end: they can be one file elsewhere."
    )
