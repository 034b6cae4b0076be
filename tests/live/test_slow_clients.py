"""A bad connection is nobody else's business."""

import json
import os
import signal
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from tests import cast, servers
from tests.live import slow
from tests.live.files import RELEASED
from tests.live.processes import Memory

pytestmark = pytest.mark.live

COUNT = 320
PATIENCE = 5  # seconds
PAUSES, PAUSE = 6, 1.0  # in all longer, and each of them much shorter, also on a busy machine
PLACES = 2 * 4  # of two processes
SENDERS = 2  # of notices, one in each process
STUDENTS = [f"student{number}" for number in range(8)]
WARMING_UP = range(5)  # attempts, until each of the processes has served some
LARGE = os.urandom(1_000_000)
SUBMISSIONS = cast.of_assignment("submissions")
DOWNLOAD = cast.v2("blobs", cast.sha256(LARGE))
LIMIT = 2 * 2**20  # bytes; what systems keep of what is sent and not yet read

KINDS = {
    "headers": (b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Slow: ", b"x"),  # more would soon be too much
    "uploads": (slow.head("POST", SUBMISSIONS, token="student0", length=10**7) + bytes(100), bytes(slow.PACE)),
    "refused uploads": (slow.head("POST", SUBMISSIONS, token="alien", length=10**7), bytes(slow.PACE)),
    "uploads of strangers": (slow.head("POST", SUBMISSIONS, length=10**7), bytes(slow.PACE)),
    "readers": (slow.head("GET", DOWNLOAD, token="alice"), b""),
    "idle": (slow.head("GET", "/healthz"), b""),
    "pipelined": (slow.head("GET", "/static/ngshare/ngshare.css") * 20, b""),
}


def submit(running, attempt, student):
    files = {**RELEASED, "ps1.ipynb": f'{{"cells": ["{student}, {attempt}"]}}'.encode()}
    return running.ask(student, "POST", SUBMISSIONS, data=cast.bundle(files)).status_code


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="connections and memory are read from Linux's /proc")
def test_hundreds_of_slow_clients_of_every_kind_stop_nobody(start):
    with servers.postgres() as database, ThreadPoolExecutor(len(STUDENTS)) as pool:
        running = start(workers=2, database=database)
        running.start_course(STUDENTS)
        released = running.ask(
            "alice", "POST", cast.of_assignment("releases", assignment="large"), data=cast.bundle({"large.bin": LARGE})
        )
        assert released.status_code == 201, released.text
        for attempt in WARMING_UP:
            assert set(pool.map(partial(submit, running, attempt), STUDENTS)) == {201}
        servers.wait_until(lambda: len(Memory(running.pids[0]).pids) == 3)  # the parent and its workers
        memory = Memory(running.pids[0])
        for kind, (opening, drip) in KINDS.items():
            memory.forget_peak()
            with slow.Crowd(running.urls[0], COUNT, opening, drip):
                if kind not in ("uploads of strangers", "idle"):  # which the server ends before long
                    servers.wait_until(lambda: slow.connections_of(memory.pids, running.urls[0]) >= COUNT)
                assert [running.ask("", "GET", "/healthz").status_code for _ in range(10)] == [200] * 10, kind
                assert set(pool.map(partial(submit, running, kind), STUDENTS)) == {201}, kind
                assert fewest_database_connections(running) <= PLACES + SENDERS + 1, kind
            servers.wait_until(lambda: slow.connections_of(memory.pids, running.urls[0]) <= PLACES)
            assert memory.growth() < COUNT * 2**17, kind
        attempts = len(WARMING_UP) + len(KINDS)
        assert running.rows("SELECT count(*) FROM exchange_submission") == [(attempts * len(STUDENTS),)]


def fewest_database_connections(running):
    """How many there are for two seconds: one that was closed a moment ago may still be ending."""
    counts = []
    for _ in range(10):
        ((count,),) = running.rows("SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'")
        counts.append(count)
        time.sleep(0.2)
    return min(counts)


def test_health_is_answered_while_every_place_is_taken(start, tmp_path):
    running = start(workers=1)
    assert running.ask("root", "GET", cast.v2("me")).status_code == 200

    def create(number):
        course = {"name": f"course {number}", "instructors": ["root"]}
        return running.ask("root", "POST", cast.v2("courses"), json=course).status_code

    with ThreadPoolExecutor(PLACES) as pool:
        with closing(sqlite3.connect(tmp_path / "data" / "ngshare.sqlite3", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")  # nobody else can write now
            answers = [pool.submit(create, number) for number in range(PLACES)]
            servers.wait_until(lambda: is_silent(running.urls[0], "/readyz"))
            assert [running.ask("", "GET", "/healthz").status_code for _ in range(10)] == [200] * 10
            other.execute("ROLLBACK")
        assert [answer.result() for answer in answers] == [201] * PLACES


def is_silent(url, address):
    """Whether there is no answer for half a second."""
    with slow.connect(url, timeout=0.5) as connection:
        connection.sendall(slow.head("GET", address))
        try:
            connection.recv(1)
        except TimeoutError:
            return True
    return False


@pytest.fixture
def hasty(start):
    """A server that gives up clients after a second without progress."""
    running = start(workers=1, NGSHARE_CLIENT_SECONDS="1")
    running.start_course(["bob"])
    return running


@pytest.fixture
def patient(start):
    """A server that gives up clients after some seconds: less than a slow one takes here in all."""
    running = start(workers=1, NGSHARE_CLIENT_SECONDS=str(PATIENCE))
    running.start_course(["bob"])
    return running


@pytest.mark.parametrize(
    "opening",
    [
        b"GET /healthz HTTP/1.1\r\nHost: ngs",
        slow.head("POST", "/login/", length=100, content_type="application/x-www-form-urlencoded") + b"a=",
        slow.head("POST", cast.v2("blobs", "missing"), token="bob", length=100, content_type="application/json") + b"{",
    ],
)
def test_request_without_progress_ends(hasty, opening):
    with slow.connect(hasty.urls[0]) as connection:
        connection.sendall(opening)
        assert b" 200 " not in slow.read_until_closed(connection)


def test_upload_without_progress_ends_and_leaves_nothing(hasty):
    body = cast.bundle({"ps1.ipynb": b"x" * 10_000})
    with slow.connect(hasty.urls[0]) as connection:
        connection.sendall(slow.head("POST", SUBMISSIONS, token="bob", length=len(body)) + body[: len(body) // 2])
        answer = slow.read_until_closed(connection)
    assert b" 400 " in answer.splitlines()[0] and b"bad_bundle" in answer
    assert hasty.rows("SELECT count(*) FROM exchange_submission") == [(0,)]


def test_slow_upload_with_progress_arrives(patient):
    body = cast.bundle({"ps1.ipynb": b"x" * 10_000})
    piece = -(-len(body) // PAUSES)
    with slow.connect(patient.urls[0]) as connection:
        connection.sendall(slow.head("POST", SUBMISSIONS, token="bob", length=len(body)))
        for start in range(0, len(body), piece):
            time.sleep(PAUSE)
            connection.sendall(body[start : start + piece])
        assert b" 201 " in connection.recv(2**16).splitlines()[0]


def release_large(running, size):
    content = os.urandom(size)
    body = cast.bundle({"large.bin": content})
    answer = running.ask("alice", "POST", cast.of_assignment("releases", assignment="large"), data=body)
    assert answer.status_code == 201, answer.text
    return slow.head("GET", cast.v2("blobs", cast.sha256(content)), token="alice")


def test_reader_that_takes_nothing_is_given_up(hasty):
    size = 30_000_000
    request = release_large(hasty, size)
    memory = Memory(hasty.pids[0])
    servers.wait_until(lambda: slow.connections_of(memory.pids, hasty.urls[0]) == 0)  # that of the release has ended
    with slow.connect(hasty.urls[0]) as connection:
        connection.sendall(request)
        assert connection.recv(4) == b"HTTP"  # it has begun
        servers.wait_until(lambda: slow.connections_of(memory.pids, hasty.urls[0]) == 0)
        assert len(slow.read_until_closed(connection)) < size


def test_slow_reader_gets_everything(patient):
    size = 4_000_000
    request = release_large(patient, size)
    received = 0
    with slow.connect(patient.urls[0]) as connection:
        connection.sendall(request.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        for _ in range(PAUSES):
            received += len(connection.recv(2**16))
            time.sleep(PAUSE)
        received += len(slow.read_until_closed(connection))
    assert received > size


@pytest.mark.parametrize("address", [SUBMISSIONS, "/login/"])
def test_body_of_a_stranger_is_not_read(hasty, address):
    most = 60_000_000  # bytes; as much is read of a refused upload of somebody who is logged in
    with slow.connect(hasty.urls[0]) as connection:
        connection.sendall(slow.head("POST", address, length=most))
        assert connection.recv(2**12).split()[1] in (b"401", b"413")
        assert slow.send_until_closed(connection, most) < LIMIT


def test_stop_refuses_new_connections_and_lets_an_upload_end(start):
    running = start(workers=2)
    running.start_course(["bob"])
    body = cast.bundle({"ps1.ipynb": b"x" * 10_000})
    with slow.connect(running.urls[0]) as connection:
        connection.sendall(slow.head("POST", SUBMISSIONS, token="bob", length=len(body)) + body[:5000])
        servers.wait_until(lambda: in_progress(running) == 1)  # the one that asks: the upload waits for its client
        os.kill(running.pids[0], signal.SIGTERM)
        servers.wait_until(lambda: is_refused(running.urls[0]))
        connection.sendall(body[5000:])
        answer = slow.read_until_closed(connection)
    assert b" 201 " in answer.splitlines()[0]
    assert json.loads(answer.rpartition(b"\r\n\r\n")[2])["student"] == "bob"
    assert running.rows("SELECT count(*) FROM exchange_submission") == [(1,)]


def in_progress(running):
    text = running.ask("", "GET", "/metrics").text
    return int(float(text.partition("\nngshare_requests_in_progress ")[2].split()[0]))


def is_refused(url):
    try:
        slow.connect(url, timeout=10).close()
    except ConnectionRefusedError:
        return True
    return False
