"""Large files by themselves: from the exchange or an object store, and on from where a connection broke."""

import logging

import pytest
from traitlets.config import Config

from nbgrader_plugin import NgshareClient
from nbgrader_plugin.client import parts, responses, retries
from nbgrader_plugin.client.errors import ErrorResponse, InvalidResponse
from nbgrader_plugin.client.manifest import File
from nbgrader_plugin.client.transfer import Blobs
from tests.nbgrader_plugin import hostile
from tests.nbgrader_plugin.hostile import Answer

CONTENT = bytes(range(256)) * 1000
FILE = File("data.bin", hostile.sha256(CONTENT), len(CONTENT))
BLOB = f"blobs/{FILE.sha256}/"
TOKEN = "a-token-that-nobody-may-see"


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setattr(parts, "LARGE", 1000)
    monkeypatch.setattr(retries, "FIRST_PAUSE", 0.001)
    monkeypatch.setenv("JUPYTERHUB_API_TOKEN", TOKEN)
    with hostile.hostile() as script:
        script.answers = {"addresses/": {"addresses": {}}, BLOB: CONTENT}
        yield script


@pytest.fixture
def store(server):
    with hostile.hostile() as script:
        script.answers = {"bucket/x": CONTENT}
        server.answers["addresses/"] = {"addresses": {FILE.sha256: f"{script.url}/bucket/x?X-Amz-Signature=secret"}}
        yield script


@pytest.fixture
def blobs(server, tmp_path):
    client = NgshareClient(config=Config({"NgshareClient": {"url": server.url, "attempts": 2}}))
    return Blobs(client, tmp_path, logging.getLogger(__name__))


def paths(server):
    return [f"{method} {path.removeprefix('/api/v2/').partition('?')[0]}" for method, path, _ in server.received]


def breaking(server, count=100):
    """Answers that go on where they were asked to, of which this many break off after a while."""
    remaining = [True] * count

    def answer(path):
        start = int(server.received[-1][2].get("Range", "bytes=0-")[6:-1])
        end = start + responses.CHUNK + 5000 if remaining and remaining.pop() else None
        headers = {"Content-Length": str(len(CONTENT) - start)}
        return Answer(CONTENT[start:end], 206 if start else 200, headers)

    return answer


def in_turn(*answers):
    remaining = list(answers)
    return lambda path: remaining.pop(0)


def ranges(server):
    return [headers.get("Range") for _, path, headers in server.received if BLOB in path or "bucket" in path]


def test_large_file_comes_by_itself_and_small_ones_in_a_bundle(server, blobs):
    small = File("small", hostile.sha256(b"x"), 1)
    server.answers["bundle/"] = hostile.bundle((small.sha256, b"x"))
    blobs.fetch([FILE, small], "Fetching")
    assert blobs.place(FILE.sha256).read_bytes() == CONTENT
    assert blobs.place(small.sha256).read_bytes() == b"x"
    assert sorted(paths(server)) == [f"GET {BLOB}", "POST blobs/addresses/", "POST blobs/bundle/"]


def test_download_goes_on_where_the_connection_broke(server, blobs):
    server.answers[BLOB] = breaking(server, 3)
    blobs.fetch([FILE], "Fetching")
    assert blobs.place(FILE.sha256).read_bytes() == CONTENT
    assert ranges(server) == [None, "bytes=65536-", "bytes=131072-", "bytes=196608-"], "more than `attempts`"


def test_server_that_begins_anew_is_followed(server, blobs):
    first = Answer(CONTENT[:70_000], headers={"Content-Length": str(len(CONTENT))})
    server.answers[BLOB] = in_turn(first, Answer(CONTENT))
    blobs.fetch([FILE], "Fetching")
    assert blobs.place(FILE.sha256).read_bytes() == CONTENT
    assert ranges(server) == [None, "bytes=65536-"]


@pytest.mark.parametrize("content", [CONTENT[:-1] + b"x", CONTENT + b"x"])
def test_other_content_is_refused_and_not_kept(server, blobs, tmp_path, content):
    server.answers[BLOB] = content
    blobs.fetch([FILE], "Fetching")
    with pytest.raises(InvalidResponse):
        blobs.place(FILE.sha256)
    assert list(tmp_path.iterdir()) == []


def test_lost_file_does_not_keep_the_others(server, blobs):
    small = File("small", hostile.sha256(b"x"), 1)
    server.answers["bundle/"] = hostile.bundle((small.sha256, b"x"))
    lost = Answer({"code": "bytes_lost", "message": "It is lost.", "details": {}}, 410)
    server.answers |= {BLOB: lost, "addresses/": lost}
    blobs.fetch([FILE, small], "Fetching")
    assert blobs.place(small.sha256).read_bytes() == b"x"
    with pytest.raises(ErrorResponse, match="It is lost."):
        blobs.place(FILE.sha256)


@pytest.mark.parametrize("answer", [Answer(b"<h1>Not found", 404), {}, [], {"addresses": []}, {"addresses": {"x": 1}}])
def test_exchange_without_addresses_is_asked_for_the_file(server, blobs, answer):
    server.answers["addresses/"] = answer
    if answer == []:
        with pytest.raises(InvalidResponse):
            blobs.fetch([FILE], "Fetching")
        return
    blobs.fetch([FILE], "Fetching")
    assert blobs.place(FILE.sha256).read_bytes() == CONTENT


def test_file_comes_from_the_store_without_the_token(server, store, blobs):
    blobs.fetch([FILE], "Fetching")
    assert blobs.place(FILE.sha256).read_bytes() == CONTENT
    assert paths(server) == ["POST blobs/addresses/"]
    ((_, _, headers),) = store.received
    assert "Authorization" not in headers


def test_store_that_refuses_is_replaced_by_the_exchange_from_there_on(server, store, blobs, caplog):
    caplog.set_level(logging.DEBUG)
    first = Answer(CONTENT[:70_000], headers={"Content-Length": str(len(CONTENT))})
    store.answers = {"bucket/x": in_turn(first, Answer(b"<Error>", 403))}
    server.answers[BLOB] = breaking(server, 0)
    blobs.fetch([FILE], "Fetching")
    assert blobs.place(FILE.sha256).read_bytes() == CONTENT
    assert ranges(server) == ["bytes=65536-"]
    assert "secret" not in caplog.text and TOKEN not in caplog.text


def test_store_that_is_out_of_reach_is_replaced_by_the_exchange(server, blobs, caplog):
    caplog.set_level(logging.DEBUG)
    address = "http://127.0.0.1:9/bucket/x?X-Amz-Signature=secret"
    server.answers["addresses/"] = {"addresses": {FILE.sha256: address}}
    blobs.fetch([FILE], "Fetching")
    assert blobs.place(FILE.sha256).read_bytes() == CONTENT
    assert "secret" not in caplog.text


def test_store_that_is_out_of_reach_keeps_one_file_waiting_and_not_each(server, store, blobs):
    blobs.client.parallel_downloads = 1
    contents = [CONTENT + bytes([number]) for number in range(3)]
    files = [File(str(number), hostile.sha256(content), len(content)) for number, content in enumerate(contents)]
    server.answers = {f"blobs/{file.sha256}/": content for file, content in zip(files, contents, strict=True)}
    server.answers["addresses/"] = {"addresses": {file.sha256: f"{store.url}/bucket/{file.path}" for file in files}}
    store.answers = {"": Answer(b"", 503)}
    blobs.fetch(files, "Fetching")
    assert [blobs.place(file.sha256).read_bytes() for file in files] == contents
    assert {path for _, path, _ in store.received} == {"/bucket/0"}


def test_exchange_is_told_not_to_point_to_the_store_again(server, blobs):
    server.answers["addresses/"] = {"addresses": {FILE.sha256: "http://127.0.0.1:9/bucket/x"}}

    def as_with_direct_downloads(path):
        return Answer(CONTENT) if path.endswith("?redirect=false") else Answer(b"", 302, {"Location": "/bucket/x"})

    server.answers[BLOB] = as_with_direct_downloads
    blobs.fetch([FILE], "Fetching")
    assert blobs.place(FILE.sha256).read_bytes() == CONTENT


def test_signature_of_an_address_that_is_not_followed_is_shown_nowhere(server, blobs, caplog):
    caplog.set_level(logging.DEBUG)
    server.answers[BLOB] = Answer(b"", 302, {"Location": "https://store.example/x?X-Amz-Signature=secret"})
    blobs.fetch([FILE], "Fetching")
    with pytest.raises(InvalidResponse, match="points to another address, which is not followed") as caught:
        blobs.place(FILE.sha256)
    assert "secret" not in str(caught.value) + caplog.text


def test_store_that_breaks_off_shows_no_address(server, store, blobs, caplog):
    caplog.set_level(logging.DEBUG)
    store.answers = {"bucket/x": Answer(CONTENT[:10], 200, {"Content-Length": str(len(CONTENT))})}
    server.answers[BLOB] = Answer({"code": "not_found", "message": "It is not here, either.", "details": {}}, 404)
    blobs.fetch([FILE], "Fetching")
    with pytest.raises(ErrorResponse, match="It is not here, either."):
        blobs.place(FILE.sha256)
    assert "secret" not in caplog.text
