"""Manifests: which files a tree holds, by path, SHA-256 and size (bytes).

A manifest is made from a folder here (for sending) or from a server's answer (for receiving). Which files of a folder
count is nbgrader's rule: `CourseDirectory.ignore`, `include`, `max_file_size` and `max_dir_size`, applied as
nbgrader's own exchange does (nbgrader/exchange/default/exchange.py, `do_copy`).
"""

import fnmatch
import hashlib
import json
import os
import re
import stat
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeGuard

from nbgrader.coursedir import CourseDirectory
from nbgrader.utils import ignore_patterns

from . import paths
from .errors import BadAnswer, BadPath, LocalTrouble

CHUNK = 1024 * 1024  # bytes read at a time
SHA256 = re.compile(r"[0-9a-f]{64}")

Ignore = Callable[[str, list[str]], Iterable[str]]


@dataclass(frozen=True)
class File:
    """One file of a tree: its path within the tree, and what it holds."""

    path: str
    sha256: str
    size: int  # bytes

    def as_json(self) -> dict[str, Any]:
        return {"path": self.path, "sha256": self.sha256, "size": self.size}


@dataclass(frozen=True)
class LocalFile(File):
    """A file of a tree that is on this computer."""

    source: Path


def of_folder(folder: Path, coursedir: CourseDirectory, *, leave_out: Sequence[str] = ()) -> list[LocalFile]:
    """The manifest of a folder, sorted by path, each file read once.

    `leave_out` names files at the top of the folder that are not part of it (such as a student's own timestamp.txt).
    Raises LocalTrouble for what is too big or cannot be read, BadPath for a name that the exchange does not take.
    """
    check_size(folder, coursedir)
    ignore = ignore_patterns(coursedir.ignore, coursedir.include, coursedir.max_file_size, coursedir.log)
    sources = {}
    for source in _walk(folder, ignore, above=()):
        path = unicodedata.normalize("NFC", source.relative_to(folder).as_posix())
        if path in sources:
            raise BadPath(f"Two files here have the name '{path}', in different Unicode forms.")
        if path not in leave_out:
            sources[path] = source
    paths.tree_paths(sources)
    return [local_file(path, sources[path]) for path in sorted(sources)]


def check_size(folder: Path, coursedir: CourseDirectory) -> None:
    """Refuse a folder larger than `max_dir_size` (kB), counting as nbgrader does: all but what links point to."""
    total = 0
    for place, _, names in os.walk(folder):
        files = (os.path.join(place, name) for name in names)
        total += sum(os.path.getsize(file) for file in files if not os.path.islink(file))
    limit = 1000 * coursedir.max_dir_size
    if total > limit:
        raise LocalTrouble(f"Directory size is too big. Size is {total}, maximum size is {limit} bytes: {folder}")


def _walk(folder: Path, ignore: Ignore, above: tuple[tuple[int, int], ...]) -> Iterator[Path]:
    """The regular files below a folder that are not ignored; links are followed, as `shutil.copytree` does."""
    here = folder.stat()
    identity = (here.st_dev, here.st_ino)
    if identity in above:
        raise LocalTrouble(f"{folder} is a link to a folder that it is in.")
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
            raise LocalTrouble(f"{path} is no ordinary file, and cannot be sent.")


def _mode(path: Path) -> int:
    try:
        return path.stat().st_mode
    except OSError as error:
        raise LocalTrouble(
            f"{path} cannot be read ({error.strerror}); is it a link to something that is gone?"
        ) from error


def local_file(path: str, source: Path) -> LocalFile:
    try:
        sha256, size = hash_file(source)
    except OSError as error:
        raise LocalTrouble(f"{source} cannot be read: {error.strerror}.") from error
    return LocalFile(path, sha256, size, source)


def hash_file(source: Path) -> tuple[str, int]:
    """SHA-256 (lower-case hex) and size (bytes) of a file's content."""
    hasher, size = hashlib.sha256(), 0
    with source.open("rb") as stream:
        while chunk := stream.read(CHUNK):
            hasher.update(chunk)
            size += len(chunk)
    return hasher.hexdigest(), size


def from_server(files: object) -> list[File]:
    """The manifest in a server's answer. BadAnswer if it is none, BadPath if a path in it must not be written."""
    if not isinstance(files, list):
        raise BadAnswer("The exchange sent a list of files that is none.")
    parsed = [_file(entry) for entry in files]
    paths.tree_paths(file.path for file in parsed)
    return parsed


def _file(entry: object) -> File:
    if not isinstance(entry, dict):
        raise BadAnswer("The exchange sent a file that is no object.")
    sha256, size = entry.get("sha256"), entry.get("size")
    if not is_sha256(sha256) or type(size) is not int or size < 0:
        raise BadAnswer("The exchange sent a file without a usable hash and size.")
    return File(paths.tree_path(entry.get("path")), sha256, size)


def is_sha256(text: object) -> TypeGuard[str]:
    return isinstance(text, str) and SHA256.fullmatch(text) is not None


def digest(files: Iterable[File]) -> str:
    """The SHA-256 of a file set, as docs/api.md defines it (files sorted by path)."""
    rows = sorted([file.path, file.sha256, file.size] for file in files)
    return hashlib.sha256(json.dumps(rows, ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()


def as_json(files: Iterable[File]) -> list[dict[str, Any]]:
    return [file.as_json() for file in files]


def without_ignored(files: Iterable[File], globs: Sequence[str]) -> list[File]:
    """The files of which no part of the path matches a glob: what fetching leaves out by `CourseDirectory.ignore`."""
    return [
        file
        for file in files
        if not any(fnmatch.fnmatch(part, glob) for part in file.path.split("/") for glob in globs)
    ]
