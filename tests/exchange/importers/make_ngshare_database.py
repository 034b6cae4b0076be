"""Makes the database and the folder of files that test_ngshare.py imports: ngshare 0.6 itself makes them.

`python -m tests.exchange.importers.make_ngshare_database` installs and starts the old service, lets a
cast use it for a term, and keeps what it wrote in tests/exchange/importers/ngshare-0.6/.
"""

import json
import shutil
import tempfile
from base64 import encodebytes
from pathlib import Path
from urllib.parse import quote

import requests

from tests.exchange.importers import published

KEPT = Path(__file__).parent / "ngshare-0.6"
COURSE = "NBG 101"
NOTEBOOK = b'{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}\n'
DATA = bytes(range(256)) * 40
PS1 = {"ps1.ipynb": NOTEBOOK, "data/numbers.csv": DATA, "data/deep/er.txt": b"deep", "empty.txt": b""}
PS2 = {"zeta.ipynb": NOTEBOOK + b"\n", "alpha.ipynb": b"{}", "\u00dcbung 2 \u65e5\u672c.md": "\u00dcbung".encode()}


class Term:
    """Requests to the old service, each of which must succeed."""

    def __init__(self, url: str) -> None:
        self._url = url

    def __call__(self, who: str, method: str, *parts: str, **form: str) -> dict[str, str]:
        address = "/".join([self._url, *(quote(part, safe="") for part in parts)])
        headers = {"Authorization": f"token {quote(who)}"}
        reply = requests.request(method, address, headers=headers, data=form, timeout=60)
        assert reply.status_code == 200, (parts, reply.text)
        return reply.json()


def files(tree: dict[str, bytes]) -> str:
    return json.dumps([{"path": path, "content": encodebytes(content).decode()} for path, content in tree.items()])


def person(name: str) -> dict[str, str]:
    return {"first_name": name.title(), "last_name": "O'Neill \u00df", "email": f"{name}@example.edu"}


def first_course(do: Term) -> None:
    do("root", "POST", "course", COURSE, instructors='["alice", "ada"]')
    do("alice", "POST", "instructor", COURSE, "alice", **person("alice"))
    for name in ("bob", "dave", "l\u00f6we & s\u00f6hne", "left", "idle"):
        do("alice", "POST", "student", COURSE, name, **person(name))
    do("alice", "POST", "assignment", COURSE, "ps1", files=files(PS1))
    do("alice", "POST", "assignment", COURSE, "ps 2 \u00fc", files=files(PS2))
    do("alice", "POST", "assignment", COURSE, "gone", files=files({"a.txt": b"gone"}))
    do("bob", "POST", "submission", COURSE, "gone", files=files({"a.txt": b"gone with it"}))
    do("alice", "DELETE", "assignment", COURSE, "gone")
    do("alice", "POST", "assignment", COURSE, "empty", files="[]")
    times = {}
    for name in ("bob", "dave", "bob", "left", "l\u00f6we & s\u00f6hne", "bob"):
        tree = {**PS1, "ps1.ipynb": f"{name} {len(times)}".encode()}
        times[name, len(times)] = do(name, "POST", "submission", COURSE, "ps1", files=files(tree))["timestamp"]
    do("dave", "POST", "submission", COURSE, "empty", files="[]")
    do("alice", "POST", "submission", COURSE, "ps 2 \u00fc", files=files(PS2))
    do("root", "POST", "submission", COURSE, "ps 2 \u00fc", files=files(PS2))
    for (name, number), time in times.items():
        if number != 5:
            tree = {"ps1.html": f"<b>{name}</b>".encode(), "img/plot.png": DATA}
            do("alice", "POST", "feedback", COURSE, "ps1", name, timestamp=time, files=files(tree))
    again = files({"ps1.html": b"second thoughts"})
    do("alice", "POST", "feedback", COURSE, "ps1", "dave", timestamp=times["dave", 1], files=again)
    do("alice", "DELETE", "student", COURSE, "left")


def other_courses(do: Term) -> None:
    do("root", "POST", "course", "50% +more", instructors='["carol"]')
    do("carol", "POST", "assignment", "50% +more", "ps1", files=files(PS1))
    do("carol", "POST", "student", "50% +more", "alice", first_name="", last_name="", email="")
    do("alice", "POST", "submission", "50% +more", "ps1", files=files(PS1))
    do("root", "POST", "course", "nothing in it")
    do("root", "POST", "course", "removed", instructors='["carol"]')
    do("root", "DELETE", "course", "removed")


def use(url: str) -> None:
    """A term's worth of work in the old service at that address."""
    do = Term(url)
    first_course(do)
    other_courses(do)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        with published.old_service(Path(folder)) as service:
            use(service.url)
        shutil.rmtree(KEPT, ignore_errors=True)
        shutil.copytree(folder, KEPT, ignore=shutil.ignore_patterns("*.log"))


if __name__ == "__main__":
    main()
