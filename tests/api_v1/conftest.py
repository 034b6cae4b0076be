import pytest

from exchange import services
from tests import cast
from tests.takeover import published

PS1 = {"ps1.ipynb": b'{"cells": []}', "data/numbers.csv": b"1,2,3\n"}


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


@pytest.fixture(scope="session")
def hub():
    """The address of a small Hub's API."""
    with published.small_hub() as api:
        yield api


@pytest.fixture
def behind_hub(settings, hub):
    """As a service of that Hub."""
    settings.NGSHARE_STANDALONE = False
    settings.JUPYTERHUB_API_URL = hub
