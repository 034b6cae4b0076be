"""People who use nbgrader's exchange classes in a course of their own."""

import pytest

from tests.nbgrader_plugin.people import Person


@pytest.fixture
def person(exchange, course, tmp_path, monkeypatch):
    def sits(username):
        return Person(username, tmp_path / username, course, exchange.url, monkeypatch)

    return sits


@pytest.fixture
def alice(person):
    return person("alice")


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
