import pytest

from exchange import services
from tests import cast
from tests.api_v2.conftest import PS1, WORK


@pytest.fixture
def course(db, settings):
    settings.NGSHARE_ADMINS = ["root"]
    return cast.make_courses()


@pytest.fixture
def assignment(course):
    return services.release(course, "ps1", cast.upload(PS1), by=cast.person("alice")).assignment


@pytest.fixture
def submission(assignment):
    return services.submit(assignment, cast.upload(WORK), by=cast.person("bob"))[0]


@pytest.fixture
def browser(client):
    """A browser in which someone is logged in."""

    def log_in(username):
        client.force_login(cast.person(username))
        return client

    return log_in
