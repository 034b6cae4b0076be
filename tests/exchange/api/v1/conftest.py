import pytest

from tests.exchange.importers import published


@pytest.fixture(autouse=True)
def standalone(settings):
    settings.NGSHARE_STANDALONE = True
    settings.NGSHARE_ADMINS = ["root"]


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
