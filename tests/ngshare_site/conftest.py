import pytest

from tests import cast, fake_hub
from tests.fake_hub import READS_GROUPS
from tests.ngshare_site.names import TAKES, TEACHES


@pytest.fixture(scope="session")
def hub_server():
    with fake_hub.running() as hub:
        yield hub


@pytest.fixture
def hub(hub_server, settings):
    """A Hub that knows nobody yet; the service is connected to it."""
    hub_server.reset()
    settings.JUPYTERHUB_API_URL = hub_server.url
    settings.JUPYTERHUB_API_TOKEN = hub_server.user("service-token", "ngshare", kind="service")
    settings.NGSHARE_ADMINS = ["root"]
    return hub_server


@pytest.fixture
def submission(assignment):
    """What bob submitted."""
    return cast.submit(assignment, "bob")


@pytest.fixture
def browse(client):
    """A browser in which someone is logged in, without a Hub."""

    def log_in(username):
        client.force_login(cast.person(username))
        return client

    return log_in


@pytest.fixture
def switched_on(settings):
    settings.NGSHARE_GROUPS = True


@pytest.fixture
def readable(hub, settings):
    """The service's token may read groups."""
    settings.JUPYTERHUB_API_TOKEN = hub.user("service-token", "ngshare", *READS_GROUPS, kind="service")
    return hub


@pytest.fixture
def grouped(readable, course):
    readable.groups.update(
        {
            TAKES: ["bob", "frank", "alice"],
            TEACHES: ["gina"],
            f"nbgrader-{cast.ELSEWHERE}": ["erin"],
            "nbgrader-New": ["x"],
        }
    )
    return readable
