"""Memory stays flat, whatever the size of a file."""

import hashlib
import itertools
import json
import tarfile
from pathlib import Path

import pytest
import requests

from tests import cast, servers
from tests.live.files import stored_bytes
from tests.live.processes import Memory

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="peak memory is read from Linux's /proc"),
]

SIZE = 200_000_000  # bytes
BOUND = 50_000_000  # bytes that the server process may grow
PIECE = 2**20  # bytes


def pieces():
    """SIZE bytes, no two pieces alike."""
    for start in range(0, SIZE, PIECE):
        piece = hashlib.sha256(str(start).encode()).digest() * (PIECE // 32)
        yield piece[: SIZE - start]


def padding(size):
    return bytes(-size % tarfile.BLOCKSIZE)


class Body:
    """A bundle of one large blob, made while it is sent."""

    def __init__(self, files):
        self.manifest = json.dumps({"files": files}).encode()
        self.sha256 = files[0]["sha256"]

    def __len__(self):
        return sum(len(part) for part in self._before()) + SIZE + len(self._after())

    def __iter__(self):
        yield from self._before()
        yield from pieces()
        yield self._after()

    def _before(self):
        yield self._header("manifest.json", len(self.manifest)) + self.manifest + padding(len(self.manifest))
        yield self._header(self.sha256, SIZE)

    def _after(self):
        return padding(SIZE) + bytes(2 * tarfile.BLOCKSIZE)

    def _header(self, name, size):
        header = tarfile.TarInfo(name)
        header.size = size
        return header.tobuf(tarfile.USTAR_FORMAT)


class Unplugged(Exception):
    """The sender is gone."""


class BreakingOff(Body):
    def __iter__(self):
        yield from itertools.islice(super().__iter__(), 50)
        raise Unplugged


def digest_of(response):
    hashed, size = hashlib.sha256(), 0
    for chunk in response.iter_content(PIECE):
        hashed.update(chunk)
        size += len(chunk)
    return hashed.hexdigest(), size


@pytest.fixture(params=["folder", "s3"])
def store(request):
    """Variables of a service with this store."""
    if request.param == "folder":
        yield {}
        return
    with servers.s3() as url:
        yield {"NGSHARE_STORAGE": url}


def test_a_large_file_goes_up_and_down_in_little_memory(start, store):
    running = start(workers=1, **store)
    running.start_course(["bob"])
    warm = running.ask("bob", "POST", cast.of_assignment("submissions"), data=cast.bundle({"a.txt": b"warm"}))
    assert warm.status_code == 201, warm.text
    hashed = hashlib.sha256()
    for piece in pieces():
        hashed.update(piece)
    sha256 = hashed.hexdigest()
    memory = Memory(running.pids[0])
    assert len(memory.pids) == 2  # the parent and its one worker

    memory.forget_peak()
    body = Body([{"path": "large.bin", "sha256": sha256, "size": SIZE}])
    sent = running.ask("bob", "POST", cast.of_assignment("submissions"), data=body)
    assert sent.status_code == 201, sent.text
    assert sent.json()["size"] == SIZE
    assert memory.growth() < BOUND

    memory.forget_peak()
    with running.ask("bob", "GET", cast.v2("blobs", sha256), stream=True) as one:
        assert digest_of(one) == (sha256, SIZE)
    assert memory.growth() < BOUND

    memory.forget_peak()
    wanted = {"sha256": [sha256]}
    with running.ask("alice", "POST", cast.v2("blobs", "bundle"), json=wanted, stream=True) as bundle:
        assert digest_of(bundle)[1] == int(bundle.headers["Content-Length"]) > SIZE
    assert memory.growth() < BOUND


def test_an_upload_that_breaks_off_leaves_no_bytes_behind(start, tmp_path):
    running = start(workers=1)
    running.start_course(["bob"])
    blobs = tmp_path / "data" / "blobs"
    before = stored_bytes(blobs)
    body = BreakingOff([{"path": "large.bin", "sha256": "0" * 64, "size": SIZE}])
    with pytest.raises((requests.ConnectionError, Unplugged)):
        running.ask("bob", "POST", cast.of_assignment("submissions"), data=body)
    assert running.ask("bob", "GET", cast.v2("submissions")).json()["results"] == []
    servers.wait_until(lambda: stored_bytes(blobs) == before)
