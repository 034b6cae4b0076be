"""What people do at a bad moment: connections that break, the same attempt sent twice, several instructors at once, and
a clock that is set back."""

import http.client
import itertools
import json
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from urllib.parse import urlsplit

import pytest

from tests import cast, servers
from tests.faults.rush import SHARED, TIMEOUT, rush_of

pytestmark = pytest.mark.faults

DURATION = 2  # seconds


@contextmanager
def over_and_over(*acts):
    """Do each of them in a thread of its own, again and again; an error in one of them is raised at the end."""
    stopping = threading.Event()

    def repeat(act):
        while not stopping.is_set():
            act()

    with ThreadPoolExecutor(len(acts)) as pool:
        running = [pool.submit(repeat, act) for act in acts]
        try:
            yield
        finally:
            stopping.set()
        for one in running:
            one.result()


# Connections


def leave_an_upload(url, body):
    """Send a part of an upload, and hang up."""
    parts = urlsplit(url)
    with closing(http.client.HTTPConnection(parts.hostname, parts.port, timeout=TIMEOUT)) as connection:
        connection.putrequest("POST", cast.of_assignment("submissions"))
        headers = {"Authorization": "token student00", "Content-Type": "application/x-tar"}
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            connection.putheader(name, value)
        with suppress(OSError):
            connection.endheaders()
            connection.send(body[: random.randrange(len(body) * 9 // 10)])  # the rest of a tar is padding


def leave_a_download(url):
    """Ask for a file, read the beginning, and hang up."""
    parts = urlsplit(url)
    with closing(http.client.HTTPConnection(parts.hostname, parts.port, timeout=TIMEOUT)) as connection:
        address = cast.v2("blobs", cast.sha256(SHARED["data.csv"]))
        connection.request("GET", address, headers={"Authorization": "token student00"})
        connection.getresponse().read(1000)


def test_clients_leave_in_the_middle_of_uploads_and_downloads(supervise, kept_in):
    service = supervise(**kept_in)
    body = cast.bundle({"ps1.ipynb": b"never submitted" * 50_000, "more.txt": b"nor this" * 50_000})
    with rush_of([service.url]) as rush:
        with over_and_over(lambda: leave_an_upload(service.url, body), lambda: leave_a_download(service.url)):
            time.sleep(DURATION)
    staging = service.data / ("staging" if kept_in else "blobs/staging")
    servers.wait_until(lambda: not list(staging.iterdir()))
    assert all("more.txt" not in {file["path"] for file in row["files"]} for row in rush.listed())


def test_an_attempt_that_is_sent_twice_at_once_is_one_submission(supervise):
    service = supervise()
    with rush_of([service.url]) as rush, ThreadPoolExecutor(2) as pool:
        for number in range(1000, 1010):
            twins = [pool.submit(rush.submit, "student00", number) for _ in range(2)]
            for twin in twins:
                twin.result()
            first, second = [one for one in rush.acknowledged if (one.student, one.number) == ("student00", number)]
            assert first.receipt == second.receipt
            rush.acknowledged.remove(second)  # the same receipt


# The clock


def test_the_clock_is_set_back(supervise, tmp_path):
    clock = tmp_path / "clock"
    clock.write_text("0")
    shifted = {"PYTHONPATH": str(servers.ROOT / "tests/faults/clock"), "NGSHARE_TEST_CLOCK": str(clock)}
    service = supervise(**shifted)
    with rush_of([service.url]) as rush:
        new = clock.with_suffix(".new")
        new.write_text("-3600")
        new.rename(clock)
        rush.wait_for(4 * len(rush.students))
    for _, attempts in itertools.groupby(sorted(rush.acknowledged, key=by_student), key=lambda one: one.student):
        times = [attempt.receipt["timestamp"] for attempt in attempts]
        assert times == sorted(set(times))  # the latest attempt is the last one


def by_student(attempt):
    return attempt.student, attempt.number


# Instructors


def test_instructors_and_regular_tasks_at_once(supervise, kept_in):
    """Two instructors release, unrelease, collect and return feedback, beside garbage collection and verification."""
    service = supervise(**kept_in)
    with rush_of([service.url]) as rush:
        amy = {"username": "amy", "role": "instructor"}
        rush.ask("root", "POST", cast.v2("courses", cast.COURSE, "members"), json=amy).raise_for_status()
        seen = []

        def note(answer):
            seen.append(answer.status_code)
            if answer.status_code >= 500 and answer.status_code != 503:
                rush.wrong.append(f"{answer.request.method} {answer.url}: {answer.status_code} {answer.text[:500]}")
            return answer

        def release_again(who):
            files = {"ps2.ipynb": random.randbytes(1000), **SHARED}
            note(rush.ask(who, "POST", cast.of_assignment("releases", assignment="ps2"), data=cast.bundle(files)))
            note(rush.ask(who, "POST", cast.of_assignment(random.choice(["withdraw", "restore"]), assignment="ps2")))

        def grade(who):
            done = random.sample(rush.acknowledged, min(5, len(rush.acknowledged)))
            ids = [one.receipt["id"] for one in done]
            note(rush.ask(who, "POST", cast.v2("submissions", "collected"), json={"ids": ids}))
            html = b"<b>seen</b>"
            items = [{"submission": pk, "files": cast.manifest({"ps1.html": html})} for pk in ids]
            body = cast.tar([("manifest.json", json.dumps({"feedback": items}).encode()), (cast.sha256(html), html)])
            answer = note(rush.ask(who, "POST", cast.of_assignment("feedback"), data=body))
            if answer.status_code in (200, 201):
                assert len(answer.json()["returned"]) == len(ids), answer.text

        def tend(*command):
            outcome = service.manage(*command)
            if outcome.returncode:
                rush.wrong.append(f"{command}: {outcome.stdout}{outcome.stderr}")

        acts = [lambda who=who, act=act: act(who) for who in ("alice", "amy") for act in (release_again, grade)]
        tasks = [lambda: tend("sweep_blobs", "--hours", "2"), lambda: tend("verify_blobs", "--all")]
        with over_and_over(*acts, *tasks):
            time.sleep(2 * DURATION)
            servers.wait_until(lambda: {200, 201} <= set(seen))
    assert set(seen) <= {200, 201, 204, 404, 409, 503}, seen
