"""An answer of the Hub that does not end is given up."""

import itertools

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
