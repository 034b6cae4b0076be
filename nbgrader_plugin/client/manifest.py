"""Manifests: the files of a file set, by path, SHA-256 and size (bytes). Needs the standard library alone.

A manifest is made from a folder (exchange/local_files.py) for sending, or from a server's response for receiving.
"""

import fnmatch
import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from ..translation import gettext as _
from .paths import BadPath, check_paths

CHUNK = 1024 * 1024  # bytes read at a time
SHA256 = re.compile(r"[0-9a-f]{64}")


class BadManifest(ValueError):
    """A manifest of the server that must not be used; the text is a sentence."""


class FileFields(TypedDict):
    """A file as JSON (docs/api.md)."""

    path: str
    sha256: str
    size: int  # bytes


@dataclass(frozen=True)
class File:
    """One file of a file set: its path within the set, and its content."""

    path: str
    sha256: str
    size: int  # bytes

    def as_json(self) -> FileFields:
        return {"path": self.path, "sha256": self.sha256, "size": self.size}


@dataclass(frozen=True)
class LocalFile(File):
    """A file of a file set that is on this computer."""

    source: Path


def hash_file(source: Path) -> tuple[str, int]:
    """Return SHA-256 (lower-case hex) and size (bytes) of a file's content."""
    hasher, size = hashlib.sha256(), 0
    with source.open("rb") as stream:
        while chunk := stream.read(CHUNK):
            hasher.update(chunk)
            size += len(chunk)
    return hasher.hexdigest(), size


def from_server(files: object) -> list[File]:
    """Return the manifest in a server's response; raise BadManifest if it is none, or a path must not be written."""
    if not isinstance(files, list):
        raise BadManifest(_("The exchange sent something else than a list of files."))
    parsed = [_file(entry) for entry in files]
    try:
        check_paths(file.path for file in parsed)
    except BadPath as error:
        raise BadManifest(str(error)) from error
    return parsed


def _file(entry: object) -> File:
    """Return an entry whose path is not yet checked."""
    if not isinstance(entry, dict):
        raise BadManifest(_("The exchange sent a file that is no object."))
    path, sha256, size = entry.get("path"), entry.get("sha256"), entry.get("size")
    if not isinstance(path, str):
        raise BadManifest(_("The exchange sent a file without a usable name."))
    if not isinstance(sha256, str) or not SHA256.fullmatch(sha256) or type(size) is not int or size < 0:
        raise BadManifest(_("The exchange sent a file without a usable hash and size."))
    return File(path, sha256, size)


def digest(files: Iterable[File]) -> str:
    """Return the SHA-256 of a file set, as docs/api.md defines it (files sorted by path)."""
    rows = sorted([file.path, file.sha256, file.size] for file in files)
    return hashlib.sha256(json.dumps(rows, ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()


def as_json(files: Iterable[File]) -> list[FileFields]:
    return [file.as_json() for file in files]


def without_ignored(files: Iterable[File], globs: Sequence[str]) -> list[File]:
    """Leave out the files with a part of their path that matches a glob (`CourseDirectory.ignore`, when fetching)."""
    return [
        file
        for file in files
        if not any(fnmatch.fnmatch(part, glob) for part in file.path.split("/") for glob in globs)
    ]
