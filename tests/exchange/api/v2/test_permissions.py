"""Who gets what at every address: one table. A refusal writes nothing."""

from uuid import uuid4

import pytest
from django.utils import timezone

from exchange import services
from exchange.api.v2.urls import router
from exchange.models import Extension
from tests import cast
from tests.cast import CALLERS, PS1, WORK, v2

TAR = "application/x-tar"
C = ("courses", cast.COURSE)
A = (*C, "assignments", "ps1")
NEW = {"username": "frank"}
FEEDBACK = {"feedback": []}
EXTEND = {"extensions": []}
LARGE = {"sha256": "0" * 64, "size": 3}
OCTETS = "application/octet-stream"

# address, method, body, then what each of CALLERS gets
TABLE = [
    (("me",), "get", None, 401, 200, 200, 200, 200, 200, 200, 200),
    (("courses",), "get", None, 401, 200, 200, 200, 200, 200, 200, 200),
    (("courses",), "post", {"name": "New"}, 401, 403, 403, 403, 403, 403, 403, 201),
    (C, "get", None, 401, 403, 200, 200, 200, 200, 403, 200),
    (C, "patch", {"timezone": "Europe/Berlin"}, 401, 403, 403, 403, 403, 200, 403, 200),
    (C, "delete", None, 401, 403, 403, 403, 403, 403, 403, 204),
    ((*C, "restore"), "post", None, 401, 403, 403, 403, 403, 403, 403, 404),
    ((*C, "members"), "get", None, 401, 403, 403, 403, 200, 200, 403, 200),
    ((*C, "members"), "post", NEW, 401, 403, 403, 403, 403, 201, 403, 201),
    ((*C, "members"), "post", {**NEW, "role": "instructor"}, 401, 403, 403, 403, 403, 403, 403, 201),
    ((*C, "members", "bob"), "get", None, 401, 403, 200, 403, 200, 200, 403, 200),
    ((*C, "members", "bob"), "patch", {"section": "B"}, 401, 403, 403, 403, 403, 200, 403, 200),
    ((*C, "members", "bob"), "patch", {"role": "instructor"}, 401, 403, 403, 403, 403, 403, 403, 200),
    ((*C, "members", "frank"), "put", {}, 401, 403, 403, 403, 403, 201, 403, 201),
    ((*C, "members", "alice"), "patch", {"role": "student"}, 401, 403, 403, 403, 403, 403, 403, 200),
    ((*C, "members", "bob"), "delete", None, 401, 403, 403, 403, 403, 204, 403, 204),
    ((*C, "members", "alice"), "delete", None, 401, 403, 403, 403, 403, 403, 403, 204),
    ((*C, "members", "bulk"), "post", {"members": [NEW]}, 401, 403, 403, 403, 403, 200, 403, 200),
    (("assignments",), "get", None, 401, 200, 200, 200, 200, 200, 200, 200),
    ((*C, "assignments"), "get", None, 401, 403, 200, 200, 200, 200, 403, 200),
    (A, "get", None, 401, 403, 200, 200, 200, 200, 403, 200),
    (A, "patch", {"due": None}, 401, 403, 403, 403, 403, 200, 403, 200),
    ((*A, "extensions"), "get", None, 401, 403, 403, 403, 200, 200, 403, 200),
    ((*A, "extensions"), "post", EXTEND, 401, 403, 403, 403, 403, 200, 403, 200),
    ((*A, "extensions", "{extension}"), "delete", None, 401, 403, 403, 403, 403, 200, 403, 200),
    ((*A, "solution"), "get", None, 401, 403, 403, 403, 200, 200, 403, 200),
    ((*A, "solution"), "put", cast.bundle(PS1), 401, 403, 403, 403, 403, 200, 403, 200),
    ((*A, "solution"), "delete", None, 401, 403, 403, 403, 403, 204, 403, 204),
    ((*A, "withdraw"), "post", None, 401, 403, 403, 403, 403, 200, 403, 200),
    ((*A, "restore"), "post", None, 401, 403, 404, 404, 403, 200, 403, 200),
    ((*A, "releases"), "get", None, 401, 403, 403, 403, 200, 200, 403, 200),
    ((*C, "assignments", "ps2", "releases"), "post", cast.bundle(PS1), 401, 403, 403, 403, 403, 201, 403, 201),
    ((*A, "releases", "latest"), "get", None, 401, 403, 200, 200, 200, 200, 403, 200),
    ((*A, "releases", "1"), "get", None, 401, 403, 404, 404, 200, 200, 403, 200),
    ((*A, "submissions"), "get", None, 401, 403, 200, 200, 200, 200, 403, 200),
    ((*A, "submissions"), "post", cast.bundle(WORK), 401, 403, 201, 201, 201, 201, 403, 201),
    ((*A, "submissions"), "post", cast.bundle(WORK, student="dave"), 401, 403, 403, 201, 201, 201, 403, 201),
    (("submissions",), "get", None, 401, 200, 200, 200, 200, 200, 200, 200),
    (("submissions", "{id}"), "get", None, 401, 404, 200, 404, 200, 200, 404, 200),
    (("submissions", "{id}", "receipt"), "get", None, 401, 404, 200, 404, 200, 200, 404, 200),
    (("submissions", "withdraw"), "post", {"ids": ["{id}"]}, 401, 403, 403, 403, 403, 200, 404, 200),
    (("submissions", "restore"), "post", {"ids": ["{id}"]}, 401, 403, 403, 403, 403, 200, 404, 200),
    (("submissions", "collected"), "post", {"ids": ["{id}"]}, 401, 403, 403, 403, 200, 200, 404, 200),
    (("receipts", "keys"), "get", None, 200, 200, 200, 200, 200, 200, 200, 200),
    (("receipts", "verify"), "post", {"id": 1}, 401, 200, 200, 200, 200, 200, 200, 200),
    ((*A, "feedback"), "post", cast.bundle({}, **FEEDBACK), 401, 403, 403, 403, 200, 200, 403, 200),
    (("blobs", "missing"), "post", {"files": cast.manifest(WORK)}, 401, 200, 200, 200, 200, 200, 200, 200),
    (("blobs", "bundle"), "post", {"sha256": ["{work}"]}, 401, 404, 200, 404, 200, 200, 404, 200),
    (("blobs", "{work}"), "get", None, 401, 404, 200, 404, 200, 200, 404, 200),
    (("blobs", "{released}"), "get", None, 401, 404, 200, 200, 200, 200, 404, 200),
    (("blobs", "addresses"), "post", {"sha256": ["{work}"]}, 401, 404, 200, 404, 200, 200, 404, 200),
    ((*C, "uploads"), "post", LARGE, 401, 403, 201, 201, 201, 201, 403, 201),
    ((*C, "uploads", "{upload}"), "get", None, 401, 403, 200, 404, 404, 404, 403, 404),
    ((*C, "uploads", "{upload}", "parts", "1"), "put", b"abc", 401, 403, 200, 404, 404, 404, 403, 404),
    ((*C, "uploads", "{upload}", "complete"), "post", None, 401, 403, 409, 404, 404, 404, 403, 404),
]
# Quick: every address as a student and as an instructor, one address as everybody.
CASES = [
    pytest.param(
        *(address, method, body, who, status),
        id=f"{method} {'/'.join(address)} {index} by {who}",
        marks=() if who in ("student", "instructor") or address == (*A, "submissions") else pytest.mark.wide,
    )
    for index, (address, method, body, *statuses) in enumerate(TABLE)
    for who, status in zip(CALLERS, statuses, strict=True)
]


@pytest.mark.parametrize(("address", "method", "body", "who", "status"), CASES)
def test_each_role_gets_what_the_table_says(submission, stored, address, method, body, who, status):
    assignment = submission.assignment
    if address == (*A, "restore"):
        services.unrelease(assignment, by=cast.actor("alice"))
    if address == (*A, "releases", "1"):
        services.release(assignment.course, "ps1", cast.upload(PS1), by=cast.actor("alice"), force=True)
    if "solution" in address:
        services.set_solution(assignment, cast.upload(WORK), by=cast.actor("alice"))
    upload = services.begin_upload(assignment.course, cast.sha256(b"abc"), 3, by=cast.actor("bob"))[0]
    fill = {
        "extension": Extension.objects.create(
            assignment=assignment, section="B", attempts=1, created=timezone.now()
        ).pk,
        "id": submission.pk,
        "upload": upload.pk,
        "work": cast.sha256(WORK["ps1.ipynb"]),
        "released": cast.sha256(PS1["ps1.ipynb"]),
    }
    address = v2(*(part.format(**fill) for part in address))
    if isinstance(body, dict):
        body = {
            key: [fill.get(str(one).strip("{}"), one) for one in value] if isinstance(value, list) else value
            for key, value in body.items()
            if key != "files"
        } | ({"files": body["files"]} if "files" in body else {})
    before, before_bytes = cast.everything(), stored()
    send = getattr(cast.client(CALLERS[who]), method)
    if isinstance(body, bytes):
        answer = send(address, body, content_type=OCTETS if "uploads" in address else TAR)
    else:
        answer = send(address, body, format="json") if body is not None else send(address)
    assert answer.status_code == status, answer.content if not answer.streaming else "bytes"
    if status >= 400:
        assert set(answer.json()) == {"code", "message", "details", "request_id"}
        assert len(answer.json()["message"]) > 10
        assert (cast.everything(), stored()) == (before, before_bytes)


@pytest.mark.parametrize(
    ("who", "method", "address", "body"),
    [
        ("gina", "patch", A, {"due": "junk"}),
        ("gina", "post", (*A, "releases"), b"junk"),
        ("gina", "post", (*C, "assignments", ".", "releases"), b"junk"),
        ("bob", "post", (*A, "feedback"), b"junk"),
        ("bob", "post", (*C, "assignments", "nowhere", "feedback"), b"junk"),
        ("carol", "post", (*A, "submissions"), b"junk"),
        ("carol", "post", (*C, "assignments", "nowhere", "submissions"), b"junk"),
        ("bob", "post", (*A, "submissions"), cast.bundle(WORK, student="nobody")),
    ],
)
def test_permission_is_checked_before_the_body(assignment, who, method, address, body):
    send = getattr(cast.client(who), method)
    answer = (
        send(v2(*address), body, content_type=TAR)
        if isinstance(body, bytes)
        else send(v2(*address), body, format="json")
    )
    assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")


def test_every_address_of_the_api_is_in_the_table():
    routes = {(str(pattern.pattern), method) for pattern in router.urls for method in pattern.callback.actions}
    routes = {(route, method) for route, method in routes if method != "head" and "status" not in route}
    assert routes
    covered = set()
    for address, method, *_ in TABLE:
        path = "".join(f"{part}/" for part in address).replace("{id}", "1").replace("{work}", "a" * 64)
        path = path.replace("{extension}", "1").replace("{released}", "b" * 64).replace("{upload}", str(uuid4()))
        covered |= {
            (str(pattern.pattern), method)
            for pattern in router.urls
            if pattern.pattern.match(path) and method in pattern.callback.actions
        }
    assert routes - covered == set()
