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
    roster: int  # lines of a large course's roster file
    rounds: int  # of submissions; the best counts, since other work on the machine only slows them down
    lists: int
    large: int  # bytes of the one large submission on all servers
    huge: int  # bytes of the one that is measured on ngshare alone


FULL = Size(students=300, roster=5000, rounds=2, lists=400, large=68_000_000, huge=1_000_000_000)
QUICK = Size(students=60, roster=1000, rounds=1, lists=100, large=20_000_000, huge=200_000_000)


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


def unchanged_data(student: str) -> FileSet:
    """What a student submits who worked on the notebook alone."""
    return {"ps1.ipynb": notebook(student), "data.bin": data("released")}


def all_new(student: str) -> FileSet:
    """What a student submits who made data of their own as well."""
    return {"ps1.ipynb": notebook(f"{student}, new"), "data.bin": data(student)}
