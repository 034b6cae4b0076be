"""Files of an exchange that other people write to while it is read.

The import may run as root, and a student may swap a folder for a link at any moment. So every part of a path below the
root is opened by itself, beneath the folder that was opened before, and a link is never followed.
"""

import os
import pwd
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from courses.errors import DomainError


class Broken(DomainError):
    """A file cannot be imported; the message says why."""


@dataclass(frozen=True)
class Place:
    """A file or folder below a root, which is trusted. Whatever the parts name may change at any time."""

    root: Path
    parts: tuple[str, ...] = ()

    def __truediv__(self, part: str) -> "Place":
        return Place(self.root, (*self.parts, part))

    def __str__(self) -> str:
        return str(self.root.joinpath(*self.parts))

    @property
    def name(self) -> str:
        return self.parts[-1] if self.parts else self.root.name

    @property
    def folder(self) -> "Place":
        return Place(self.root, self.parts[:-1])


@contextmanager
def open_folder(place: Place) -> Iterator[int]:
    """Open a folder, and give its descriptor. Errors: OSError, also for a link."""
    descriptor = os.open(place.root, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for part in place.parts:
            inner = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=descriptor)
            os.close(descriptor)
            descriptor = inner
        yield descriptor
    finally:
        os.close(descriptor)


def open_plain(place: Place) -> IO[bytes]:
    """Open a plain file. Errors: Broken, also for a link: its author may not be allowed to read the target."""
    try:
        with open_folder(place.folder) as folder:
            descriptor = os.open(place.name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
    except FileNotFoundError as error:
        raise Broken(f"the file is missing: {place}") from error
    except OSError as error:
        raise Broken(f"the file cannot be read: {place}: {error.strerror}") from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise Broken(f"this is no plain file: {place}")
    return open(descriptor, "rb")


def read_small(place: Place, size: int) -> str:
    """Return the start of a small text file, `size` bytes at most; empty if there is none."""
    try:
        with open_plain(place) as file:
            return file.read(size).decode(errors="replace")
    except (Broken, OSError):
        return ""


def is_folder(place: Place) -> bool:
    return stat.S_ISDIR(_mode(place))


def is_file(place: Place) -> bool:
    return stat.S_ISREG(_mode(place))


def mode_of(name: str, folder: int) -> int:
    """Return the mode of what is in an open folder, which may be a link; 0 if it is gone."""
    try:
        return os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode
    except OSError:
        return 0


def owner_of(folder: Place) -> str:
    """Return the name of whoever owns a folder. Errors: OSError."""
    with open_folder(folder) as descriptor:
        number = os.fstat(descriptor).st_uid
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"the unknown id {number}"


def _mode(place: Place) -> int:
    """Return the mode of what is there, which may be a link; 0 if there is nothing."""
    try:
        if not place.parts:
            return os.stat(place.root, follow_symlinks=False).st_mode
        with open_folder(place.folder) as folder:
            return mode_of(place.name, folder)
    except OSError:
        return 0
