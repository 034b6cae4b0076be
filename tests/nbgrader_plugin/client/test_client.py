"""Requests as the server sees them."""

import pytest
from traitlets.config import Config

from nbgrader_plugin import NgshareClient
from nbgrader_plugin.client import client as module
from nbgrader_plugin.client import responses, retries
from nbgrader_plugin.client.bundle import Upload
from nbgrader_plugin.client.errors import ErrorResponse, InvalidResponse, ServiceError, Unreachable
from nbgrader_plugin.exchange.local_files import read_file
from tests.nbgrader_plugin import hostile
from tests.nbgrader_plugin.hostile import Answer

BUSY = Answer({"code": "busy", "message": "Busy.", "details": {}}, 503, {"Retry-After": "0"})
FAILING = Answer(b"", 502)


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setattr(retries, "FIRST_PAUSE", 0.001)
    monkeypatch.setenv("JUPYTERHUB_API_TOKEN", "first")
    with hostile.hostile() as script:
        yield script


@pytest.fixture
def client(server):
    return NgshareClient(config=Config({"NgshareClient": {"url": server.url, "attempts": 3}}))


def test_people_wait_a_few_seconds_for_a_list(client):
    """Other tests wait longer, on a busy machine."""
    assert (client.lab_timeout, client.list_timeout) == (4.0, 10.0)


def script(server, *answers):
    """The server gives these answers one after the other."""
    remaining = list(answers)
    server.answers[""] = lambda path: remaining.pop(0)


@pytest.fixture
def upload(tmp_path):
    (tmp_path / "a").write_bytes(b"x" * 3_000_000)
    return Upload({"files": []}, [read_file("a", tmp_path / "a")])


def keys(server):
    return [headers.get("Idempotency-Key") for _, _, headers in server.received]


def test_upload_is_sent_again_whole_with_the_same_key(server, client, upload):
    script(server, BUSY, FAILING, Answer({"id": 1}))
    assert client.upload("submissions", upload=upload, key="one") == {"id": 1}
    assert keys(server) == ["one"] * 3
    assert server.bodies == [b"".join(upload)] * 3


def test_upload_without_a_key_is_not_repeated_when_it_may_have_acted(server, client, upload):
    script(server, FAILING, Answer({"id": 1}))
    with pytest.raises(Unreachable):
        client.upload("releases", upload=upload)
    assert len(server.received) == 1


def test_upload_without_a_key_is_repeated_when_the_server_surely_has_not_acted(server, client, upload):
    script(server, BUSY, Answer({"id": 1}))
    assert client.upload("releases", upload=upload) == {"id": 1}


def test_post_that_is_not_repeatable_is_sent_once(server, client):
    script(server, FAILING, Answer({}))
    with pytest.raises(Unreachable):
        client.post("courses", body={}, repeatable=False)
    assert len(server.received) == 1


def test_last_error_has_the_servers_sentence(server, client):
    script(server, BUSY, BUSY, BUSY)
    with pytest.raises(ErrorResponse, match="^Busy.$") as caught:
        client.get("me")
    assert (caught.value.status, caught.value.code, len(server.received)) == (503, "busy", 3)


def test_token_is_read_for_each_request(server, client, monkeypatch):
    script(server, Answer({}), Answer({}))
    client.get("me")
    monkeypatch.setenv("JUPYTERHUB_API_TOKEN", "second")
    client.get("me")
    assert [headers["Authorization"] for _, _, headers in server.received] == ["token first", "token second"]


def test_token_that_is_renewed_between_repeats_is_used(server, client, monkeypatch):
    answers = [BUSY, Answer({})]

    def renew(path):
        monkeypatch.setenv("JUPYTERHUB_API_TOKEN", "second")
        return answers.pop(0)

    server.answers[""] = renew
    client.get("me")
    assert [headers["Authorization"] for _, _, headers in server.received] == ["token first", "token second"]


def test_number_of_pages_is_bounded(server, client, monkeypatch):
    monkeypatch.setattr(module, "MOST_PAGES", 3)
    server.answers[""] = hostile.page({}, next="/?page=2")
    with pytest.raises(InvalidResponse, match="does not end"):
        client.get_all("courses")
    assert len(server.received) == 3


def test_json_that_is_far_too_long_is_refused(server, client, monkeypatch):
    monkeypatch.setattr(responses, "LARGEST_JSON", 1000)
    script(server, Answer(["x" * 1000]))
    with pytest.raises(InvalidResponse, match="far too long"):
        client.get("me")


def test_parts_of_an_address_cannot_leave_it(client, server):
    assert client.address("courses", "../a/b?c") == f"{server.url}/api/v2/courses/..%2Fa%2Fb%3Fc/"


def error_of(server, client, answer):
    script(server, *[answer] * 3)
    with pytest.raises(ServiceError) as caught:
        client.get("me")
    return str(caught.value)


@pytest.mark.parametrize(
    ("sent", "shown"),
    [("7f3a09c2b1d4", "7f3a09c2b1d4"), ("a" * 64, "a" * 16)],
)
def test_error_ends_with_the_id_of_its_request(server, client, sent, shown):
    body = {"code": "conflict", "message": "The assignment is released.", "details": {}, "request_id": sent}
    assert error_of(server, client, Answer(body, 409)) == f"The assignment is released. (request {shown})"


@pytest.mark.parametrize("sent", [None, 7, "", "a b", "\x1b[2J", "a" * 65])
def test_id_that_is_none_is_not_shown(server, client, sent):
    body = {"code": "conflict", "message": "The assignment is released.", "details": {}, "request_id": sent}
    assert error_of(server, client, Answer(body, 409)) == "The assignment is released."


@pytest.mark.parametrize("status", [404, 502])
def test_error_without_a_sentence_has_the_id_of_its_header(server, client, status):
    assert error_of(server, client, Answer(b"", status, {"X-Request-ID": "7f3a"})).endswith(" (request 7f3a)")


@pytest.mark.parametrize(("language", "asked"), [("", "en"), ("de_AT.UTF-8", "de"), ("fr", "en"), ("C", "en")])
def test_service_is_asked_for_sentences_in_the_language_of_the_plugin(server, client, monkeypatch, language, asked):
    monkeypatch.setenv("LANGUAGE", language)
    script(server, Answer({}))
    client.get("me")
    assert [headers["Accept-Language"] for _, _, headers in server.received] == [asked]


def test_object_store_is_not_told_the_language(server, client, monkeypatch, upload):
    monkeypatch.setenv("LANGUAGE", "de")
    script(server, Answer(b"", 200))
    client.put_elsewhere(f"{server.url}/store", body=upload)
    assert ["Accept-Language" in headers for _, _, headers in server.received] == [False]
