"""The work that every server is given: one course of 300 students, who submit a notebook and a data set.

A *file set* is {path: bytes}. What is random comes from a fixed seed, so that every server gets the same bytes.
"""

import json
import random
from dataclasses import dataclass

COURSE = "NBG 101"
INSTRUCTOR = "alice"
ADMINISTRATOR = "root"
NOTEBOOK_SIZE = 50_000  # bytes
DATA_SIZE = 500_000  # bytes

FileSet = dict[str, bytes]


@dataclass(frozen=True)
class Size:
    """How much of it: a full run or a quick one."""

    students: int
    rushes: tuple[int, ...]  # students at once
    rounds: int  # of the first rush; the better one counts, since other work on the machine only slows it down
    lists: int
    slow: int  # clients with slow connections
    roster: int  # lines of a large course's roster file
    large: int  # bytes of the one large submission on all servers
    huge: int  # bytes of the one that is measured on ngshare alone
    collected: int  # submissions that nbgrader itself collects


FULL = Size(
    students=300,
    rushes=(16, 64, 256),
    rounds=2,
    lists=400,
    slow=500,
    roster=5000,
    large=68_000_000,
    huge=1_000_000_000,
    collected=300,
)
QUICK = Size(
    students=64,
    rushes=(16, 64),
    rounds=1,
    lists=100,
    slow=100,
    roster=1000,
    large=20_000_000,
    huge=200_000_000,
    collected=60,
)
TINY = Size(
    students=4,
    rushes=(2,),
    rounds=1,
    lists=4,
    slow=2,
    roster=10,
    large=100_000,
    huge=200_000,
    collected=3,
)
WARM = [f"warm{number:02}" for number in range(16)]  # students who come before anything is measured


def students(count: int) -> list[str]:
    return [f"student{number:03}" for number in range(count)]


def roster(count: int, first_name: str) -> bytes:
    """A roster as CSV."""
    lines = [f"mass{number:05},{first_name},Last {number},mass{number:05}@example.edu\n" for number in range(count)]
    return "".join(["username,first_name,last_name,email\n", *lines]).encode()


def notebook(seed: str) -> bytes:
    """A notebook of about NOTEBOOK_SIZE bytes, as text."""
    source = random.Random(seed).randbytes(NOTEBOOK_SIZE // 2).hex()
    return json.dumps({"cells": [{"cell_type": "code", "source": source}], "nbformat": 4}).encode()


def data(seed: str, size: int = DATA_SIZE) -> bytes:
    return random.Random(seed).randbytes(size)


def released() -> FileSet:
    return {"ps1.ipynb": notebook("released"), "data.bin": data("released")}


def work_of(student: str, *, all_new: bool, attempt: str = "") -> FileSet:
    """Return what a student submits: a notebook of their own, and the release's data file or one of their own."""
    seed = f"{student} {attempt}"
    return {"ps1.ipynb": notebook(seed), "data.bin": data(seed if all_new else "released")}


def feedback_page() -> bytes:
    return b"<html><body>" + random.Random("feedback").randbytes(50_000).hex().encode() + b"</body></html>"
