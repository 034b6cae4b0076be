"""Connections: one for a command, none after it."""

import threading

import pytest
from traitlets.config import Config

from nbgrader_plugin import NgshareClient
from nbgrader_plugin.client import bundle, connections, responses, retries
from nbgrader_plugin.client.bundle import Upload
from nbgrader_plugin.client.errors import ErrorResponse
from nbgrader_plugin.exchange.local_files import read_file
from tests.nbgrader_plugin import hostile
from tests.nbgrader_plugin.hostile import Answer


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setattr(retries, "FIRST_PAUSE", 0.001)
    monkeypatch.setenv("JUPYTERHUB_API_TOKEN", "first")
    with hostile.hostile(keep_alive=True) as script:
        script.answers[""] = {}
        yield script


@pytest.fixture
def client(server):
    return NgshareClient(config=Config({"NgshareClient": {"url": server.url, "attempts": 3}}))


def used(server):
    """How many connections the requests came over."""
    return len(set(server.peers))


def test_requests_of_a_command_share_a_connection(server, client):
    with client.connected():
        for _ in range(3):
            client.get("me")
        client.post("blobs", "missing", body={})
    assert (len(server.received), used(server)) == (4, 1)


@pytest.mark.parametrize("etag", ['W/"1-abc"', "1-abc", '"a b"'])
def test_etag_with_which_nothing_could_be_compared_is_as_good_as_none(server, client, etag):
    """As one that a proxy has made weak: with it in If-Match, nothing could be submitted (RFC 9110, 13.1.1)."""
    server.answers = {"latest/": Answer({}, headers={"ETag": etag})}
    assert client.get_if_changed("latest", etag="").etag == ""


def test_error_leaves_the_connection_usable(server, client):
    server.answers["missing/"] = Answer({"code": "conflict", "message": "No.", "details": {}}, 409)
    server.answers = dict(reversed(server.answers.items()))
    with client.connected():
        with pytest.raises(ErrorResponse):
            client.post("blobs", "missing", body={})
        client.get("me")
    assert used(server) == 1


def test_connection_is_kept_after_a_bundle(server, client, tmp_path):
    content = bytes(responses.CHUNK - 1024)  # with its header and the first block of tar's end, one chunk exactly
    wanted = {hostile.sha256(content): len(content)}
    server.answers = {"bundle/": hostile.bundle((hostile.sha256(content), content)), "": {}}
    with client.connected():
        with client.download("blobs", "bundle", body={}) as body:
            assert list(bundle.receive(body, wanted, tmp_path)) == list(wanted)
        client.get("me")
    assert used(server) == 1


def test_no_connection_is_left_after_a_command(server, client):
    with client.connected():
        client.get("me")
    assert server.is_left_alone()


def test_no_connection_is_left_after_a_single_request(server, client):
    client.get("me")
    assert server.is_left_alone()


def test_command_inside_of_a_command_keeps_the_connection(server, client):
    with client.connected():
        with client.connected():
            client.get("me")
        client.get("me")
    assert used(server) == 1


def test_threads_have_a_connection_each(server, client):
    both = threading.Barrier(2, timeout=60)

    def wait(path):
        both.wait()
        return {}

    server.answers[""] = wait
    with client.connected():
        threads = [threading.Thread(target=client.get, args=("me",)) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert used(server) == 2


def test_token_is_that_of_the_moment_on_the_same_connection(server, client, monkeypatch):
    with client.connected():
        client.get("me")
        monkeypatch.setenv("JUPYTERHUB_API_TOKEN", "second")
        client.get("me")
    assert [headers["Authorization"] for _, _, headers in server.received] == ["token first", "token second"]
    assert used(server) == 1


def test_cookies_are_not_kept(server, client):
    server.answers[""] = Answer({}, headers={"Set-Cookie": "sessionid=of-somebody; Path=/"})
    with client.connected():
        client.get("me")
        client.get("me")
    assert not any("Cookie" in headers for _, _, headers in server.received)


def test_connection_that_idles_is_not_used_again(server, client, monkeypatch):
    monkeypatch.setattr(connections, "LONGEST_IDLE", 0.0)
    with client.connected():
        client.get("me")
        client.get("me")
    assert used(server) == 2


@pytest.fixture
def upload():
    return Upload({"files": []}, [])


def test_submission_on_a_connection_that_the_server_has_closed_arrives_once(server, client, upload):
    server.closes_after = 1  # it closes the connection while the next request is on its way
    with client.connected():
        client.get("me")
        assert client.upload("submissions", upload=upload, key="one") == {}
    assert [path for method, path, _ in server.received if method == "POST"] == ["/api/v2/submissions/"]


def test_what_must_not_be_repeated_never_goes_over_a_connection_that_may_be_closed(server, client, upload):
    server.closes_after = 1  # it closes the connection while the next request is on its way
    with client.connected():
        client.get("me")
        client.upload("releases", upload=upload)
        client.post("courses", body={}, repeatable=False)
    assert (len(server.received), used(server)) == (3, 3)


def test_upload_is_given_more_time_than_the_connection(server, client, tmp_path):
    """By itself, requests gives up a piece of a body after `connect_timeout`."""
    client.connect_timeout, client.attempts = 0.2, 1
    server.reads_after = 1.0
    (tmp_path / "large").write_bytes(bytes(40_000_000))
    upload = Upload({"files": []}, [read_file("large", tmp_path / "large")])
    assert client.upload("submissions", upload=upload, key="one") == {}
