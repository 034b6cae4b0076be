"""The manifest of a folder on this computer.

Which files of a folder count is nbgrader's rule: `CourseDirectory.ignore`, `include`, `max_file_size` and
`max_dir_size`, applied as nbgrader's own exchange does (nbgrader/exchange/default/exchange.py, `do_copy`).
"""

import os
import stat
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from nbgrader.coursedir import CourseDirectory
from nbgrader.utils import ignore_patterns

from ..client.errors import LocalFileError
from ..client.manifest import LocalFile, hash_file
from ..client.paths import MOST_PARTS, BadPath, check_paths
from ..translation import gettext as _

Ignore = Callable[[str, list[str]], Iterable[str]]


def read_folder(folder: Path, coursedir: CourseDirectory) -> list[LocalFile]:
    """Return the manifest of a folder, sorted by path. Errors: as find_files and read_files."""
    return read_files(find_files(folder, coursedir))


def find_files(folder: Path, coursedir: CourseDirectory, *, leave_out: Sequence[str] = ()) -> dict[str, Path]:
    """Return the files of a folder that count, by the path under which each is sent, sorted.

    `leave_out` names files at the top of the folder that are not part of it (such as a student's own timestamp.txt).
    Raises LocalFileError for a folder that is too big, BadPath for a name that the exchange refuses.
    """
    check_size(folder, coursedir)
    ignore = ignore_patterns(coursedir.ignore, coursedir.include, coursedir.max_file_size, coursedir.log)
    sources: dict[str, Path] = {}
    for source in _walk(folder, ignore, above=()):
        path = unicodedata.normalize("NFC", source.relative_to(folder).as_posix())
        if path in sources:
            raise BadPath(_("Two files here have the name '%(path)s', in different Unicode forms.") % {"path": path})
        if path not in leave_out:
            sources[path] = source
    check_paths(sources)
    return {path: sources[path] for path in sorted(sources)}


def read_files(sources: Mapping[str, Path]) -> list[LocalFile]:
    """Return the entries of files, by the path under which each is sent. Each is read once.

    Raises LocalFileError for a file that cannot be read.
    """
    return [read_file(path, source) for path, source in sources.items()]


def read_file(path: str, source: Path) -> LocalFile:
    """Return the entry of one file, to be sent under `path`."""
    try:
        sha256, size = hash_file(source)
    except OSError as error:
        raise LocalFileError(
            _("%(source)s cannot be read: %(reason)s.") % {"source": source, "reason": error.strerror}
        ) from error
    return LocalFile(path, sha256, size, source)


def check_size(folder: Path, coursedir: CourseDirectory) -> None:
    """Refuse a folder larger than `max_dir_size` (kB). As in nbgrader, targets of links do not count."""
    total = 0
    for place, folders, names in os.walk(folder):
        if len(Path(place).relative_to(folder).parts) > MOST_PARTS:
            folders.clear()  # what is that deep is ignored, or refused later
        files = (os.path.join(place, name) for name in names)
        total += sum(os.path.getsize(file) for file in files if not os.path.islink(file))
    limit = 1000 * coursedir.max_dir_size
    if total > limit:
        raise LocalFileError(
            _("Directory size is too big. Size is %(total)s, maximum size is %(limit)s bytes: %(folder)s")
            % {"total": total, "limit": limit, "folder": folder}
        )


def _walk(folder: Path, ignore: Ignore, above: tuple[tuple[int, int], ...]) -> Iterator[Path]:
    """Yield the regular files below a folder that are not ignored; follow links, as `shutil.copytree` does."""
    status = folder.stat()
    identity = (status.st_dev, status.st_ino)
    if identity in above:
        raise LocalFileError(_("%(folder)s is a link to a folder that contains it.") % {"folder": folder})
    if len(above) >= MOST_PARTS:
        raise BadPath(
            _("%(folder)s is more than %(limit)s folders deep, and cannot be sent.")
            % {"folder": folder, "limit": MOST_PARTS - 1}
        )
    names = sorted(os.listdir(folder))
    ignored = set(ignore(os.fspath(folder), names))
    for name in names:
        if name in ignored:
            continue
        path = folder / name
        mode = _mode(path)
        if stat.S_ISDIR(mode):
            yield from _walk(path, ignore, (*above, identity))
        elif stat.S_ISREG(mode):
            yield path
        else:
            raise LocalFileError(_("%(path)s is not an ordinary file, and cannot be sent.") % {"path": path})


def _mode(path: Path) -> int:
    try:
        return path.stat().st_mode
    except OSError as error:
        raise LocalFileError(
            _("%(path)s cannot be read (%(reason)s); is it a link to something that no longer exists?")
            % {"path": path, "reason": error.strerror}
        ) from error
