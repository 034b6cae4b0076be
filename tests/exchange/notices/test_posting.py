"""What a webhook may reach, and what it cannot do to the sender."""

import ipaddress
import socket
import threading
import time
from contextlib import suppress

import pytest

from courses.errors import Invalid
from exchange.notices import posting
from exchange.notices.posting import PostFailed
from tests.receivers import receiver as start_receiver


@pytest.mark.parametrize(
    "address",
    [
        "",
        "ftp://x/",
        "https:///path",
        "//host/path",
        "http://host:port/",
        "http://host:99999/",
        "http://user:password@host/",
        "http://host/ with blanks",
        "http://höst/",
        "http://host/#here",
        "http://host/\r\nX-Header: 1",
        "http://[::1/",
    ],
)
def test_address_that_cannot_be_posted_to_is_refused(address):
    with pytest.raises(Invalid):
        posting.check_address(address)


def test_hosts_that_the_operator_does_not_allow_are_refused(settings):
    settings.NGSHARE_WEBHOOK_HOSTS = ["worker.example.edu"]
    posting.check_address("https://Worker.example.edu:8443/x")
    with pytest.raises(Invalid, match="does not allow other"):
        posting.check_address("https://other.example.edu/")
    with pytest.raises(PostFailed, match="does not allow other"):
        posting.post("https://other.example.edu/", "{}", {})


@pytest.mark.parametrize(
    "address",
    [
        *("169.254.169.254", "fe80::1%eth0", "::ffff:169.254.169.254", "0.0.0.0", "224.0.0.1"),
        *("fd00:ec2::254", "168.63.129.16", "100.100.100.200", "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::"),
    ],
)
def test_addresses_where_clouds_keep_credentials_are_refused(address):
    with pytest.raises(PostFailed, match="nothing is sent"):
        posting._check_peer(address)


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.7", "fd00::7", "198.51.100.1", "64:ff9b::a00:7"])
def test_other_addresses_are_allowed(address):
    posting._check_peer(address)


def test_nothing_is_sent_to_a_refused_peer(monkeypatch):
    """Whatever a name was resolved to: the peer of the connection counts."""
    with start_receiver() as receiver:
        monkeypatch.setattr(posting, "OF_CLOUDS", [ipaddress.ip_network("127.0.0.0/8")])
        with pytest.raises(PostFailed, match="nothing is sent"):
            posting.post(receiver.url, "{}", {})
        assert not receiver.received


def drip(listener, pause, start):
    client, _ = listener.accept()
    try:
        client.sendall(start)
        while True:
            client.sendall(b"x")
            time.sleep(pause)
    except OSError:
        client.close()


@pytest.mark.parametrize("start", [b"HTTP", b"HTTP/1.1 200 OK\r\nX: "], ids=["status", "headers"])
def test_answer_that_drips_along_is_cut_off(monkeypatch, start):
    monkeypatch.setattr(posting, "MOST_SECONDS", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=drip, args=[listener, 0.02, start], daemon=True)
        thread.start()
        with suppress(PostFailed):  # the status alone counts, if it came
            posting.post(f"http://127.0.0.1:{listener.getsockname()[1]}/", "{}", {})
        thread.join(60)
        assert not thread.is_alive()


def test_answer_that_never_comes_is_a_failure(monkeypatch):
    monkeypatch.setattr(posting, "SECONDS", 0.2)
    with start_receiver() as receiver:
        receiver.held.clear()
        with pytest.raises(PostFailed, match="did not answer"):
            posting.post(receiver.url, "{}", {})


def test_host_that_cannot_be_a_name_is_a_failure():
    with pytest.raises(PostFailed, match="cannot be reached"):
        posting.post(f"http://{'x' * 70}.example/", "{}", {})


def test_answer_that_is_no_http_is_a_failure():
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def babble():
            client, _ = listener.accept()
            client.recv(1000)
            client.sendall(b"\0\1\2 nonsense\r\n\r\n")
            client.close()

        threading.Thread(target=babble, daemon=True).start()
        with pytest.raises(PostFailed):
            posting.post(f"http://127.0.0.1:{listener.getsockname()[1]}/", "{}", {})
