"""Fetching blobs: what is requested, in how many bundles, and what one that cannot be had does to the rest."""

import json
import logging

import pytest
from traitlets.config import Config

from nbgrader_plugin import NgshareClient
from nbgrader_plugin.client import responses, retries, transfer
from nbgrader_plugin.client.errors import ErrorResponse, InvalidResponse
from nbgrader_plugin.client.manifest import File
from nbgrader_plugin.client.transfer import Blobs
from tests.nbgrader_plugin import hostile
from tests.nbgrader_plugin.hostile import Answer

CONTENTS = [b"one", b"two", b"three", b"four"]
FILES = [File(content.decode(), hostile.sha256(content), len(content)) for content in CONTENTS]
BY_HASH = {hostile.sha256(content): content for content in CONTENTS}


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setattr(retries, "FIRST_PAUSE", 0.001)
    monkeypatch.setenv("JUPYTERHUB_API_TOKEN", "bob")
    with hostile.hostile() as script:
        script.answers["/bundle/"] = lambda path: Answer(hostile.bundle(*requested(script)))
        yield script


def requested(server):
    return [(sha256, BY_HASH[sha256]) for sha256 in json.loads(server.bodies[-1])["sha256"]]


@pytest.fixture
def blobs(server, tmp_path):
    client = NgshareClient(config=Config({"NgshareClient": {"url": server.url, "attempts": 2}}))
    return Blobs(client, tmp_path, logging.getLogger(__name__))


def contents(blobs):
    return [blobs.place(file.sha256).read_bytes() for file in FILES]


def test_all_come_in_one_request(server, blobs):
    blobs.fetch([*FILES, *FILES], "Fetching")
    assert contents(blobs) == CONTENTS
    assert len(server.received) == 1


def test_bundles_are_bounded_in_size(server, blobs, monkeypatch):
    monkeypatch.setattr(transfer, "BUNDLE_BYTES", 8)
    blobs.fetch(FILES, "Fetching")
    assert contents(blobs) == CONTENTS
    assert len(server.received) == 3, "one and two together, three, four"


def test_bundles_are_bounded_in_number_of_files(server, blobs, monkeypatch):
    monkeypatch.setattr(transfer, "BUNDLE_FILES", 1)
    blobs.fetch(FILES, "Fetching")
    assert contents(blobs) == CONTENTS
    assert len(server.received) == 4


def test_after_a_broken_connection_only_the_rest_is_requested(server, blobs, monkeypatch):
    monkeypatch.setattr(responses, "CHUNK", 512)

    def breaking(path):
        whole = hostile.bundle(*requested(server))
        cut = len(server.bodies) == 1
        return Answer(whole[:2048] if cut else whole, headers={"Content-Length": str(len(whole))} if cut else {})

    server.answers["/bundle/"] = breaking
    blobs.fetch(FILES, "Fetching")
    assert contents(blobs) == CONTENTS
    assert [len(json.loads(body)["sha256"]) for body in server.bodies] == [4, 2]


def test_blob_that_the_server_has_lost_does_not_keep_the_others(server, blobs):
    lost = Answer({"code": "not_found", "message": "It is lost.", "details": {}}, 404)
    server.answers["/bundle/"] = lambda path: (
        lost if FILES[2].sha256 in dict(requested(server)) else Answer(hostile.bundle(*requested(server)))
    )
    blobs.fetch(FILES, "Fetching")
    assert list(blobs.errors) == [FILES[2].sha256]
    assert blobs.place(FILES[0].sha256).read_bytes() == b"one"
    with pytest.raises(ErrorResponse, match="It is lost."):
        blobs.place(FILES[2].sha256)


def test_bytes_for_several_files_are_copied_and_the_last_one_takes_them(server, blobs, tmp_path):
    (tmp_path / "mine").write_bytes(b"one")
    blobs.use_local_copies(FILES[:1], lambda file: [tmp_path / "mine"])
    blobs.fetch([*FILES, *FILES], "Fetching")
    for round in ("first", "second"):
        for file in FILES:
            blobs.write(file.sha256, tmp_path / f"{round} {file.path}")
            assert (tmp_path / f"{round} {file.path}").read_bytes() == BY_HASH[file.sha256]
    names = {f"{round} {file.path}" for round in ("first", "second") for file in FILES}
    assert {path.name for path in tmp_path.iterdir()} == {"mine", *names}


@pytest.mark.parametrize("status", [401, 403])
def test_refused_user_is_not_asked_for_blob_by_blob(server, blobs, status):
    server.answers["/bundle/"] = Answer({"code": "x", "message": "No.", "details": {}}, status)
    with pytest.raises(ErrorResponse, match="^No.$"):
        blobs.fetch(FILES, "Fetching")
    assert len(server.received) == 1


def test_local_copy_is_used_only_with_the_same_content(server, blobs, tmp_path):
    (tmp_path / "one").write_bytes(b"one")
    (tmp_path / "two").write_bytes(b"2wo")
    blobs.use_local_copies(FILES, lambda file: [tmp_path / file.path])
    blobs.fetch(FILES, "Fetching")
    assert contents(blobs) == CONTENTS
    assert FILES[0].sha256 not in dict(requested(server)) and FILES[1].sha256 in dict(requested(server))


@pytest.mark.parametrize("answer", [{}, [], {"missing": 1}])
def test_server_that_does_not_say_what_it_needs_is_an_error(server, blobs, answer):
    server.answers["/missing/"] = answer
    with pytest.raises(InvalidResponse):
        transfer.find_missing(blobs.client, FILES)
