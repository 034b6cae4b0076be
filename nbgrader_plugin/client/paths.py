"""Which names may become files and folders on this computer. Needs the standard library alone.

Names come from other people (a student's submission, a server's response), so each one is checked before it is joined
to a path. A *path* names a file within a file set (`data/points.csv`); a *name* is a single part (a user, a course, an
assignment, a time). The rule for paths is the one of docs/api.md.
"""

import os
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from ..translation import gettext as _
from .printing import UNSAFE

LONGEST_NAME = 255  # bytes of UTF-8, what file systems take for one part
LONGEST_PATH = 1024  # bytes of UTF-8
MOST_PARTS = 32  # of a path
MOST_FOLDERS = 10_000  # of a file set: each one is made on this computer
FORBIDDEN_CATEGORIES = {"Cc", "Zl", "Zp", "Cs"}  # controls, line and paragraph separators, half characters


class BadPath(ValueError):
    """A file name that must not be used, here or on the server; the text is a sentence."""


def check_path(path: object) -> str:
    """Return the path if it is a clean relative one; raise BadPath with the reason if not."""
    if not isinstance(path, str):
        raise BadPath(_("A file has no usable name."))
    fault = _path_fault(path)
    if fault:
        raise BadPath(_("The file name %(path)s cannot be used: %(fault)s.") % {"path": _quoted(path), "fault": fault})
    return path


def check_paths(paths: Iterable[object]) -> list[str]:
    """Return all paths of one file set if they are clean and do not clash with each other; raise BadPath if not."""
    root, count, checked = _Folder(""), 0, []
    for path in map(check_path, paths):
        *folders, name = path.split("/")
        folder, new = _find_folder(root, folders)
        if not new:
            _check_is_new(folder, name, folders)
        count += len(new)
        if count > MOST_FOLDERS:
            raise BadPath(
                _("The files are in more than %(limit)s folders, which is the limit.") % {"limit": f"{MOST_FOLDERS:,}"}
            )
        for part in new:
            inner = _Folder(part)
            folder.entries[_folded(part)] = inner
            folder = inner
        folder.entries[_folded(name)] = name
        checked.append(path)
    return checked


@dataclass
class _Folder:
    """A folder. `entries` has its files (their names) and folders, by the name as all systems would fold it."""

    name: str
    entries: "dict[str, str | _Folder]" = field(default_factory=dict)


def _find_folder(root: _Folder, folders: Sequence[str]) -> tuple[_Folder, Sequence[str]]:
    """Return the deepest of these folders that is known already, and the names of those below it."""
    folder = root
    for depth, part in enumerate(folders):
        known = folder.entries.get(_folded(part))
        if known is None:
            return folder, folders[depth:]
        if isinstance(known, str):
            raise BadPath(_("%(path)r is a file and a folder at once.") % {"path": "/".join([*folders[:depth], known])})
        if known.name != part:
            raise BadPath(
                _("The names %(path)r and %(part)r look the same.")
                % {"path": "/".join([*folders[:depth], known.name]), "part": part}
            )
        folder = known
    return folder, []


def _check_is_new(folder: _Folder, name: str, above: Sequence[str]) -> None:
    path = "/".join([*above, name])
    known = folder.entries.get(_folded(name))
    if isinstance(known, str):
        raise BadPath(
            _("The file name %(path)r cannot be used: another one equals it or looks the same.") % {"path": path}
        )
    if known:
        raise BadPath(_("%(path)r is a file and a folder at once.") % {"path": path})


def check_name(text: object, what: str = "") -> str:
    """Return a single part of a path, such as a user's name, if it is safe; raise BadPath, which says `what` it is."""
    what = what or _("name")
    if not isinstance(text, str) or not text:
        raise BadPath(_("The %(what)s is empty.") % {"what": what})
    if text in (os.curdir, os.pardir):
        fault = _("it means a folder")
    elif any(separator in text for separator in _separators()):
        fault = _("it has a path separator")
    else:
        fault = _character_fault(text) or _length_fault(text)
    if fault:
        raise BadPath(
            _("The %(what)s %(name)s cannot be used as a file name: %(fault)s.")
            % {"what": what, "name": _quoted(text), "fault": fault}
        )
    return text


def _separators() -> Sequence[str]:
    return [separator for separator in (os.sep, os.altsep, "/") if separator]


def _path_fault(path: str) -> str:
    """Return what is wrong with a path, or nothing. The length comes first: the rest takes time."""
    if not path:
        return _("it is empty")
    if len(path) > LONGEST_PATH or len(path.encode(errors="replace")) > LONGEST_PATH:
        return _("it is longer than %(limit)s bytes") % {"limit": LONGEST_PATH}
    if unsafe := UNSAFE.search(path):
        return _("it has a control character, an invisible one or no valid Unicode, U+%(code)s") % {
            "code": f"{ord(unsafe[0]):04X}"
        }
    if "\\" in path:
        return _("it has a backslash")
    if not unicodedata.is_normalized("NFC", path):
        return _("its accents are not in the composed form (Unicode NFC)")
    parts = path.split("/")
    if len(parts) > MOST_PARTS:
        return _("it has %(count)s parts, and %(limit)s are the limit") % {
            "count": len(parts),
            "limit": MOST_PARTS,
        }
    for part in parts:
        if part == "":
            return _("it is absolute, or has an empty part")
        if part in (".", ".."):
            return _("it has the part '%(part)s'") % {"part": part}
        fault = _length_fault(part)
        if fault:
            return fault
    return ""


def _character_fault(text: str) -> str:
    if any(unicodedata.category(char) in FORBIDDEN_CATEGORIES for char in text):
        return _("it has a control character or is not valid Unicode")
    return ""


def _length_fault(part: str) -> str:
    return (
        _("a part is longer than %(limit)s bytes") % {"limit": LONGEST_NAME}
        if len(part.encode()) > LONGEST_NAME
        else ""
    )


def _folded(part: str) -> str:
    """Return a form that is the same for parts that some system takes for one; Windows drops dots at the end."""
    return unicodedata.normalize("NFC", part.casefold()).rstrip(". ") or part


def _quoted(text: str) -> str:
    return repr(text[:120])  # with escapes for what is not printable, so that the file can be found
