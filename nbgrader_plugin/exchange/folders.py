"""Writing files and folders so that they appear whole, or not at all.

Everything is made under a hidden temporary name beside its destination, on the same file system, and then renamed.
"""

import os
import secrets
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from ..client.manifest import File

Write = Callable[[str, Path], None]  # writes the bytes of a hash to a new file


@contextmanager
def temporary_folder(beside: Path) -> Iterator[Path]:
    """Make a new folder next to `beside` (whose parents are made), and remove it at the end, if it is still there."""
    folder = _temporary(beside)
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def write_folder(
    destination: Path,
    files: Iterable[File],
    write: Write,
    *,
    texts: Mapping[str, str] | None = None,
    groupshared: bool = False,
) -> None:
    """Make the folder `destination` of these files; one that exists already is replaced.

    `texts` are further files at its top, by name, which win over others of that name. `groupshared` gives the group
    the permissions of nbgrader's `CourseDirectory.groupshared`. The paths were checked by `manifest.from_server`.
    """
    with temporary_folder(destination) as new:
        made = {new}
        for file in files:
            target = new / file.path
            if file.path.split("/")[0] not in (texts or {}):
                if target.parent not in made:
                    target.parent.mkdir(parents=True, exist_ok=True)
                    made.add(target.parent)
                write(file.sha256, target)
        for path, text in (texts or {}).items():
            (new / path).write_text(text, encoding="utf-8")
        if groupshared:
            share_with_group(new)
        swap(new, destination)


def copy_from(places: Mapping[str, Path]) -> Write:
    """Return what copies from files on this computer, {hash: path}."""

    def copy(sha256: str, target: Path) -> None:
        shutil.copyfile(places[sha256], target)

    return copy


def swap(new: Path, destination: Path) -> None:
    """Rename `new` to `destination`. An existing one is moved away first, and back if that fails."""
    if not os.path.lexists(destination):
        new.rename(destination)
        return
    with temporary_folder(destination) as work:
        old = work / "old"
        destination.rename(old)
        try:
            new.rename(destination)
        except OSError:
            old.rename(destination)
            raise


def write_file(destination: Path, source: Path) -> None:
    """Copy a file, replacing an existing one; its folder is made."""
    destination.parent.mkdir(parents=True, exist_ok=True)
    partial = _temporary(destination)
    try:
        shutil.copyfile(source, partial)
        partial.replace(destination)
    finally:
        partial.unlink(missing_ok=True)


def write_text(destination: Path, text: str) -> None:
    destination.parent.mkdir(parents=True, exist_ok=True)
    partial = _temporary(destination)
    try:
        partial.write_text(text, encoding="utf-8")
        partial.replace(destination)
    finally:
        partial.unlink(missing_ok=True)


def share_with_group(top: Path) -> None:
    """Set folders |= 2770, files |= 660, nothing for others (nbgrader/exchange/default/exchange.py, `do_copy`)."""
    for place, _, names in os.walk(top):
        folder = Path(place)
        folder.chmod((folder.stat().st_mode | 0o2770) & 0o2777)
        for name in names:
            file = folder / name
            file.chmod((file.stat().st_mode | 0o660) & 0o777)


def _temporary(beside: Path) -> Path:
    # Short, because a name may be as long as the file system allows already; hidden, so that nbgrader's globs miss it.
    return beside.parent / f".ngshare-{secrets.token_hex(6)}"
