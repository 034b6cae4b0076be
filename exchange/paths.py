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
    """A path breaks the rule; the message says which one and why. `template % values` is the message."""

    def __init__(self, template: str, **values: object) -> None:
        super().__init__(template % values)
        self.template, self.values = template, values


def gettext_noop(text: str) -> str:
    """Mark a sentence for translation; whoever shows it translates the template."""
    return text


IS_BOTH = gettext_noop("%(path)r is both a file and a folder.")


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
        raise BadPath(gettext_noop("A path must be text, not %(type)s."), type=type(path).__name__)
    if fault := _fault(path):
        template, values = fault
        raise BadPath(template, path=ascii(path[:200]), **values)
    return path


def _fault(path: str) -> tuple[str, dict[str, object]] | None:
    """Return the template of a sentence and its values; None if the path obeys the rule.

    The lengths come first: the rest costs time.
    """
    if not path:
        return gettext_noop("%(path)s is no usable path: it is empty."), {}
    try:
        if len(path) > MAX_PATH or len(path.encode()) > MAX_PATH:
            return gettext_noop("%(path)s is no usable path: it is longer than %(limit)s bytes."), {"limit": MAX_PATH}
    except UnicodeEncodeError:
        return gettext_noop("%(path)s is no usable path: it is not valid Unicode."), {}
    if unsafe := UNSAFE.search(path):
        text = gettext_noop(
            "%(path)s is no usable path: it has a control character or an invisible one, %(character)s."
        )
        return text, {"character": f"U+{ord(unsafe[0]):04X}"}
    if "\\" in path:
        return gettext_noop("%(path)s is no usable path: it has a backslash."), {}
    if not unicodedata.is_normalized("NFC", path):
        return gettext_noop("%(path)s is no usable path: it is not in Unicode normal form NFC."), {}
    parts = path.split("/")
    if len(parts) > MAX_PARTS:
        text = gettext_noop("%(path)s is no usable path: it has %(count)s parts, the limit is %(limit)s.")
        return text, {"count": len(parts), "limit": MAX_PARTS}
    for part in parts:
        if not part:
            return gettext_noop("%(path)s is no usable path: it starts or ends with '/' or has two in a row."), {}
        if part in (".", ".."):
            return gettext_noop("%(path)s is no usable path: it has a part %(part)r."), {"part": part}
        if len(part.encode()) > MAX_PART:
            text = gettext_noop("%(path)s is no usable path: a part is longer than %(limit)s bytes.")
            return text, {"limit": MAX_PART}
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
                raise BadPath(IS_BOTH, path=checked)
            raise _clash([*folders, name], existing)
        if self._folder_count + len(new) > MAX_FOLDERS:
            text = gettext_noop("The files are in more than %(limit)s folders, which is the limit.")
            raise BadPath(text, limit=f"{MAX_FOLDERS:,}")
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
                raise BadPath(IS_BOTH, path="/".join([*folders[:depth], existing]))
            if existing.name != part:  # would be merged by some systems and not by others
                raise _clash(folders[: depth + 1], existing.name)
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


def _clash(parts: list[str], known: str) -> BadPath:
    """Return the error about a path and another one, which has the name `known` in the same folder."""
    path, other = "/".join(parts), "/".join([*parts[:-1], known])
    if path == other:
        return BadPath(gettext_noop("%(path)r comes twice."), path=path)
    text = gettext_noop(
        "%(path)r and %(other)r differ only in case, Unicode form or a dot at the end: they can be one file elsewhere."
    )
    return BadPath(text, path=path, other=other)
