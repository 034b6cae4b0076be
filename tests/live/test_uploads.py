"""Large files in parts: over a connection that breaks, in little memory, and with processes that are killed."""

import hashlib
import os
import signal
import threading
from contextlib import suppress
from pathlib import Path

import pytest
import requests

from tests import cast, servers
from tests.live.files import stored_bytes
from tests.live.processes import Memory

pytestmark = pytest.mark.live

SIZE = int(os.environ.get("NGSHARE_TEST_UPLOAD_BYTES", "200000000"))  # 1 GB on a machine that has time
BOUND = 50_000_000  # bytes that the server process may grow
BREAKS = 10
UPLOADS = cast.v2("courses", cast.COURSE, "uploads")
OCTETS = {"Content-Type": "application/octet-stream"}


class LargeFile:
    """A file that is made while it is read, no two of its parts alike."""

    def __init__(self, size, part_size):
        self.size, self.part_size = size, part_size
        self.count = -(-size // part_size)
        hashed = hashlib.sha256()
        for number in self.numbers:
            hashed.update(self.part(number))
        self.sha256 = hashed.hexdigest()

    @property
    def numbers(self):
        return range(1, self.count + 1)

    def part(self, number):
        length = min(self.part_size, self.size - (number - 1) * self.part_size)
        return (hashlib.sha256(str(number).encode()).digest() * (self.part_size // 32 + 1))[:length]

    def begin(self, running, server=0):
        body = {"sha256": self.sha256, "size": self.size}
        answer = running.ask("bob", "POST", UPLOADS, server=server, json=body)
        assert answer.status_code in (200, 201), answer.text
        return answer.json()

    def put(self, running, upload, number, server=0):
        address = f"{UPLOADS}{upload['id']}/parts/{number}/"
        return running.ask("bob", "PUT", address, server=server, data=self.part(number), headers=OCTETS)

    def complete(self, running, upload, server=0):
        return running.ask("bob", "POST", f"{UPLOADS}{upload['id']}/complete/", server=server)

    def submit(self, running):
        files = [{"path": "large.bin", "sha256": self.sha256, "size": self.size}]
        body = cast.tar([("manifest.json", cast.json_of({"files": files}))])
        return running.ask("bob", "POST", cast.of_assignment("submissions"), data=body)

    def download(self, running):
        """The hash of what comes back."""
        hashed = hashlib.sha256()
        with running.ask("bob", "GET", cast.v2("blobs", self.sha256), stream=True) as answer:
            for chunk in answer.iter_content(2**20):
                hashed.update(chunk)
        return hashed.hexdigest()


def break_off(running, upload, file, number):
    """Send half of a part; then the connection is gone."""

    def half():
        yield file.part(number)[: file.part_size // 2]
        raise ConnectionResetError

    headers = {"Authorization": "token bob", **OCTETS, "Content-Length": str(len(file.part(number)))}
    request = requests.Request("PUT", f"{running.urls[0]}{UPLOADS}{upload['id']}/parts/{number}/", headers=headers)
    with requests.Session() as session, pytest.raises((requests.ConnectionError, ConnectionResetError)):
        prepared = session.prepare_request(request)
        prepared.body = half()
        session.send(prepared, timeout=300)


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="peak memory is read from Linux's /proc")
def test_large_file_arrives_in_little_memory_over_a_connection_that_breaks_ten_times(start, tmp_path):
    running = start(workers=1)
    running.start_course(["bob"])
    file = LargeFile(SIZE, 2**23)
    assert file.begin(running)["part_size"] == file.part_size
    memory = Memory(running.pids[0])
    memory.forget_peak()
    breaks = list(file.numbers)[:: max(1, file.count // BREAKS)][:BREAKS]
    for number in file.numbers:
        if number in breaks:
            break_off(running, upload := file.begin(running), file, number)
            assert file.begin(running)["parts"] == list(range(1, number))
        assert file.put(running, upload, number).status_code == 200
    assert len(breaks) == BREAKS
    done = file.complete(running, upload)
    assert done.status_code == 200 and done.json()["complete"], done.text
    assert memory.growth() < BOUND
    assert file.submit(running).json()["size"] == SIZE
    assert file.download(running) == file.sha256
    folder = tmp_path / "data" / "blobs"
    servers.wait_until(lambda: not stored_bytes(folder / "parts"))
    servers.wait_until(lambda: not list((folder / "staging").iterdir()))


def test_upload_survives_processes_that_are_killed_and_its_own_repeats(crowded):
    """Four processes of one user send the same file through two servers, whose workers are killed meanwhile."""
    crowded.start_course(["bob"])
    file = LargeFile(60_000_000, 2**23)
    ended = threading.Event()

    def kill_workers():
        count = -1
        while not ended.wait(0.5):
            if len(answers) == count:
                continue  # on a busy machine, workers that never live long enough would answer nobody
            count = len(answers)
            for leader in crowded.pids:
                worker = next((pid for pid in Memory(leader).pids if pid != leader), None)
                with suppress(TypeError, ProcessLookupError):  # there is none, or it has just ended
                    os.kill(worker, signal.SIGKILL)

    def patiently(act):
        """What a client does: it repeats until there is an answer."""
        for turn in range(200):
            try:
                answer = act(turn)
            except requests.RequestException:  # nobody listens, or it broke off
                continue
            if answer.status_code != 503:
                return answer
        raise AssertionError("no answer in 200 turns")

    def send(place):
        order = list(file.numbers)[place:] + list(file.numbers)[:place]
        body = {"sha256": file.sha256, "size": file.size}
        upload = patiently(lambda turn: crowded.ask("bob", "POST", UPLOADS, server=place + turn, json=body)).json()
        for number in order:
            put = patiently(lambda turn: file.put(crowded, upload, number, server=place + turn))  # noqa: B023
            answers.append(put.status_code)
        answers.append(patiently(lambda turn: file.complete(crowded, upload, server=place + turn)).status_code)

    answers = []
    threads = [threading.Thread(target=send, args=(place,)) for place in range(4)]
    killer = threading.Thread(target=kill_workers)
    for thread in (*threads, killer):
        thread.start()
    for thread in threads:
        thread.join()
    ended.set()
    killer.join()
    assert set(answers) == {200} and len(answers) == 4 * (file.count + 1), answers
    assert crowded.rows("SELECT count(*) FROM exchange_blobupload") == [(1,)]
    assert patiently(lambda turn: file.submit(crowded)).status_code == 201
    assert file.download(crowded) == file.sha256
    assert crowded.rows("SELECT own_bytes, new_bytes FROM exchange_submission") == [(file.size, file.size)]
