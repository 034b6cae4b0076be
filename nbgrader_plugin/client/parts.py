"""Large files, sent in parts before the bundle that names them: what has arrived stays, and a later try goes on there.

The service keeps parts for a day, for whoever sends the same file to the same course: also for another process, after
the first one was killed. An exchange that does not know parts gets large files with the bundle.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus

from ..translation import gettext as _
from .bundle import PIECE
from .client import NgshareClient
from .errors import ErrorResponse, InvalidResponse, LocalFileError, Unreachable
from .manifest import LocalFile
from .records import as_mapping

LARGE = 16 * 1024 * 1024  # bytes; smaller files go with the bundle
VERIFYING = 600.0  # seconds that the server may take to put the parts together
ROUNDS = 4  # how often an upload is begun anew, when it has expired or an address of the store has


class PartBody:
    """The bytes of a part. It can be iterated again, for repeats, which take progress back."""

    def __init__(self, file: LocalFile, start: int, length: int, progress: Callable[[int], None]) -> None:
        self._file, self._start, self._length, self._progress = file, start, length, progress
        self._shown = 0  # bytes that `progress` has been told of

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[bytes]:
        self._progress(-self._shown)
        self._shown = 0
        try:
            with self._file.source.open("rb") as stream:
                stream.seek(self._start)
                while piece := stream.read(min(PIECE, self._length - self._shown)):
                    yield piece
                    self._shown += len(piece)
                    self._progress(len(piece))
        except OSError as error:
            raise LocalFileError(
                _("%(source)s cannot be read: %(reason)s.") % {"source": self._file.source, "reason": error.strerror}
            ) from error
        if self._shown < self._length:
            raise _changed(self._file)


@dataclass(frozen=True)
class State:
    """What the server has of a file."""

    id: str  # empty if the file is complete
    part_size: int  # bytes
    arrived: set[int]  # numbers of parts, from 1
    is_complete: bool
    addresses: Mapping[int, str]  # of an object store that takes the parts itself


def send(client: NgshareClient, course: Sequence[str], file: LocalFile, progress: Callable[[int], None]) -> bool:
    """Send a file in parts, without those that have arrived. Return False if the exchange does not know parts.

    `course` is the course's place in the API.
    """
    shown = 0  # bytes

    def advance(count: int) -> None:
        nonlocal shown
        shown += count
        progress(count)

    for remaining in reversed(range(ROUNDS)):
        state = _begin(client, course, file)
        if state is None:
            return False
        advance(_count_arrived(state, file) - shown)
        if state.is_complete:
            return True
        try:
            # The last round does without a store that has refused its own addresses.
            _send_missing(client, course, file, state if remaining else replace(state, addresses={}), advance)
            client.post(*course, "uploads", state.id, "complete", body={}, read_timeout=VERIFYING)
            return True
        except ErrorResponse as error:
            if error.code == "wrong_hash":
                raise _changed(file) from error
            if not remaining or not _is_worth_another_round(error):
                raise
    return False


def _begin(client: NgshareClient, course: Sequence[str], file: LocalFile) -> State | None:
    try:
        fields = as_mapping(client.post(*course, "uploads", body={"sha256": file.sha256, "size": file.size}))
    except ErrorResponse as error:
        if error.status in (HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED):
            return None
        raise
    is_complete = fields.get("complete") is True
    id, part_size, arrived = fields.get("id"), fields.get("part_size"), fields.get("parts")
    if not is_complete and not (isinstance(id, str) and id and type(part_size) is int and part_size > 0):
        raise InvalidResponse(_("The exchange did not say how to send a large file."))
    return State(
        id=id if isinstance(id, str) else "",
        part_size=part_size if type(part_size) is int else file.size,
        arrived={number for number in arrived if type(number) is int} if isinstance(arrived, list) else set(),
        is_complete=is_complete,
        addresses=_addresses(fields.get("addresses")),
    )


def _addresses(addresses: object) -> dict[int, str]:
    if not isinstance(addresses, dict):
        return {}
    return {int(number): url for number, url in addresses.items() if number.isdecimal() and isinstance(url, str)}


def _ranges(file: LocalFile, part_size: int) -> dict[int, tuple[int, int]]:
    """Return the start and the length of each part, by its number."""
    starts = range(0, file.size, part_size)
    return {number: (start, min(part_size, file.size - start)) for number, start in enumerate(starts, 1)}


def _count_arrived(state: State, file: LocalFile) -> int:
    """Return how many bytes the server has."""
    if state.is_complete:
        return file.size
    ranges = _ranges(file, state.part_size)
    return sum(length for number, (_, length) in ranges.items() if number in state.arrived)


def _send_missing(
    client: NgshareClient, course: Sequence[str], file: LocalFile, state: State, progress: Callable[[int], None]
) -> None:
    """Send the parts one by one. Each is tried `attempts` times by itself.

    Where the object store is out of reach, the exchange takes them.
    """
    addresses = dict(state.addresses)
    for number, (start, length) in _ranges(file, state.part_size).items():
        if number in state.arrived:
            continue
        body = PartBody(file, start, length, progress)
        if address := addresses.get(number):
            try:
                client.put_elsewhere(address, body=body)
                continue
            except Unreachable:
                addresses.clear()
        client.put(*course, "uploads", state.id, "parts", number, body=body)


def _is_worth_another_round(error: ErrorResponse) -> bool:
    """Return whether the upload has expired, or an address of the store: then it is asked for again."""
    return error.status in (HTTPStatus.NOT_FOUND, HTTPStatus.FORBIDDEN) or error.code == "parts_missing"


def _changed(file: LocalFile) -> LocalFileError:
    return LocalFileError(_("%(file)s changed while it was being sent. Save it and try again.") % {"file": file.path})
