"""Bundles on the wire: tar streams whose members are blobs named by their SHA-256; see docs/api.md.

Only what a bundle needs is read, block by block: plain ustar headers and regular files. Anything else that a tar
may hold (links, devices, extended headers, sparse files) is refused before it can mean something.
"""

import re
import tarfile
from collections.abc import Iterable, Iterator
from typing import Any

from courses.errors import Invalid
from exchange.models import Blob
from exchange.storage import blobs, file_sets
from exchange.storage.blobs import Readable
from exchange.storage.file_sets import BadManifest, ManifestEntry

BLOCK = tarfile.BLOCKSIZE  # bytes
MAX_MANIFEST = 2**24  # bytes
MANIFEST = "manifest.json"


class BadBundle(Invalid):
    code = "bad_bundle"


class Member:
    """The bytes of one member, to be read once."""

    def __init__(self, stream: Readable, name: str, size: int) -> None:
        self._stream, self.name, self.size = stream, name, size
        self.left = size  # bytes

    def read(self, size: int, /) -> bytes:
        wanted = min(size, self.left)
        chunk = self._stream.read(wanted) if wanted else b""
        if wanted and not chunk:
            raise BadBundle(f"The bundle breaks off {self.left} bytes before the end of {self.name}.")
        self.left -= len(chunk)
        return chunk

    def skip_padding(self) -> None:
        if self.left:
            raise blobs.WrongSize(
                f"{self.name} was sent with {self.size} bytes; the manifest says {self.size - self.left}."
            )
        _read_exactly(self._stream, -self.size % BLOCK)


class Bundle:
    """An uploaded bundle: first `manifest()`, then `blobs()`, each once."""

    def __init__(self, stream: Readable) -> None:
        self._stream = stream

    def manifest(self) -> bytes:
        """The text of manifest.json. Errors: BadBundle."""
        member = self._next()
        if member is None or member.name != MANIFEST:
            raise BadBundle(f"A bundle starts with {MANIFEST}.")
        if member.size > MAX_MANIFEST:
            raise BadManifest(f"{MANIFEST} has {member.size} bytes, the limit is {MAX_MANIFEST}.")
        text = _read_exactly(member, member.size)
        member.skip_padding()
        return text

    def blobs(self) -> Iterator[tuple[str, Member]]:
        """(sha256, stream) of each member; a stream must be read before the next is asked for. Errors: BadBundle."""
        while member := self._next():
            if not re.fullmatch("[0-9a-f]{64}", member.name):
                raise BadBundle(f"{ascii(member.name[:100])} is not the SHA-256 of a blob.")
            yield member.name, member
            member.skip_padding()

    def _next(self) -> Member | None:
        header = _read_exactly(self._stream, BLOCK)
        if not header.strip(b"\0"):
            return None
        try:
            found = tarfile.TarInfo.frombuf(header, "utf-8", "strict")
        except (tarfile.TarError, ValueError) as error:
            raise BadBundle(f"This is not a tar stream: {error}.") from error
        if found.type not in (tarfile.REGTYPE, tarfile.AREGTYPE) or found.size < 0:
            raise BadBundle(f"{ascii(found.name[:100])} is not a plain file.")
        return Member(self._stream, found.name, found.size)


def _read_exactly(stream: Readable, size: int) -> bytes:
    parts, left = [], size
    while left:
        chunk = stream.read(left)
        if not chunk:
            raise BadBundle("The bundle breaks off before its end.")
        parts.append(chunk)
        left -= len(chunk)
    return b"".join(parts)


def manifest_entries(value: Any) -> list[ManifestEntry]:
    """A manifest's files, as they stand in JSON. Errors: BadManifest. The rules for them are file_sets.check_manifest."""
    if not isinstance(value, list):
        raise BadManifest('"files" must be a list of {"path", "sha256", "size"}.')
    return [_line(item) for item in value]


def _line(item: Any) -> ManifestEntry:
    if not isinstance(item, dict):
        raise BadManifest('A file must be an object {"path", "sha256", "size"}.')
    path, sha256, size = item.get("path"), item.get("sha256"), item.get("size")
    if not isinstance(path, str) or not isinstance(sha256, str) or type(size) is not int:
        raise BadManifest('A file needs "path" and "sha256" as text and "size" as a whole number.')
    return ManifestEntry(path, sha256, size)


# Downloads


def length(members: Iterable[Blob]) -> int:
    """How many bytes `stream` will give."""
    return sum(BLOCK + blob.size + -blob.size % BLOCK for blob in members) + 2 * BLOCK


def stream(members: Iterable[Blob]) -> Iterator[bytes]:
    """A bundle of these blobs, in chunks."""
    for blob in members:
        header = tarfile.TarInfo(blob.sha256)
        header.size = blob.size
        yield header.tobuf(tarfile.GNU_FORMAT)
        try:
            yield from blobs.read(blob.sha256, length=blob.size)
        except FileNotFoundError:
            file_sets.mark_missing(blob)  # the answer is broken off; the next one will say which blob it is
            raise
        yield bytes(-blob.size % BLOCK)
    yield bytes(2 * BLOCK)
