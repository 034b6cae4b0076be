"""A file set as a zip, written while it is sent: memory stays flat."""

import zipfile
from collections.abc import Iterator
from datetime import datetime

from exchange import blobs
from exchange.models import FileSet


class _Outgoing:
    """What the zip writer writes to; taken out again chunk by chunk."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, part: bytes) -> int:
        self._parts.append(bytes(part))
        return len(part)

    def flush(self) -> None:
        """Nothing waits here."""

    def take(self) -> bytes:
        taken, self._parts = b"".join(self._parts), []
        return taken


def stream(file_set: FileSet, *, folder: str, moment: datetime) -> Iterator[bytes]:
    """The zip in chunks; every file lies below `folder` and has the time `moment`."""
    out = _Outgoing()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:  # type: ignore[call-overload]
        for entry in file_set.entries.select_related("blob"):
            place = zipfile.ZipInfo(f"{folder}/{entry.path}", moment.timetuple()[:6])
            place.compress_type = zipfile.ZIP_DEFLATED
            with archive.open(place, "w", force_zip64=entry.blob.size >= 2**31) as file:
                for chunk in blobs.read(entry.blob.sha256, length=entry.blob.size):
                    file.write(chunk)
                    yield out.take()
    yield out.take()
