"""Large files over bad connections: sent in parts, whole and once."""

import os
from urllib.parse import urlsplit

import pytest

from nbgrader_plugin.client import parts, retries
from tests.faults.relay import relay_to
from tests.nbgrader_plugin.people import notebook, write

pytestmark = pytest.mark.live

PART = 2**23  # bytes; the service's
LATEST = "GET assignments/ps1/releases/latest/"
DEADLINE = "GET assignments/ps1/"
SUBMIT = "POST assignments/ps1/submissions/"
BEGIN = "POST uploads/"


@pytest.fixture
def relay(exchange, bob, monkeypatch):
    """What is between bob and the exchange."""
    monkeypatch.setattr(retries, "FIRST_PAUSE", 0.01)
    address = urlsplit(exchange.url)
    with relay_to(address.hostname, address.port) as (relay, port):
        bob.url = f"http://127.0.0.1:{port}"
        yield relay


def large_file(size):
    return os.urandom(1000) + bytes(size - 1000)


def puts(requests):
    """The numbers of the parts in the addresses of the requests, in order."""
    return [int(request.split("/")[-2]) for request in requests if request.startswith("PUT uploads/")]


def collected(alice):
    alice.does("ExchangeCollect", "ps1")
    return (alice.root / "submitted/bob/ps1/data.bin").read_bytes()


def test_large_file_arrives_over_a_connection_that_breaks_ten_times(alice, bob, relay, traffic):
    alice.releases()
    content = large_file(11 * PART + 1000)
    write(bob.home / "ps1", {"p1.ipynb": notebook(), "data.bin": content})
    relay.breaks, relay.breaks_after = 10, 10_000_000  # in the middle of each second part
    requests = traffic.of(lambda: bob.submits())
    assert relay.breaks == 0
    assert sorted(set(puts(requests))) == list(range(1, 13))
    assert len(puts(requests)) == 12 + 10, "each break costs one part"
    assert requests[-1] == SUBMIT and requests.count(SUBMIT) == 1
    (submission,) = alice.submissions()
    assert submission["size"] == len(content) + len(notebook())
    assert collected(alice) == content


def test_upload_goes_on_where_an_earlier_command_stopped(alice, bob, relay, traffic, monkeypatch):
    alice.releases()
    content = large_file(4 * PART)
    write(bob.home / "ps1", {"p1.ipynb": notebook(), "data.bin": content})
    bob.settings.NgshareClient.attempts = 1
    relay.breaks, relay.breaks_after = 1, 20_000_000
    assert puts(traffic.of(lambda: bob.fails("ExchangeSubmit", "ps1"))) == [1, 2, 3]
    assert alice.submissions() == []
    shown = []
    monkeypatch.setattr("nbgrader_plugin.client.progress.QUIET", 0)
    monkeypatch.setattr("nbgrader_plugin.client.progress.REPEAT", 0)
    assert puts(traffic.of(lambda: shown.append(bob.submits()))) == [3, 4]
    bars = [line for line in shown[0].info if line.startswith("Submitting: ")]
    assert bars[0].startswith("Submitting: 16.8 MB of 33.6 MB")
    assert bars[-1].startswith("Submitting: 33.6 MB of 33.6 MB (100 %)")
    assert collected(alice) == content


def test_large_file_takes_these_requests(alice, bob, traffic):
    alice.releases()
    write(bob.home / "ps1", {"p1.ipynb": notebook(), "data.bin": large_file(2 * PART)})
    requests = [request for request in traffic.of(lambda: bob.submits()) if not request.startswith("PUT")]
    upload = requests[4].split("/")[1]
    assert requests == [LATEST, DEADLINE, "POST blobs/missing/", BEGIN, f"POST uploads/{upload}/complete/", SUBMIT]
    assert traffic.connections == 1
    assert traffic.of(lambda: bob.submits(files={"p1.ipynb": notebook("better")})) == [DEADLINE, SUBMIT]


def test_large_release_is_sent_in_parts(alice, traffic):
    content = large_file(2 * PART)
    write(alice.root / "release/ps1", {"p1.ipynb": notebook(), "data.bin": content})
    requests = traffic.of(lambda: alice.does("ExchangeReleaseAssignment", "ps1"))
    assert puts(requests) == [1, 2]
    assert requests[-1] == "POST assignments/ps1/releases/"


def test_file_below_the_limit_goes_with_the_bundle(alice, bob, traffic, monkeypatch):
    alice.releases()
    monkeypatch.setattr(parts, "LARGE", 10_001)
    write(bob.home / "ps1", {"p1.ipynb": notebook(), "data.bin": large_file(10_000)})
    assert traffic.of(lambda: bob.submits()) == [LATEST, DEADLINE, SUBMIT]
