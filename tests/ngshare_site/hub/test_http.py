"""An answer of the Hub that does not end is given up. Connections are kept, and nothing with them."""

import itertools
import os
import socket
import threading

import pytest
import requests

from ngshare_site.hub import client, http, oauth

MEGABYTE = b" " * 2**20


@pytest.fixture
def endless(hub, monkeypatch):
    monkeypatch.setattr(http, "MAX_ANSWER_BYTES", 2 * len(MEGABYTE))
    hub.body = lambda: itertools.chain([b'{"name": "bob", "scopes": ["'], itertools.repeat(MEGABYTE, 200))
    return hub


@pytest.mark.parametrize("ask", [lambda: client.fetch_identity("t"), lambda: oauth.fetch_token("code", "verifier" * 8)])
def test_answer_that_does_not_end_is_given_up(endless, ask):
    with pytest.raises(client.HubUnreachable):
        ask()


def test_answer_that_comes_too_slowly_is_given_up(hub, monkeypatch):
    monkeypatch.setattr(http, "MAX_ANSWER_SECONDS", 0)
    hub.body = lambda: [b"{}"]
    with pytest.raises(requests.RequestException, match="does not end"):
        http.request("GET", f"{hub.url}/user")


def test_answer_that_is_cut_off_is_a_failure(hub):
    hub.missing = 1
    with pytest.raises(requests.RequestException):
        http.request("GET", f"{hub.url}/user")


def test_redirects_are_not_followed(hub):
    hub.status = 302
    assert http.request("GET", f"{hub.url}/user").status_code == 302


def test_a_connection_is_kept_for_the_next_question_whoever_asks(hub):
    http.request("GET", f"{hub.url}/")
    before = hub.connections
    for name in ("bob", "dave", "erin"):
        assert client.fetch_identity(hub.user(f"token of {name}", name)).name == name
    assert hub.connections == before


def test_a_connection_is_not_kept_after_an_answer_that_was_given_up(hub, monkeypatch):
    http.request("GET", f"{hub.url}/")
    before = hub.connections
    token = hub.user("t", "bob", groups=["g" * 1000] * 1000)
    with monkeypatch.context() as patch:
        patch.setattr(http, "MAX_ANSWER_BYTES", 10)
        for _ in range(2):
            with pytest.raises(client.HubUnreachable):
                client.fetch_identity(token)
    assert client.fetch_identity(token).name == "bob"
    assert hub.connections == before + 2


def test_cookies_are_not_kept(hub, monkeypatch):
    seen = []
    answer = type(hub).answer
    monkeypatch.setattr(
        type(hub), "answer", lambda self, *asked: seen.append(asked[-1].get("Cookie")) or answer(self, *asked)
    )
    hub.cookie = "_xsrf=secret; Path=/"
    for _ in range(2):
        assert http.request("GET", f"{hub.url}/user").headers["Set-Cookie"] == hub.cookie
    assert seen == [None, None]


def test_another_process_makes_connections_of_its_own(hub):
    token = hub.user("t", "bob")
    client.fetch_identity(token)
    before = hub.connections
    if (child := os.fork()) == 0:
        os._exit(0 if client.fetch_identity(token).name == "bob" else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert client.fetch_identity(token).name == "bob"
    assert hub.connections == before + 1


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_only_what_may_be_repeated_is_repeated_when_a_kept_connection_ends(method):
    """The Hub closes it when the second question has been sent already."""
    requests_seen = []

    def serve():
        for answers in ([True, False], [True]):
            connection, _ = listener.accept()
            with connection:
                for is_answered in answers:
                    requests_seen.append(connection.recv(65536))
                    if is_answered:
                        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        server = threading.Thread(target=serve, daemon=True)
        server.start()
        http.request("GET", address)
        if method == "DELETE":
            with pytest.raises(requests.ConnectionError):
                http.request(method, address)
        assert http.request("GET", address).status_code == 200
        server.join()
    assert [request.split()[0].decode() for request in requests_seen] == ["GET", method, "GET"]
