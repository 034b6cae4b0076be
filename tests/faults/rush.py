"""A deadline rush, and what must be true after it whatever happened meanwhile.

Students submit one attempt after another. Each attempt has a key and bytes of its own, and is repeated until the
service acknowledges it. What is acknowledged is kept with its receipt, as students keep theirs.
"""

import random
import threading
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlencode

import requests

from tests import cast

TIMEOUT = 120  # seconds that one request may take
PATIENCE = 600  # seconds in which the service must have recovered by itself, on however slow a machine
MAY_REPEAT = {429, 503, 507}
SHARED = {"data.csv": b"1,2,3\n" * 10_000}  # is released, and submitted unchanged


@dataclass(frozen=True)
class Attempt:
    """What one student submits at one time, and the receipt for it."""

    student: str
    number: int
    files: dict[str, bytes]
    receipt: dict


class Rush:
    """Students of one course at one or several servers. Use it in a `with`; afterwards call `check`."""

    def __init__(
        self, urls: Sequence[str], *, students: int = 8, size: int = 20_000, course: str = cast.COURSE
    ) -> None:
        self.urls = list(urls)
        self.students = [f"student{number:02}" for number in range(students)]
        self.course = course
        self.submissions = cast.of_assignment("submissions", course=course)
        self.size = size  # bytes of what is new in each attempt
        self.acknowledged: list[Attempt] = []
        self.seen: Counter[str] = Counter()  # what the students saw; see `note`
        self._counting = threading.Lock()
        self.wrong: list[str] = []  # what nobody should see
        self.stopping = threading.Event()
        self.threads = [threading.Thread(target=self._study, args=(name,), daemon=True) for name in self.students]

    # What people do

    def ask(self, who: str, method: str, address: str, *, server: int = 0, **request) -> requests.Response:
        headers = {"Authorization": f"token {who}", **request.pop("headers", {})}
        if "data" in request:
            headers.setdefault("Content-Type", "application/x-tar")
        urls = list(self.urls)  # a test takes servers away meanwhile
        url = urls[server % len(urls)] + address
        return requests.request(method, url, headers=headers, timeout=request.pop("timeout", TIMEOUT), **request)

    def insist(self, who: str, method: str, address: str, **request) -> requests.Response:
        """Ask until there is an answer that is neither a fault nor a request to try again."""
        deadline = time.monotonic() + PATIENCE
        while True:
            answer = self._try(who, method, address, **request)
            if answer is not None:
                return answer
            if time.monotonic() > deadline:
                raise RuntimeError(f"{method} {address}: the service did not recover within {PATIENCE} s: {self.seen}")
            time.sleep(random.uniform(0.05, 0.3))

    def _try(self, who: str, method: str, address: str, **request) -> requests.Response | None:
        try:
            answer = self.ask(who, method, address, server=request.pop("server", random.randrange(100)), **request)
        except requests.RequestException as error:
            self.note(type(error).__name__)
            return None
        self.note(str(answer.status_code))
        if answer.status_code in MAY_REPEAT:
            if not is_sentence(answer):
                self.wrong.append(f"{answer.status_code} without a sentence: {answer.text[:200]}")
            return None
        if answer.status_code >= 500:
            self.wrong.append(f"{method} {address}: {answer.status_code} {answer.text[:500]}")
            return None
        return answer

    def note(self, what: str) -> None:
        with self._counting:  # of many threads, none of which may take back what another one counted
            self.seen[what] += 1

    def start_course(self) -> None:
        """alice teaches NBG 101 to the students and has released ps1."""
        course = {"name": self.course, "instructors": ["alice"]}
        self.ask("root", "POST", cast.v2("courses"), json=course).raise_for_status()
        members = {"members": [{"username": name, "role": "student"} for name in self.students]}
        self.ask("alice", "POST", cast.v2("courses", self.course, "members", "bulk"), json=members).raise_for_status()
        released = {"ps1.ipynb": b'{"cells": []}', **SHARED}
        self.ask(
            "alice", "POST", cast.of_assignment("releases", course=self.course), data=cast.bundle(released)
        ).raise_for_status()

    def files(self, student: str, number: int) -> dict[str, bytes]:
        """One part comes back in every second attempt: it is sent once, and counted on afterwards."""
        own = f"{student}, {number}: ".encode()
        return {
            "ps1.ipynb": (own * (self.size // len(own) + 1))[: self.size],
            "notes.txt": f"notes of {student}, {number // 2}".encode(),
            **SHARED,
        }

    def submit(self, student: str, number: int) -> None:
        """Submit one attempt, as often as it takes."""
        files = self.files(student, number)
        known = ["data.csv"] + (["notes.txt"] if number % 2 else [])
        headers = {"Idempotency-Key": f"{student}-{number}"}
        answer = self.insist(
            student, "POST", self.submissions, data=cast.bundle(files, leave_out=known), headers=headers
        )
        if answer.status_code == 409 and answer.json()["code"] == "blobs_missing":
            answer = self.insist(student, "POST", self.submissions, data=cast.bundle(files), headers=headers)
        if answer.status_code not in (200, 201):
            self.wrong.append(f"{student}, {number}: {answer.status_code} {answer.text[:500]}")
            return
        self.acknowledged.append(Attempt(student, number, files, answer.json()))

    def _study(self, student: str) -> None:
        number = 0
        while not self.stopping.is_set():
            try:
                self.submit(student, number)
            except RuntimeError as error:
                self.wrong.append(str(error))
                return
            number += 1

    def __enter__(self) -> "Rush":
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *raised) -> None:
        self.stopping.set()
        for thread in self.threads:
            thread.join(2 * PATIENCE)

    def wait_until_seen(self, what: str, seconds: float) -> None:
        """Let a fault last so long, and until a student has met it: on a slow machine a request takes its time."""
        before, deadline = self.seen[what], time.monotonic() + PATIENCE
        time.sleep(seconds)
        while self.seen[what] <= before:
            assert time.monotonic() < deadline, f"nobody saw {what}: {self}"
            time.sleep(0.02)

    def wait_for(self, more: int) -> None:
        """Wait until so many more attempts are acknowledged."""
        goal, deadline = len(self.acknowledged) + more, time.monotonic() + PATIENCE
        while len(self.acknowledged) < goal:
            assert time.monotonic() < deadline, f"no progress: {dict(self.seen)} {self.wrong[:3]}"
            time.sleep(0.02)

    # What must be true

    def check(self) -> None:
        """Nothing acknowledged is lost, nothing is half there or twice, and nobody saw what nobody should."""
        assert [thread.name for thread in self.threads if thread.is_alive()] == []
        assert self.wrong == []
        listed = self.listed()
        by_id = {row["id"]: row for row in listed}
        receipts = {attempt.receipt["id"]: attempt for attempt in self.acknowledged}
        assert len(receipts) == len(self.acknowledged)
        assert [one.receipt for one in self.acknowledged if one.receipt["id"] not in by_id] == []
        for attempt in self.acknowledged:
            row = by_id[attempt.receipt["id"]]
            assert row["timestamp"] == attempt.receipt["timestamp"]
            assert row["files"] == cast.manifest(attempt.files)
        assert [row for row in listed if row["id"] not in receipts] == []  # each was repeated until acknowledged
        self._check_receipts()
        self._check_bytes()

    def listed(self) -> list[dict]:
        rows, address = [], cast.v2("submissions")
        query = urlencode({"course": self.course, "files": "true"})
        while True:
            page = self.insist("alice", "GET", f"{address}?{query}").json()
            rows += page["results"]
            if not page["next"]:
                return rows
            query = page["next"].partition("?")[2]

    def _check_receipts(self) -> None:
        for attempt in self.acknowledged:
            verify = cast.v2("receipts", "verify")
            verdict = self.insist("alice", "POST", verify, json=attempt.receipt).json()
            assert verdict["valid"] is True, verdict

    def _check_bytes(self) -> None:
        for content in {content for attempt in self.acknowledged for content in attempt.files.values()}:
            answer = self.insist("alice", "GET", cast.v2("blobs", cast.sha256(content)))
            assert answer.status_code == 200, answer.text
            assert answer.content == content

    def __str__(self) -> str:
        return f"{len(self.acknowledged)} acknowledged; the students saw {dict(self.seen)}; wrong: {self.wrong[:3]}"

    __repr__ = __str__


def is_sentence(answer: requests.Response) -> bool:
    """Return whether an answer is an error as the API describes it."""
    try:
        return bool(answer.json()["message"].strip()) and "Traceback" not in answer.text
    except (ValueError, KeyError):
        return False


@contextmanager
def rush_of(service_urls: Sequence[str], **options):
    """A rush that has a course; what must be true afterwards is checked at the end."""
    rush = Rush(service_urls, **options)
    rush.start_course()
    with rush:
        rush.wait_for(len(rush.students))
        yield rush
        rush.wait_for(2 * len(rush.students))  # it recovered by itself
    rush.check()
