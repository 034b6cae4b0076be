"""Bad input at every door: a clear 4xx, and nothing written."""

import io
import json
import tarfile

import pytest
from django.conf import settings as django_settings

from courses.api.parsers import StrictJSONParser
from tests import cast
from tests.cast import WORK, of_assignment, post_bundle, v2

SUBMISSIONS = of_assignment("submissions")
NOTEBOOK = WORK["ps1.ipynb"]
HASH = cast.sha256(NOTEBOOK)


def with_manifest(manifest, *members):
    text = manifest if isinstance(manifest, bytes) else json.dumps(manifest).encode()
    return cast.tar([("manifest.json", text), *members])


def with_path(path):
    return with_manifest({"files": [{"path": path, "sha256": HASH, "size": len(NOTEBOOK)}]}, (HASH, NOTEBOOK))


def with_file(**changes):
    line = {"path": "a", "sha256": HASH, "size": len(NOTEBOOK)} | changes
    return with_manifest({"files": [line]}, (HASH, NOTEBOOK))


def special(kind, name=HASH, **attributes):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        text = json.dumps({"files": [{"path": "a", "sha256": HASH, "size": 0}]}).encode()
        first = tarfile.TarInfo("manifest.json")
        first.size = len(text)
        archive.addfile(first, io.BytesIO(text))
        header = tarfile.TarInfo(name)
        header.type = kind
        for key, value in attributes.items():
            setattr(header, key, value)
        archive.addfile(header)
    return out.getvalue()


@pytest.fixture
def refused(assignment, stored, bob):
    """Sends a body as a hand-in and shows that it was refused with this status and code and that nothing changed."""

    def check(body, status, code, address=SUBMISSIONS, **headers):
        before = cast.everything(), stored()
        answer = post_bundle(bob, address, body, **headers)
        assert (answer.status_code, answer.json()["code"]) == (status, code), answer.json()
        assert (cast.everything(), stored()) == before
        return answer.json()

    return check


PATHS = [
    "../x",
    "a/../x",
    "..",
    ".",
    "./a",
    "/etc/passwd",
    "a//b",
    "a/",
    "",
    "a\\b",
    "a\0b",
    "a\nb",
    "\x7f",
    "x" * 256,
    "/".join(["x" * 100] * 11),
    "é" * 128,
    "e\u0301",
    "\ud800",
    "a/./b",
    "c:\\x",
    "\u2028",
]


@pytest.mark.parametrize("path", PATHS, ids=ascii)
def test_path_tricks_are_refused(refused, path):
    refused(with_path(path), 400, "bad_path")


@pytest.mark.parametrize(
    "paths",
    [
        ("a", "a"),
        ("a", "A"),
        ("straße", "STRASSE"),
        ("a", "a/b"),
        ("A", "a/b"),
        ("D/x", "d/y"),
        ("ﬁ", "fi"),
        ("İ", "i̇"),
    ],
    ids=ascii,
)
def test_look_alikes_of_one_another_are_refused(refused, paths):
    lines = [{"path": path, "sha256": HASH, "size": len(NOTEBOOK)} for path in paths]
    refused(with_manifest({"files": lines}, (HASH, NOTEBOOK)), 400, "bad_path")


@pytest.mark.parametrize(
    "manifest",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"x"',
        b"\xff",
        b"[" * 100_000,
        b'{"files": NaN}',
        {},
        {"files": {}},
        {"files": [1]},
        {"files": [{}]},
        {"files": None},
        {"files": [["a", HASH, 1]]},
        b'{"files": 1e999}',
        b'{"a": ' + b"9" * 5000 + b"}",
    ],
    ids=lambda value: str(value)[:20],
)
def test_malformed_manifest_is_refused(refused, manifest):
    body = with_manifest(manifest, (HASH, NOTEBOOK))
    answer = refused(
        body, 400, "bad_request" if isinstance(manifest, bytes) and not _is_json(manifest) else "bad_manifest"
    )
    assert answer["message"]


def _is_json(text):
    try:
        json.loads(text, parse_constant=lambda name: 1 / 0)
    except (ValueError, RecursionError, ZeroDivisionError):
        return False
    return True


@pytest.mark.parametrize(
    "changes",
    [
        {"path": 1},
        {"path": None},
        {"sha256": 1},
        {"sha256": HASH.upper()},
        {"sha256": "x"},
        {"sha256": HASH + "0"},
        {"size": -1},
        {"size": "12"},
        {"size": 1.5},
        {"size": True},
        {"size": None},
        {"size": 2**70},
    ],
    ids=str,
)
def test_file_of_wrong_types_is_refused(refused, changes):
    refused(with_file(**changes), 400, "bad_manifest")


def test_wrong_hash_is_refused(refused):
    refused(
        with_manifest({"files": cast.manifest({"a": b"announced"})}, (cast.sha256(b"announced"), b"different")),
        400,
        "wrong_hash",
    )


@pytest.mark.parametrize("size", [0, 1, 1000])
def test_wrong_size_is_refused(refused, size):
    refused(with_file(size=size), 400, "wrong_hash" if size == 1 else "wrong_size" if size else "wrong_hash")


def test_same_hash_with_two_sizes_is_refused(refused):
    lines = [{"path": "a", "sha256": HASH, "size": len(NOTEBOOK)}, {"path": "b", "sha256": HASH, "size": 1}]
    refused(with_manifest({"files": lines}, (HASH, NOTEBOOK)), 400, "bad_manifest")


def test_false_size_of_what_is_there_is_refused(refused):
    lines = cast.manifest({"numbers.csv": WORK["data/numbers.csv"]})
    lines[0]["size"] += 1
    refused(with_manifest({"files": lines}), 400, "wrong_size")


@pytest.mark.parametrize("left", [0, 1, 511, 512, 600, 1024, 1500, 1600, 2000])
def test_truncated_bundle_is_refused(refused, left):
    whole = with_path("a")
    end = len(whole.rstrip(b"\0"))
    refused(whole[: min(left, end - 1)], 400, "bad_bundle")


def test_bundle_without_its_end_is_refused(refused):
    whole = with_path("a")
    content_end = 512 + 512 + 512 + 512
    refused(whole[:content_end], 400, "bad_bundle")


@pytest.mark.parametrize(
    "body",
    [
        b"garbage" * 1000,
        cast.tar([]),
        cast.tar([(HASH, NOTEBOOK)]),
        cast.tar([("MANIFEST.JSON", b"{}")]),
        with_manifest({"files": cast.manifest({"a": NOTEBOOK})}, ("../../etc/passwd", NOTEBOOK)),
        with_manifest({"files": cast.manifest({"a": NOTEBOOK})}, (HASH.upper(), NOTEBOOK)),
        with_manifest({"files": cast.manifest({"a": NOTEBOOK})}, ("manifest.json", b"{}")),
    ],
    ids=range(7),
)
def test_what_is_no_bundle_is_refused(refused, body):
    refused(body, 400, "bad_bundle")


@pytest.mark.parametrize(
    "body",
    [
        special(tarfile.SYMTYPE, linkname="/etc/passwd"),
        special(tarfile.LNKTYPE, linkname="manifest.json"),
        special(tarfile.CHRTYPE, devmajor=1, devminor=3),
        special(tarfile.BLKTYPE),
        special(tarfile.FIFOTYPE),
        special(tarfile.DIRTYPE),
        special(tarfile.GNUTYPE_SPARSE),
        special(tarfile.XHDTYPE),
        special(tarfile.SYMTYPE, name="x" * 200, linkname="y" * 200),
    ],
    ids=range(9),
)
def test_links_and_devices_in_a_tar_are_refused(refused, body):
    refused(body, 400, "bad_bundle")


def test_blob_that_nobody_asked_for_is_refused(refused):
    body = with_manifest({"files": []}, (HASH, NOTEBOOK))
    refused(body, 400, "bad_manifest")


def test_blob_sent_twice_is_refused(refused):
    body = with_manifest({"files": cast.manifest({"a": NOTEBOOK})}, (HASH, NOTEBOOK), (HASH, NOTEBOOK))
    refused(body, 400, "bad_manifest")


def test_blob_that_is_missing_is_named(refused):
    answer = refused(cast.bundle({"a": NOTEBOOK}, leave_out=["a"]), 409, "blobs_missing")
    assert answer["details"]["missing"] == [HASH]


def test_too_large_a_file_is_refused_with_a_sentence(refused, settings):
    settings.NGSHARE_MAX_FILE_SIZE = 10
    answer = refused(cast.bundle({"big.csv": b"x" * 11}), 413, "too_large")
    assert answer["message"] == "big.csv is 11 bytes, the limit for one file is 10 bytes."


def test_too_large_a_tree_is_refused_before_a_byte_travels(assignment, bob, settings):
    settings.NGSHARE_MAX_SUBMISSION_SIZE = 100_000_000
    files = [
        {"path": "data.csv", "sha256": "a" * 64, "size": 80_000_000},
        {"path": "more.csv", "sha256": "b" * 64, "size": 52_000_000},
    ]
    answer = bob.post(v2("blobs", "missing"), {"files": files}, format="json")
    assert answer.status_code == 413
    assert answer.json()["message"] == (
        "Your folder is 132 MB, the limit is 100 MB; the largest file is data.csv, 80 MB."
    )
    assert answer.json()["details"] == {"size": 132_000_000, "limit": 100_000_000, "largest": "data.csv"}


def test_too_many_files_are_refused(refused, settings):
    settings.NGSHARE_MAX_FILES = 2
    refused(cast.bundle({name: b"x" for name in "abc"}), 413, "too_many_files")


def test_body_of_unannounced_length_is_refused(assignment, bob):
    answer = bob.generic(
        "POST", SUBMISSIONS, b"", content_type="application/x-tar", HTTP_TRANSFER_ENCODING="chunked", CONTENT_LENGTH=""
    )
    assert (answer.status_code, answer.json()["code"]) == (411, "length_required")


@pytest.mark.parametrize("content_type", ["application/json", "multipart/form-data; boundary=x", "text/plain", "x"])
def test_another_content_type_is_refused(assignment, bob, content_type):
    answer = bob.generic("POST", SUBMISSIONS, b"{}", content_type=content_type)
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")


DOORS = [
    ("courses", "post", v2("courses"), "root"),
    ("members", "post", v2("courses", cast.COURSE, "members"), "alice"),
    ("member", "put", v2("courses", cast.COURSE, "members", "frank"), "alice"),
    ("member", "patch", v2("courses", cast.COURSE, "members", "bob"), "alice"),
    ("bulk", "post", v2("courses", cast.COURSE, "members", "bulk"), "alice"),
    ("due", "patch", of_assignment(), "alice"),
    ("withdraw", "post", v2("submissions", "withdraw"), "alice"),
    ("collected", "post", v2("submissions", "collected"), "alice"),
    ("missing", "post", v2("blobs", "missing"), "alice"),
    ("bundle", "post", v2("blobs", "bundle"), "alice"),
]
JUNK = [
    b"",
    b"{",
    b"[",
    b"[" * 100_000,
    b"\xff\xfe",
    b"null",
    b"5",
    b'"x"',
    b"[]",
    b"[1]",
    b"NaN",
    b'{"name": {}, "username": [], "members": 5, "due": "soon", "ids": ["x"], "files": 7, "sha256": "a", "role": 1}',
    b'{"name": "a/b", "username": "a/b", "members": [5], "due": [], "ids": [0], "files": [7], "sha256": ["a"]}',
    b'{"name": "\\u0000", "username": "\\u0000", "members": [{}], "due": 1, "ids": [-1], "files": [{}], "sha256": [5]}',
    b'{"name": "\\ud800", "username": "\\ud800", "members": {"a": 1}, "due": true, "ids": [1e400], "sha256": {}}',
    b'{"role": null, "section": "\\u0000", "email": "\\ud800", "first_name": [], "last_name": {}}',
    b'{"name": "", "username": "", "role": "owner", "due": "0000-00-00", "ids": {}, "sha256": null, "members": null}',
    b'{"name": "' + b"x" * 300 + b'", "username": "' + b"x" * 300 + b'", "ids": null}',
    b'{"name": ".", "username": "..", "role": [], "due": "2026-13-01T00:00:00Z", "ids": [true, null]}',
    b'{"name": "a/", "username": "*", "email": 5, "role": false, "due": "9999-99-99", "ids": ["99999999999999999999"]}',
]


@pytest.mark.parametrize(
    "junk",
    [
        pytest.param(junk, id=str(number), marks=() if number % 10 == 1 else pytest.mark.wide)
        for number, junk in enumerate(JUNK)
    ],
)
@pytest.mark.parametrize(("name", "method", "address", "who"), DOORS, ids=[f"{door[0]}-{door[1]}" for door in DOORS])
def test_junk_is_refused_at_every_door(assignment, name, method, address, who, junk):
    before = cast.everything()
    answer = cast.client(who).generic(method.upper(), address, junk, content_type="application/json")
    harmless = {"put": 201, "patch": 200}.get(method) if name == "member" and not junk else None  # no body, no change
    assert answer.status_code == (harmless or 400), answer.content
    if not harmless:
        assert set(answer.json()) == {"code", "message", "details", "request_id"}
        assert cast.everything() == before


FEEDBACK = [
    {},
    {"feedback": {}},
    {"feedback": [1]},
    {"feedback": [{}]},
    {"feedback": [{"submission": "x", "files": []}]},
    {"feedback": [{"submission": 1}]},
    {"feedback": [{"student": "bob", "files": []}]},
    {"feedback": [{"student": "bob", "timestamp": "yesterday", "files": []}]},
    {"feedback": [{"student": "b\0b", "timestamp": "2026-01-01T00:00:00Z", "files": []}]},
    {"feedback": [{"submission": 2**80, "files": []}]},
]


@pytest.mark.parametrize("manifest", FEEDBACK, ids=str)
def test_malformed_feedback_is_refused(submission, alice, manifest):
    before = cast.everything()
    answer = post_bundle(alice, of_assignment("feedback"), with_manifest(manifest))
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_manifest")
    assert cast.everything() == before


@pytest.mark.parametrize("name", ["a+b", "x" * 256, ".", "..", "ps*", "ps1\r", "ps1 ", "\x1b[2J", "a\u202eb"])
def test_assignment_name_that_nbgrader_cannot_carry_is_refused(course, alice, name):
    answer = post_bundle(alice, of_assignment("releases", assignment=name), cast.bundle(WORK))
    assert answer.status_code == 400
    assert not course.assignments.exists()


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/api/v2/courses/a%00b/", 400),
        ("/api/v2/submissions/?course=%00", 400),
        ("/api/v2/nope/", 404),
        ("/api/v2/courses/x/y/z/", 404),
        ("/api/v2/blobs/..%2f..%2fetc%2fpasswd/", 404),
        ("/api/v2/blobs/" + "A" * 64 + "/", 404),
        ("/api/v2/submissions/99999999999999999999/", 404),
        ("/api/v2/assignments/?cursor=junk", 404),
        ("/api/v2/assignments/?cursor=cD1hYmM=", 404),  # p=abc
        ("/api/v2/assignments/?cursor=cD0xMjM0NTY3ODkwMTIzNDU2Nzg5MA==", 404),  # p=12345678901234567890
        ("/api/v2/assignments/?cursor=cj0xJnA9LTE=", 404),  # r=1&p=-1
        ("/api/v2/assignments/?status=gone", 400),
        ("/api/v2/courses/%ff%fe/", 404),
        ("/api/v2/courses/%ED%A0%80/", 404),
        (f"/api/v2/courses/{'x' * 3000}/", 404),
        ("/api/v2/assignments/?course=" + "%F0%9F", 200),
    ],
)
def test_address_that_names_nothing_is_a_4xx_or_an_empty_list(course, bob, address, status):
    answer = bob.get(address)
    assert answer.status_code == status
    assert status != 200 or answer.json()["results"] == []


def test_wrong_method_is_refused(course, bob):
    answer = bob.delete(v2("me"))
    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")


@pytest.mark.parametrize("header", ["", "token", "token ", "Basic abc", "token ü", "bob", "token a%2Fb", "token %00"])
def test_malformed_authorization_is_a_401(course, header):
    answer = cast.client().get(v2("me"), headers={"Authorization": header.encode("utf-8").decode("latin-1")})
    assert answer.status_code == 401, answer.json()
    assert answer.headers["WWW-Authenticate"] == "token"


def test_json_body_has_a_bound(course, bob):
    answer = bob.generic("POST", v2("blobs", "missing"), b" " * (2**22 + 1), content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


@pytest.mark.parametrize(
    ("address", "body", "status", "code"),
    [
        (v2("blobs", "missing"), {"files": [{}] * 10_001}, 413, "too_many_files"),
        (v2("blobs", "bundle"), {"sha256": [0] * 20_001}, 400, "bad_request"),
        (v2("submissions", "collected"), {"ids": ["x"] * 20_001}, 400, "bad_request"),
        (v2("courses", cast.COURSE, "members", "bulk"), {"members": [0] * 20_001}, 400, "bad_request"),
    ],
)
def test_list_that_is_too_long_is_refused_without_a_look_at_its_items(
    assignment, alice, address, body, status, code, django_assert_max_num_queries
):
    with django_assert_max_num_queries(3):
        answer = alice.post(address, body, format="json")
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert len(answer.content) < 1000


@pytest.mark.parametrize(
    ("address", "body"),
    [
        (v2("blobs", "missing"), {"files": [{}] * 10_000}),
        (v2("blobs", "missing"), {"files": [{"path": "x" * 100_000, "sha256": "", "size": 1}]}),
        (v2("blobs", "bundle"), {"sha256": [0] * 20_000}),
        (v2("blobs", "bundle"), {"sha256": ["0" * 64] * 20_000}),
        (v2("submissions", "collected"), {"ids": ["x"] * 20_000}),
        (v2("submissions", "collected"), {"ids": list(range(10**6, 10**6 + 2000))}),
        (v2("courses", cast.COURSE, "members"), {"username": "frank", "role": "x" * 100_000}),
        (v2("courses", cast.COURSE, "members", "bulk"), {"members": [0] * 20_000}),
    ],
)
def test_answer_to_a_large_bad_body_is_small(assignment, alice, address, body):
    answer = alice.post(address, body, format="json")
    assert answer.status_code in (400, 404)
    assert len(answer.content) < 2000


def test_manifest_of_a_bundle_is_bounded(refused):
    refused(with_manifest({"files": [{}] * 10_001}), 413, "too_many_files")
    refused(with_manifest(b" " * (2**22 + 1)), 413, "too_large")
    refused(with_manifest(b"[" + b"{}," * 300_000), 413, "too_large")


@pytest.mark.parametrize("action", ["withdraw", "restore", "collected"])
@pytest.mark.parametrize("who", ["bob", "erin"])
def test_who_is_staff_nowhere_is_refused_before_the_body_is_read(course, who, action, monkeypatch):
    monkeypatch.setattr(StrictJSONParser, "parse", lambda *arguments, **options: pytest.fail("it is read"))
    answer = cast.client(who).post(v2("submissions", action), {"ids": [0]}, format="json")
    assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")


def test_feedback_on_too_many_at_once_is_refused(submission, alice):
    answer = post_bundle(alice, of_assignment("feedback"), with_manifest({"feedback": [{}] * 5001}))
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


def test_unforeseen_error_says_nothing_of_the_inside(assignment, bob, monkeypatch, rf):
    bob.raise_request_exception = False
    monkeypatch.setattr(django_settings, "NGSHARE_MAX_FILES", "a wrong type")
    answer = bob.post(v2("blobs", "missing"), {"files": cast.manifest(WORK)}, format="json")
    assert answer.status_code == 500
    assert answer.json()["code"] == "server_error" and "TypeError" not in answer.content.decode()
