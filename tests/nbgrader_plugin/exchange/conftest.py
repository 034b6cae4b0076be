"""People who use nbgrader's exchange classes in a course of their own."""

from urllib.parse import quote, urlsplit

import pytest
import requests
import urllib3


@pytest.fixture
def bob(person):
    return person("bob")


@pytest.fixture
def dave(person):
    return person("dave")


@pytest.fixture
def carol(person):
    """Of another course, that is: of none that a test here is about."""
    return person("carol")


class Traffic:
    """The requests that were sent, without the part of an address that all of a course have; and the connections."""

    def __init__(self, course):
        self.base = f"/api/v2/courses/{quote(course)}/"
        self.requests, self.connections = [], 0

    def note(self, request):
        path = urlsplit(request.url).path
        self.requests.append(f"{request.method} {path.removeprefix(self.base).removeprefix('/api/v2/')}")

    def of(self, act):
        """Return the requests of this act."""
        self.requests, self.connections = [], 0
        act()
        return self.requests


@pytest.fixture
def traffic(course, monkeypatch):
    send, connect = requests.adapters.HTTPAdapter.send, urllib3.connection.HTTPConnection.connect
    seen = Traffic(course)

    def send_and_note(self, request, **options):
        seen.note(request)
        return send(self, request, **options)

    def connect_and_count(self):
        seen.connections += 1
        connect(self)

    monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", send_and_note)
    monkeypatch.setattr(urllib3.connection.HTTPConnection, "connect", connect_and_count)
    return seen
