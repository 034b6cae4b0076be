"""Bundles: tar streams whose members are blobs, named by their SHA-256.

An upload is produced while it is sent, with a length that is known before; a download is checked while it arrives.
Neither is ever in memory as a whole. Only plain ustar with regular files is written or accepted (docs/api.md).
"""

import hashlib
import json
import tarfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

from .errors import BadAnswer, LocalTrouble
from .manifest import CHUNK, LocalFile

BLOCK = 512  # bytes, POSIX.1-1988 (ustar)
END = bytes(2 * BLOCK)
LARGEST = 8**11 - 1  # bytes: the size field of ustar has eleven octal digits
MANIFEST = "manifest.json"


class Reader(Protocol):
    """Where a download comes from: exactly `size` bytes, or fewer at the end."""

    def read(self, size: int, /) -> bytes: ...


def ignore_progress(count: int) -> None:
    """For whom nobody waits."""


class Upload:
    """The body of an upload: iterable (again and again, for repeats), with its length in bytes.

    Iterating raises LocalTrouble when a file is no longer what the manifest says.
    """

    def __init__(
        self,
        manifest: Mapping[str, Any],
        files: Iterable[LocalFile],
        *,
        progress: Callable[[int], None] = ignore_progress,
    ) -> None:
        self.manifest = json.dumps(manifest, ensure_ascii=False).encode()
        self.blobs = {file.sha256: file for file in files}
        self.progress = progress
        for file in self.blobs.values():
            if file.size > LARGEST:
                raise LocalTrouble(f"{file.path} is larger than 8 GiB, and cannot be sent.")

    def __len__(self) -> int:
        sizes = [len(self.manifest), *(file.size for file in self.blobs.values())]
        return sum(BLOCK + size + padding(size) for size in sizes) + len(END)

    def __iter__(self) -> Iterator[bytes]:
        yield header(MANIFEST, len(self.manifest)) + self.manifest + bytes(padding(len(self.manifest)))
        for sha256, file in self.blobs.items():
            yield header(sha256, file.size)
            yield from self._content(file)
            yield bytes(padding(file.size))
        yield END

    def _content(self, file: LocalFile) -> Iterator[bytes]:
        left, hasher = file.size, hashlib.sha256()
        try:
            with file.source.open("rb") as stream:
                while left and (chunk := stream.read(min(CHUNK, left))):
                    left -= len(chunk)
                    hasher.update(chunk)
                    yield chunk
                    self.progress(len(chunk))
        except OSError as error:
            raise LocalTrouble(f"{file.source} cannot be read: {error.strerror}.") from error
        if left or hasher.hexdigest() != file.sha256:
            raise LocalTrouble(f"{file.path} changed while it was being sent. Save your work and do it again.")


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
    """Write each blob of a downloaded bundle to `folder/<sha256>`, and name it once it is whole and its hash is true.

    `wanted` maps hashes to sizes (bytes). A member that was not asked for, comes twice, has another size or content,
    or is anything but a regular file ends it with BadAnswer; so does a stream that ends early.
    """
    left = dict(wanted)
    while True:
        block = _exactly(stream, BLOCK)
        if not any(block):
            break
        sha256, size = _member(block)
        if left.pop(sha256, None) != size:
            raise BadAnswer("The exchange sent a file that was not asked for, or of another size.")
        _store(stream, folder / sha256, sha256, size, progress)
        yield sha256
    if left:
        raise BadAnswer(f"The exchange did not send {len(left)} of {len(wanted)} files.")


def _member(block: bytes) -> tuple[str, int]:
    try:
        member = tarfile.TarInfo.frombuf(block, "utf-8", "strict")
    except (tarfile.HeaderError, UnicodeDecodeError) as error:
        raise BadAnswer("The exchange sent a bundle that is damaged.") from error
    if member.type not in (tarfile.REGTYPE, tarfile.AREGTYPE):
        raise BadAnswer("The exchange sent something that is no regular file.")
    return member.name, member.size


def _store(stream: Reader, target: Path, sha256: str, size: int, progress: Callable[[int], None]) -> None:
    left, hasher = size, hashlib.sha256()
    partial = target.with_suffix(".part")
    with partial.open("wb") as file:
        while left:
            chunk = _exactly(stream, min(CHUNK, left))
            left -= len(chunk)
            hasher.update(chunk)
            file.write(chunk)
            progress(len(chunk))
    if hasher.hexdigest() != sha256:
        raise BadAnswer("The exchange sent a file whose content is not what its hash says.")
    if any(_exactly(stream, padding(size))):
        raise BadAnswer("The exchange sent a bundle that is damaged.")
    partial.rename(target)


def _exactly(stream: Reader, size: int) -> bytes:
    parts, left = [], size
    while left:
        part = stream.read(left)
        if not part:
            raise BadAnswer("The exchange stopped in the middle of a bundle.")
        parts.append(part)
        left -= len(part)
    return b"".join(parts)
