import pytest

from tests import cast
from tests.exchange.conftest import assignment, submission  # noqa: F401


@pytest.fixture
def course(db, settings):
    settings.NGSHARE_ADMINS = ["root"]
    return cast.make_courses()


@pytest.fixture
def browser(client):
    """A browser in which someone is logged in."""

    def log_in(username):
        client.force_login(cast.person(username))
        return client

    return log_in
