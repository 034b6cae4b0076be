"""Before the service acknowledges anything, its bytes, its rows and the names of their files are synced: a power cut
takes none of them. The system calls of a real server are the witness."""

import json
import shutil

import pytest
import requests

from tests import cast, servers
from tests.faults.disk import STRACE, Disk

pytestmark = pytest.mark.faults

TRACED = """\
10 openat(AT_FDCWD</srv>, "/data/blobs/ab/new", O_WRONLY|O_CREAT|O_CLOEXEC, 0666) = 7</data/blobs/ab/new>
10 write(7</data/blobs/ab/new>, "x", 1) = 1
10 fsync(7</data/blobs/ab/new>) = 0
10 openat(AT_FDCWD</srv>, "/data/blobs/ab", O_RDONLY|O_CLOEXEC) = 8</data/blobs/ab>
10 fsync(8</data/blobs/ab> <unfinished ...>
11 write(2</dev/null>, "x", 1) = 1
10 <... fsync resumed>) = 0
10 sendto(9<socket:[1]>, "HTTP/1.1 201 Created"..., 40, 0, NULL, 0) = 40
""".splitlines()


def of_data(path):
    return path.startswith("/data")


def test_what_is_synced_is_safe():
    disk = Disk(of_data).follow(TRACED)
    assert (disk.answers, disk.losses) == (1, [])


@pytest.mark.parametrize(
    ("left_out", "lost"), [(2, "/data/blobs/ab/new"), (6, "/data/blobs/ab/new")], ids=["its bytes", "its name"]
)
def test_what_is_not_synced_is_found(left_out, lost):
    lines = [line for number, line in enumerate(TRACED) if number != left_out]
    assert Disk(of_data).follow(lines).losses == [(1, [lost])]


def test_everything_acknowledged_was_synced_before_the_answer(tmp_path):
    data, trace = tmp_path / "data", tmp_path / "trace"
    strace = [shutil.which("strace"), *STRACE[1:], f"--output={trace}"]

    def matters(path):
        """What the promise is about: uploads that wait, the cache and the log may go."""
        return path.startswith((f"{data}/blobs", f"{data}/ngshare")) and not (
            path.startswith(f"{data}/blobs/staging") or path.endswith("-shm")
        )

    with servers.service(data, workers=1, under=strace) as running:
        answers = list(cycle(running.url))
        blobs = [path for path in (data / "blobs").glob("??/*")]
    assert {answer.status_code for answer in answers} <= {200, 201}, [answer.text for answer in answers]
    with trace.open(errors="replace") as lines:
        disk = Disk(matters).follow(lines)
    # The first answers, whether the server is there, acknowledge nothing: at that time, somebody may have opened the
    # log of the database, which is empty, to read. A slow server is asked several times.
    first = disk.answers - len(answers)
    assert first > 0
    assert [loss for loss in disk.losses if loss[0] > first] == []
    assert len(blobs) == 3 + 3 * 3 + 1  # of the course, the submissions, the feedback
    assert {str(data / "ngshare.sqlite3-wal"), *(str(path.parent) for path in blobs)} <= disk.synced


def cycle(url):
    """The answers to what changes something: a course, releases, submissions, feedback."""

    def post(who, address, **request):
        headers = {"Authorization": f"token {who}"}
        if "data" in request:
            headers["Content-Type"] = "application/x-tar"
        return requests.post(url + address, headers=headers, timeout=60, **request)

    yield post("root", cast.v2("courses"), json={"name": cast.COURSE, "instructors": ["alice"]})
    students = [f"student{number}" for number in range(3)]
    for name in students:
        member = {"username": name, "role": "student"}
        yield post("alice", cast.v2("courses", cast.COURSE, "members"), json=member)
    yield post("alice", cast.of_assignment("releases"), data=cast.bundle(cast.PS1))
    for attempt in range(3):
        for name in students:
            files = {**cast.WORK, "own.txt": f"{name} {attempt}".encode()}
            submitted = post(name, cast.of_assignment("submissions"), data=cast.bundle(files))
            yield submitted
    html = b"<b>well done</b>"
    item = {"submission": submitted.json()["id"], "files": cast.manifest({"ps1.html": html})}
    body = cast.tar([("manifest.json", json.dumps({"feedback": [item]}).encode()), (cast.sha256(html), html)])
    yield post("alice", cast.of_assignment("feedback"), data=body)
