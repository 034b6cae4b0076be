import pytest
from django.core.files.storage import default_storage

from exchange import services
from tests import cast

PS1 = {"ps1.ipynb": b'{"cells": []}', "data/numbers.csv": b"1,2,3\n"}
WORK = {"ps1.ipynb": b'{"cells": ["42"]}', "data/numbers.csv": b"1,2,3\n"}


@pytest.fixture(autouse=True)
def standalone(settings):
    settings.NGSHARE_STANDALONE = True
    settings.NGSHARE_ADMINS = ["root"]


@pytest.fixture
def course(db):
    return cast.make_courses()


@pytest.fixture
def assignment(course):
    """ps1, released by alice."""
    return services.release(course, "ps1", cast.upload(PS1), by=cast.actor("alice")).assignment


@pytest.fixture
def submission(assignment):
    """What bob handed in."""
    return services.submit(assignment, cast.upload(WORK), by=cast.actor("bob"))[0]


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
        inner = [names(f"{folder}{one}/") for one in folders if one != "staging"]
        return {f"{folder}{one}" for one in files}.union(*inner)

    return names
