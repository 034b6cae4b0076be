"""Uploads in parts: what is sent again, and to whom."""

import json
import logging

import pytest
from traitlets.config import Config

from nbgrader_plugin import NgshareClient
from nbgrader_plugin.client import parts, retries, sending
from nbgrader_plugin.client.errors import ErrorResponse, LocalFileError, ServiceError
from nbgrader_plugin.exchange.local_files import read_file
from tests.nbgrader_plugin import hostile
from tests.nbgrader_plugin.hostile import Answer

CONTENT = b"0123456789"
COURSE = ("courses", "NBG 101")
TOKEN = "a-token-that-nobody-may-see"
BASE = "/api/v2/courses/NBG%20101/uploads/"
GONE = Answer({"code": "not_found", "message": "There is no such upload.", "details": {}}, 404)


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setattr(retries, "FIRST_PAUSE", 0.001)
    monkeypatch.setenv("JUPYTERHUB_API_TOKEN", TOKEN)
    with hostile.hostile() as script:
        script.answers = {"complete/": {"complete": True}, "parts/1/": {}, "parts/2/": {}, "parts/3/": {}}
        script.answers["uploads/"] = state()
        yield script


@pytest.fixture
def store():
    """An object store that takes parts itself."""
    with hostile.hostile() as script:
        script.answers[""] = b""
        yield script


def state(arrived=(), **fields):
    return {"id": "u1", "part_size": 4, "parts": list(arrived), "complete": False, **fields}


@pytest.fixture
def client(server):
    return NgshareClient(config=Config({"NgshareClient": {"url": server.url, "attempts": 2}}))


@pytest.fixture
def file(tmp_path):
    (tmp_path / "data.bin").write_bytes(CONTENT)
    return read_file("data.bin", tmp_path / "data.bin")


class Bar:
    """What a progress bar would show."""

    def __init__(self):
        self.states = [0]

    def advance(self, count):
        self.states.append(self.states[-1] + count)


@pytest.fixture
def bar():
    return Bar()


def sent(server):
    return [f"{method} {path.removeprefix(BASE)}" for method, path, _ in server.received]


def in_turn(*answers):
    remaining = list(answers)
    return lambda path: remaining.pop(0)


def test_parts_arrive_in_order_and_are_put_together(server, client, file, bar):
    assert parts.send(client, COURSE, file, bar.advance)
    assert sent(server) == ["POST ", "PUT u1/parts/1/", "PUT u1/parts/2/", "PUT u1/parts/3/", "POST u1/complete/"]
    assert json.loads(server.bodies[0]) == {"sha256": hostile.sha256(CONTENT), "size": 10}
    assert server.bodies[1:4] == [b"0123", b"4567", b"89"]
    assert bar.states[-1] == len(CONTENT)


def test_parts_that_have_arrived_are_not_sent_and_the_bar_begins_there(server, client, file, bar):
    server.answers["uploads/"] = state([1, 3])
    assert parts.send(client, COURSE, file, bar.advance)
    assert sent(server) == ["POST ", "PUT u1/parts/2/", "POST u1/complete/"]
    assert bar.states == [0, 6, 6, 10]


def test_file_that_the_server_has_is_not_sent(server, client, file, bar):
    server.answers["uploads/"] = state(id=None, complete=True)
    assert parts.send(client, COURSE, file, bar.advance)
    assert sent(server) == ["POST "]
    assert bar.states == [0, 10]


@pytest.mark.parametrize("status", [404, 405])
def test_exchange_that_knows_no_parts_gets_the_file_in_the_bundle(server, client, file, monkeypatch, status):
    monkeypatch.setattr(parts, "LARGE", 1)
    server.answers["uploads/"] = Answer(b"<h1>Not found", status)
    server.answers["submissions/"] = {"id": 1}
    place = (*COURSE, "assignments", "ps1", "submissions")
    sending.send(client, place, {}, [file], known=(), label="Submitting", log=logging.getLogger(__name__))
    assert [method for method, _, _ in server.received] == ["POST", "POST"]
    assert CONTENT in server.bodies[-1]


def test_each_part_has_its_own_attempts_and_a_repeat_takes_the_bar_back(server, client, file, bar):
    failing = Answer(b"", 502)
    for number in (1, 2, 3):
        server.answers[f"parts/{number}/"] = in_turn(failing, Answer({}))
    assert parts.send(client, COURSE, file, bar.advance)
    assert server.bodies[1:7] == [b"0123"] * 2 + [b"4567"] * 2 + [b"89"] * 2
    assert max(bar.states) == bar.states[-1] == 10


def test_upload_that_has_expired_is_begun_anew(server, client, file, bar):
    server.answers["uploads/"] = in_turn(Answer(state([1])), Answer(state(id="u2")))
    server.answers["parts/3/"] = in_turn(GONE, Answer({}))
    assert parts.send(client, COURSE, file, bar.advance)
    assert sent(server)[-4:] == ["PUT u2/parts/1/", "PUT u2/parts/2/", "PUT u2/parts/3/", "POST u2/complete/"]
    assert bar.states[-1] == 10


def test_parts_that_were_lost_are_sent_again(server, client, file, bar):
    missing = Answer({"code": "parts_missing", "message": "Some are missing.", "details": {"missing": [2]}}, 409)
    server.answers["uploads/"] = in_turn(Answer(state()), Answer(state([1, 3])))
    server.answers["complete/"] = in_turn(missing, Answer({}))
    assert parts.send(client, COURSE, file, bar.advance)
    assert sent(server)[-3:] == ["POST ", "PUT u1/parts/2/", "POST u1/complete/"]


def test_upload_that_never_is_there_ends(server, client, file, bar):
    server.answers["parts/1/"] = GONE
    with pytest.raises(ErrorResponse, match="There is no such upload."):
        parts.send(client, COURSE, file, bar.advance)


def test_file_that_has_changed_is_told(server, client, file, bar):
    server.answers["complete/"] = Answer({"code": "wrong_hash", "message": "No.", "details": {}}, 400)
    with pytest.raises(LocalFileError, match="data.bin changed while it was being sent"):
        parts.send(client, COURSE, file, bar.advance)


def test_file_that_has_become_shorter_is_told(server, client, file, bar):
    file.source.write_bytes(CONTENT[:5])
    with pytest.raises(LocalFileError, match="data.bin changed while it was being sent"):
        parts.send(client, COURSE, file, bar.advance)


@pytest.mark.parametrize("answer", [{}, state(id=3), state(part_size=0), state(part_size="4"), state(id="")])
def test_answer_that_does_not_say_how_is_an_error(server, client, file, bar, answer):
    server.answers["uploads/"] = answer
    with pytest.raises(ServiceError):
        parts.send(client, COURSE, file, bar.advance)
    assert sent(server) == ["POST "]


# Straight to an object store


def addresses(store, numbers=(1, 2, 3)):
    return {str(number): f"{store.url}/bucket/{number}?X-Amz-Signature=secret" for number in numbers}


def test_parts_go_to_the_store_without_the_token(server, store, client, file, bar, monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login mallory password secret\n")
    server.answers["uploads/"] = state(addresses=addresses(store))
    assert parts.send(client, COURSE, file, bar.advance)
    assert sent(server) == ["POST ", "POST u1/complete/"]
    assert store.bodies == [b"0123", b"4567", b"89"]
    assert not any("Authorization" in headers for _, _, headers in store.received)
    assert bar.states[-1] == 10


def test_address_that_the_store_no_longer_takes_is_asked_for_again(server, store, client, file, bar):
    server.answers["uploads/"] = in_turn(
        Answer(state(addresses=addresses(store))), Answer(state([1], addresses=addresses(store)))
    )
    store.answers = {"bucket/2": in_turn(Answer(b"<Error>", 403), Answer(b"")), "": b""}
    assert parts.send(client, COURSE, file, bar.advance)
    assert store.bodies == [b"0123", b"4567", b"4567", b"89"]
    assert bar.states[-1] == 10


@pytest.mark.parametrize("answer", [Answer(b"<Error>", 400), Answer(b"", 307, {"Location": "/else"})])
def test_address_of_the_store_is_shown_nowhere(server, store, client, file, bar, caplog, answer):
    caplog.set_level(logging.DEBUG)
    client.log.setLevel(logging.DEBUG)
    server.answers["uploads/"] = state(addresses=addresses(store))
    store.answers = {"": answer}
    with pytest.raises(ServiceError) as caught:
        parts.send(client, COURSE, file, bar.advance)
    assert str(caught.value) == f"The object store answered {answer.status}."
    assert "secret" not in caplog.text and TOKEN not in caplog.text


@pytest.mark.parametrize("answer", [Answer(b"", 503), None])
def test_exchange_takes_the_parts_if_the_store_is_out_of_reach(server, store, client, file, bar, caplog, answer):
    caplog.set_level(logging.DEBUG)
    client.log.setLevel(logging.DEBUG)
    store.answers = {"": answer}
    if answer is None:
        store.url = "http://127.0.0.1:9"
    server.answers["uploads/"] = state(addresses=addresses(store))
    assert parts.send(client, COURSE, file, bar.advance)
    assert sent(server) == ["POST ", "PUT u1/parts/1/", "PUT u1/parts/2/", "PUT u1/parts/3/", "POST u1/complete/"]
    assert {path for _, path, _ in store.received} <= {"/bucket/1?X-Amz-Signature=secret"}, "it is not asked again"
    assert bar.states[-1] == 10
    assert "secret" not in caplog.text and TOKEN not in caplog.text


def test_exchange_takes_the_parts_if_the_store_refuses_every_address(server, store, client, file, bar):
    server.answers["uploads/"] = state(addresses=addresses(store))
    store.answers = {"": Answer(b"<Error>", 403)}
    assert parts.send(client, COURSE, file, bar.advance)
    assert sent(server)[-4:] == ["PUT u1/parts/1/", "PUT u1/parts/2/", "PUT u1/parts/3/", "POST u1/complete/"]
    assert bar.states[-1] == 10
