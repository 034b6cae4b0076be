"""Many at the same instant, over several server processes: nothing is lost, nothing fails."""

import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from tests import cast
from tests.live.files import RELEASED

pytestmark = pytest.mark.live

STUDENTS = [f"student{number:02}" for number in range(16)]
ATTEMPTS = 3


def at_once(*acts):
    """Do all of them, starting at the same instant. Returns what they return, in their order."""
    gate = threading.Barrier(len(acts))

    def wait_and_do(act):
        gate.wait()
        return act()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(wait_and_do, acts))


def work(student, attempt):
    return {**RELEASED, "ps1.ipynb": f'{{"cells": ["{student}, {attempt}"]}}'.encode() * 1000}


def submit(running, number, attempt, key=None):
    """As the plugin does it: ask what is missing, send just that."""
    student = STUDENTS[number]
    files = work(student, attempt)
    missing = running.ask(
        student, "POST", cast.v2("blobs", "missing"), server=number, json={"files": cast.manifest(files)}
    )
    assert missing.status_code == 200, missing.text
    assert missing.json()["missing"] == [cast.sha256(files["ps1.ipynb"])]
    return running.ask(
        student,
        "POST",
        cast.of_assignment("submissions"),
        server=number,
        data=cast.bundle(files, leave_out=["data.csv"]),
        headers={"Idempotency-Key": key or f"{student}-{attempt}"},
    )


def test_every_receipt_of_a_crowd_is_there_afterwards_and_verifies(crowded):
    crowded.start_course(STUDENTS)
    receipts = []
    for attempt in range(ATTEMPTS):
        answers = at_once(*(partial(submit, crowded, n, attempt) for n in range(len(STUDENTS))))
        assert [answer.status_code for answer in answers] == [201] * len(STUDENTS), [one.text for one in answers]
        receipts += [(attempt, answer.json()) for answer in answers]

    listed = crowded.ask("alice", "GET", cast.v2("submissions"), params={"course": cast.COURSE, "files": "true"})
    rows = {row["id"]: row for row in listed.json()["results"]}
    assert len(rows) == len(STUDENTS) * ATTEMPTS
    for place, (attempt, receipt) in enumerate(receipts):
        files = work(receipt["student"], attempt)
        assert rows[receipt["id"]]["timestamp"] == receipt["timestamp"]
        assert rows[receipt["id"]]["files"] == cast.manifest(files)
        verdict = crowded.ask(receipt["student"], "POST", cast.v2("receipts", "verify"), server=place, json=receipt)
        assert verdict.json()["valid"] is True, verdict.text
        notebook = crowded.ask("alice", "GET", cast.v2("blobs", cast.sha256(files["ps1.ipynb"])), server=place)
        assert notebook.content == files["ps1.ipynb"]


def test_one_attempt_sent_over_and_over_at_the_same_instant_is_one_submission(crowded):
    crowded.start_course(STUDENTS)
    answers = at_once(*(partial(resend, crowded, server=n) for n in range(8)))
    statuses = sorted(answer.status_code for answer in answers)
    assert statuses == [200] * 7 + [201], [answer.text for answer in answers]
    assert len({answer.text for answer in answers}) == 1
    assert crowded.rows("SELECT count(*) FROM exchange_submission") == [(1,)]


def resend(running, server):
    return running.ask(
        "student00",
        "POST",
        cast.of_assignment("submissions"),
        server=server,
        data=cast.bundle(work("student00", 0)),
        headers={"Idempotency-Key": "the-same"},
    )


def test_first_contact_of_fifty_users_at_the_same_instant_makes_one_row_each(crowded):
    names = [f"new{number:02}" for number in range(50)]
    askers = [(name, server) for server, name in enumerate(names)]
    askers += [(name, server + 1) for name, server in askers[:10]]  # ten of them ask two servers at once
    answers = at_once(*(partial(crowded.ask, name, "GET", cast.v2("me"), server=server) for name, server in askers))
    assert [answer.status_code for answer in answers] == [200] * len(askers), [answer.text for answer in answers]
    assert [answer.json()["username"] for answer in answers] == [name for name, _ in askers]
    rows = crowded.rows("SELECT username FROM courses_user WHERE username LIKE 'new%' ORDER BY username")
    assert [name for (name,) in rows] == names
