import pytest

from tests import cast, fake_hub


@pytest.fixture(scope="session")
def hub_server():
    with fake_hub.running() as hub:
        yield hub


@pytest.fixture
def hub(hub_server, settings):
    """A Hub that knows nobody yet; the service is connected to it."""
    hub_server.models.clear()
    hub_server.codes.clear()
    hub_server.groups.clear()
    hub_server.asked, hub_server.status, hub_server.pause, hub_server.version = 0, 200, 0.0, "6.1.1"
    hub_server.page = 200
    settings.JUPYTERHUB_API_URL = hub_server.url
    settings.JUPYTERHUB_API_TOKEN = hub_server.user("service-token", "ngshare", kind="service")
    settings.NGSHARE_ADMINS = ["root"]
    return hub_server


@pytest.fixture
def course(db):
    return cast.make_courses()
