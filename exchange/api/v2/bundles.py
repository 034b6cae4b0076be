"""Bundles: tar streams whose members are blobs named by their SHA-256; see docs/api.md.

Only what a bundle needs is read, block by block: plain ustar headers and regular files. Anything else that a tar
may hold (links, devices, extended headers, sparse files) is refused before it can mean something.
"""

import re
import tarfile
from collections.abc import Iterable, Iterator

from django.utils.translation import gettext as _

from courses.api.parsers import max_json
from courses.errors import Invalid, TooLarge
from courses.sizes import readable_size
from exchange.models import Blob
from exchange.storage import blobs, reading
from exchange.storage.blobs import Readable
from exchange.storage.manifests import BadManifest, ManifestEntry, check_file_count

BLOCK = tarfile.BLOCKSIZE  # bytes
MANIFEST = "manifest.json"


class BadBundle(Invalid):
    code = "bad_bundle"


class Member:
    """The bytes of one member. They can be read once."""

    def __init__(self, stream: Readable, name: str, size: int) -> None:
        self._stream, self.name, self.size = stream, name, size
        self.remaining = size  # bytes

    def read(self, size: int, /) -> bytes:
        length = min(size, self.remaining)
        chunk = self._stream.read(length) if length else b""
        if length and not chunk:
            raise BadBundle(
                _("The bundle breaks off %(remaining)s bytes before the end of %(name)s.")
                % {"remaining": self.remaining, "name": self.name}
            )
        self.remaining -= len(chunk)
        return chunk

    def skip_padding(self) -> None:
        if self.remaining:
            raise blobs.WrongSize(
                _("%(name)s was sent with %(sent)s bytes; the manifest says %(announced)s.")
                % {"name": self.name, "sent": self.size, "announced": self.size - self.remaining}
            )
        _read_exactly(self._stream, -self.size % BLOCK)


class Bundle:
    """An uploaded bundle: first `manifest()`, then `blobs()`, each once."""

    def __init__(self, stream: Readable) -> None:
        self._stream = stream

    def manifest(self) -> bytes:
        """Return the text of manifest.json. Errors: BadBundle, TooLarge."""
        member = self._next()
        if member is None or member.name != MANIFEST:
            raise BadBundle(_("A bundle starts with %(manifest)s.") % {"manifest": MANIFEST})
        if member.size > (limit := max_json()):
            raise TooLarge(
                _("%(manifest)s is %(size)s, the limit is %(limit)s.")
                % {"manifest": MANIFEST, "size": readable_size(member.size), "limit": readable_size(limit)},
                limit=limit,
            )
        text = _read_exactly(member, member.size)
        member.skip_padding()
        return text

    def blobs(self) -> Iterator[tuple[str, Member]]:
        """Yield (sha256, stream) of each member; read a stream before requesting the next. Errors: BadBundle."""
        while member := self._next():
            if not re.fullmatch("[0-9a-f]{64}", member.name):
                raise BadBundle(_("%(name)s is not the SHA-256 of a blob.") % {"name": ascii(member.name[:100])})
            yield member.name, member
            member.skip_padding()

    def _next(self) -> Member | None:
        header = _read_exactly(self._stream, BLOCK)
        if not header.strip(b"\0"):
            return None
        try:
            info = tarfile.TarInfo.frombuf(header, "utf-8", "strict")
        except (tarfile.TarError, ValueError) as error:
            raise BadBundle(_("This is not a tar stream: %(error)s.") % {"error": error}) from error
        if info.type not in (tarfile.REGTYPE, tarfile.AREGTYPE) or info.size < 0:
            raise BadBundle(_("%(name)s is not a plain file.") % {"name": ascii(info.name[:100])})
        return Member(self._stream, info.name, info.size)


def _read_exactly(stream: Readable, size: int) -> bytes:
    parts, remaining = [], size
    while remaining:
        chunk = stream.read(remaining)
        if not chunk:
            raise BadBundle(_("The bundle breaks off before its end."))
        parts.append(chunk)
        remaining -= len(chunk)
    return b"".join(parts)


def manifest_entries(value: object) -> list[ManifestEntry]:
    """Return the files of a manifest in JSON; manifests.check_manifest has the rules for them.

    Errors: BadManifest, TooManyFiles.
    """
    if not isinstance(value, list):
        raise BadManifest(_('"files" must be a list of {"path", "sha256", "size"}.'))
    check_file_count(len(value))
    return [_entry(item) for item in value]


def _entry(item: object) -> ManifestEntry:
    if not isinstance(item, dict):
        raise BadManifest(_('A file must be an object {"path", "sha256", "size"}.'))
    path, sha256, size = item.get("path"), item.get("sha256"), item.get("size")
    if not isinstance(path, str) or not isinstance(sha256, str) or type(size) is not int:
        raise BadManifest(_('A file needs "path" and "sha256" as text and "size" as a whole number.'))
    return ManifestEntry(path, sha256, size)


# Downloads


def length(members: Iterable[Blob]) -> int:
    """Return how many bytes `stream` yields."""
    return sum(BLOCK + blob.size + -blob.size % BLOCK for blob in members) + 2 * BLOCK


def stream(members: Iterable[Blob]) -> Iterator[bytes]:
    """Yield a bundle of these blobs, in chunks."""
    for blob in members:
        header = tarfile.TarInfo(blob.sha256)
        header.size = blob.size
        yield header.tobuf(tarfile.GNU_FORMAT)
        yield from reading.read(blob)
        yield bytes(-blob.size % BLOCK)
    yield bytes(2 * BLOCK)
