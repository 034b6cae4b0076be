"""Fixtures of the tests of the native API: a stand-alone server, a course with an assignment, and clients."""

from urllib.parse import urlsplit

import pytest
from django.core.files.storage import default_storage
from rest_framework.test import APIClient

from tests import cast, schema


@pytest.fixture(autouse=True)
def standalone(settings):
    settings.NGSHARE_STANDALONE = True
    settings.NGSHARE_ADMINS = ["root"]


@pytest.fixture
def alice():
    return cast.client("alice")


@pytest.fixture
def bob():
    return cast.client("bob")


@pytest.fixture
def stored():
    """The names in the store, as a function."""

    def names(folder=""):
        try:
            folders, files = default_storage.listdir(folder)
        except FileNotFoundError:
            return set()
        inner = [names(f"{folder}{name}/") for name in folders if name != "staging"]
        return {f"{folder}{name}" for name in files}.union(*inner)

    return names


@pytest.fixture(autouse=True)
def answers_follow_the_schema(monkeypatch):
    """Compares every answer that a test gets from the native API with the schema."""
    generic = APIClient.generic

    def checked(client, method, path, *arguments, **options):
        response = generic(client, method, path, *arguments, **options)
        schema.check(method, urlsplit(path).path, response)
        return response

    monkeypatch.setattr(APIClient, "generic", checked)
