"""Bundles: tar streams whose members are blobs, named by their SHA-256.

An upload is produced while it is sent, with a length that is known before; a download is checked while it arrives.
Neither is ever in memory as a whole. Only plain ustar with regular files is written or accepted (docs/api.md).
"""

import hashlib
import json
import tarfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Protocol

from ..translation import gettext as _
from .errors import InvalidResponse, LocalFileError, ServiceError
from .manifest import CHUNK, LocalFile

BLOCK = 512  # bytes, POSIX.1-1988 (ustar)
END = bytes(2 * BLOCK)
LARGEST = 8**11 - 1  # bytes: the size field of ustar has eleven octal digits
MANIFEST = "manifest.json"
PIECE = 64 * 1024  # bytes sent at a time: a slow line needs a minute for it at most (connections.STALLED)


class Reader(Protocol):
    """Where a download comes from; `read` returns at most `size` bytes, none at the end."""

    def read(self, size: int, /) -> bytes: ...


def ignore_progress(count: int) -> None:
    """Show nothing."""


class Upload:
    """The body of an upload. It can be iterated again, for repeats; its length is in bytes. Repeats take progress back.

    Iterating raises LocalFileError when a file is no longer what the manifest says.
    """

    def __init__(
        self,
        manifest: Mapping[str, object],
        files: Iterable[LocalFile],
        *,
        progress: Callable[[int], None] = ignore_progress,
    ) -> None:
        self.manifest = json.dumps(manifest, ensure_ascii=False).encode()
        self.blobs = {file.sha256: file for file in files}
        self.progress = progress
        self._shown = 0  # bytes of blobs that `progress` has been told of
        for file in self.blobs.values():
            if file.size > LARGEST:
                raise LocalFileError(_("%(file)s is larger than 8 GiB, and cannot be sent.") % {"file": file.path})

    def __len__(self) -> int:
        sizes = [len(self.manifest), *(file.size for file in self.blobs.values())]
        return sum(BLOCK + size + padding(size) for size in sizes) + len(END)

    def __iter__(self) -> Iterator[bytes]:
        self._advance(-self._shown)
        yield header(MANIFEST, len(self.manifest)) + self.manifest + bytes(padding(len(self.manifest)))
        for sha256, file in self.blobs.items():
            yield header(sha256, file.size)
            yield from self._content(file)
            yield bytes(padding(file.size))
        yield END

    def _content(self, file: LocalFile) -> Iterator[bytes]:
        remaining, hasher = file.size, hashlib.sha256()
        try:
            with file.source.open("rb") as stream:
                while remaining and (chunk := stream.read(min(PIECE, remaining))):
                    remaining -= len(chunk)
                    hasher.update(chunk)
                    yield chunk
                    self._advance(len(chunk))
        except OSError as error:
            raise LocalFileError(
                _("%(file)s cannot be read: %(reason)s.") % {"file": file.source, "reason": error.strerror}
            ) from error
        if remaining or hasher.hexdigest() != file.sha256:
            raise LocalFileError(
                _("%(file)s changed while it was being sent. Save it and try again.") % {"file": file.path}
            )

    def _advance(self, count: int) -> None:
        self._shown += count
        self.progress(count)


def header(name: str, size: int) -> bytes:
    member = tarfile.TarInfo(name)
    member.size = size
    return member.tobuf(tarfile.USTAR_FORMAT)


def padding(size: int) -> int:
    return -size % BLOCK


def receive(
    stream: Reader,
    wanted: Mapping[str, int],
    folder: Path,
    *,
    progress: Callable[[int], None] = ignore_progress,
) -> Iterator[str]:
    """Write each blob of a downloaded bundle to `folder/<sha256>`, and yield its hash once it is whole and verified.

    `wanted` maps hashes to sizes (bytes). A member that was not requested, comes twice, has another size or content,
    or is anything but a regular file raises InvalidResponse; so does a stream that ends early.
    """
    missing = dict(wanted)
    while True:
        block = _read_exactly(stream, BLOCK)
        if not any(block):
            break
        sha256, size = _parse_header(block)
        if missing.pop(sha256, None) != size:
            raise InvalidResponse(_("The exchange sent a file that was not requested, or of another size."))
        _store(stream, folder / sha256, sha256, size, progress)
        yield sha256
    if missing:
        raise InvalidResponse(
            _("The exchange did not send %(missing)s of %(count)s files.")
            % {"missing": len(missing), "count": len(wanted)}
        )


def _parse_header(block: bytes) -> tuple[str, int]:
    try:
        member = tarfile.TarInfo.frombuf(block, "utf-8", "strict")
    except (tarfile.HeaderError, UnicodeDecodeError) as error:
        raise InvalidResponse(_("The exchange sent a bundle that is damaged.")) from error
    if member.type not in (tarfile.REGTYPE, tarfile.AREGTYPE):
        raise InvalidResponse(_("The exchange sent something that is not a regular file."))
    return member.name, member.size


def _store(stream: Reader, target: Path, sha256: str, size: int, progress: Callable[[int], None]) -> None:
    """Write a blob whole and verified, or not at all."""
    remaining, hasher = size, hashlib.sha256()
    try:
        with target.open("wb") as file:
            while remaining:
                chunk = stream.read(min(CHUNK, remaining))
                if not chunk:
                    raise InvalidResponse(_("The exchange stopped in the middle of a bundle."))
                remaining -= len(chunk)
                hasher.update(chunk)
                file.write(chunk)
                progress(len(chunk))
        if hasher.hexdigest() != sha256:
            raise InvalidResponse(_("The exchange sent a file whose content is not what its hash says."))
        if any(_read_exactly(stream, padding(size))):
            raise InvalidResponse(_("The exchange sent a bundle that is damaged."))
    except ServiceError:
        progress(remaining - size)
        target.unlink()
        raise


def _read_exactly(stream: Reader, size: int) -> bytes:
    parts, remaining = [], size
    while remaining:
        part = stream.read(remaining)
        if not part:
            raise InvalidResponse(_("The exchange stopped in the middle of a bundle."))
        parts.append(part)
        remaining -= len(part)
    return b"".join(parts)
