"""The memory rule: no request grows a worker by 50 MB or takes it 2 seconds, whoever sends it."""

import json
from pathlib import Path

import pytest
import requests

from tests import cast
from tests.cast import v2
from tests.live.processes import Memory

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="peak memory is read from Linux's /proc"),
]

MEMORY = 50_000_000  # bytes that the server's processes may grow
CPU = 2  # seconds
FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=x"
JSON = "application/json"
TAR = "application/x-tar"
MISSING, BUNDLE, COLLECTED = v2("blobs", "missing"), v2("blobs", "bundle"), v2("submissions", "collected")
SUBMISSIONS, BULK = cast.of_assignment("submissions"), v2("courses", cast.COURSE, "members", "bulk")
V1 = f"/submission/{cast.COURSE}/ps1"


def form(size):
    return b"a=" + b"%41" * (size // 3)


def part(content, attributes='name="text"'):
    return f"--x\r\nContent-Disposition: form-data; {attributes}\r\n\r\n".encode() + content + b"\r\n--x--\r\n"


def items(start, item, size, end):
    return start + b",".join([item] * (size // (len(item) + 1))) + end


def manifest(content):
    return cast.tar([("manifest.json", content)])


def hashes(count):
    return json.dumps({"sha256": [f"{number:064x}" for number in range(count)]}).encode()


def named(*paths):
    files = [{"path": path, "sha256": "0" * 64, "size": 0} for path in paths]
    return json.dumps({"files": files}).encode()


# Name, who sends it, address, content type, body (made when it is sent), status
REQUESTS = [
    ("form at the log-in", None, "/login/", FORM, lambda: form(10_000_000), 413),
    ("large form at the log-in", None, "/login/", FORM, lambda: form(30_000_000), 413),
    ("form at the log-out", None, "/logout/", FORM, lambda: form(10_000_000), 413),
    ("form at the admin", None, "/admin/", FORM, lambda: form(10_000_000), 413),
    ("form of just the limit", None, "/login/", FORM, lambda: form(399_000), 403),
    ("form of many fields", None, "/login/", FORM, lambda: b"a=&" * 130_000, 400),
    ("file at the log-in", None, "/login/", MULTIPART, lambda: part(bytes(60_000_000), 'name="f"; filename="f"'), 413),
    ("roster file", None, "/admin/courses/course/1/import/", MULTIPART, lambda: part(b"a" * 10_000_000), 413),
    ("numbers as hashes", "erin", BUNDLE, JSON, lambda: items(b'{"sha256": [', b"0", 2_000_000, b"]}"), 413),
    ("fewer numbers as hashes", "erin", BUNDLE, JSON, lambda: items(b'{"sha256": [', b"0", 700_000, b"]}"), 400),
    ("unknown hashes", "erin", BUNDLE, JSON, lambda: hashes(20_000), 404),
    ("texts as ids", "erin", COLLECTED, JSON, lambda: items(b'{"ids": [', b'""', 2_000_000, b"]}"), 403),
    ("staff's texts as ids", "alice", COLLECTED, JSON, lambda: items(b'{"ids": [', b'""', 590_000, b"]}"), 400),
    ("files that are empty", "erin", MISSING, JSON, lambda: items(b'{"files": [', b"{}", 8_000_000, b"]}"), 413),
    ("fewer such files", "erin", MISSING, JSON, lambda: items(b'{"files": [', b"{}", 4_100_000, b"]}"), 413),
    ("as many as are read", "erin", MISSING, JSON, lambda: items(b'{"files": [', b'{"a":0}', 1_060_000, b"]}"), 413),
    ("lists in lists", "erin", MISSING, JSON, lambda: b"[" * 390_000, 400),
    ("text of wide letters", "erin", MISSING, JSON, lambda: b'["\xf0\x9f\x98\x80' + b"a" * 4_190_000 + b'"]', 400),
    ("text without an end", "erin", MISSING, JSON, lambda: b'["' + b'\\"' * 2_090_000, 400),
    ("a path of 550,000 folders", "erin", MISSING, JSON, lambda: named("a/" * 550_000 + "a"), 400),
    ("deep paths", "erin", MISSING, JSON, lambda: named(*("a/" * 100 + f"{n}" for n in range(9000))), 400),
    ("odd paths", "erin", MISSING, JSON, lambda: named(*(f"É{n}/" * 31 + "a" for n in range(7000))), 400),
    ("bundle of empty files", "bob", SUBMISSIONS, TAR, lambda: manifest(items(b"[", b"{}", 8_000_000, b"]")), 413),
    ("fewer in a bundle", "bob", SUBMISSIONS, TAR, lambda: manifest(items(b"[", b"{}", 4_100_000, b"]")), 413),
    ("members that are numbers", "alice", BULK, JSON, lambda: items(b'{"members": [', b"0", 700_000, b"]}"), 400),
    ("API v1: empty files", "bob", V1, FORM, lambda: items(b"files=[", b"{}", 40_000_000, b"]"), 413),
    ("API v1: encoded", "bob", V1, FORM, lambda: items(b"files=%5B", b"%7B%7D%2C", 40_000_000, b"%5D"), 413),
    ("API v1: numbers", "bob", V1, FORM, lambda: items(b"files=[", b"0", 40_000_000, b"]"), 413),
    ("API v1: in parts", "bob", V1, MULTIPART, lambda: part(items(b"[", b"{}", 40_000_000, b"]"), 'name="files"'), 413),
]


def test_no_request_takes_much_memory_or_time(start):
    running = start(workers=1)
    running.start_course(["bob"])
    made = requests.get(running.urls[0] + "/login/", timeout=300)
    assert made.status_code == 200
    for who in ("alice", "bob", "erin"):
        assert running.ask(who, "GET", v2("me")).status_code == 200
    used = Memory(running.pids[0])
    too_much = {}
    for name, who, address, content_type, body, status in REQUESTS:
        content = body()
        headers = {"Content-Type": content_type, "Cookie": f"ngshare-csrf={'a' * 32}"}
        if who:
            headers["Authorization"] = f"token {who}"
        used.forget_peak()
        before = used.cpu_seconds()
        answer = requests.post(running.urls[0] + address, content, headers=headers, timeout=300)
        growth, cpu = used.growth(), used.cpu_seconds() - before
        assert answer.status_code == status, f"{name}: {answer.status_code} {answer.text[:300]}"
        assert len(answer.content) < 10_000, name
        if growth >= MEMORY or cpu >= CPU:
            too_much[name] = f"{growth / 1e6:.1f} MB, {cpu:.2f} s"
    assert not too_much
