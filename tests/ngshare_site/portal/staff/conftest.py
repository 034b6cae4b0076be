import re
from urllib.parse import quote

import pytest

from courses.models import Membership
from tests import cast

PAGE = f"/view/course/{quote(cast.COURSE)}/ps1/"


def words(reply):
    """What the page says, without tags."""
    assert reply.status_code == 200, reply.status_code
    return " ".join(re.sub("<[^>]*>", " ", reply.content.decode()).split())


@pytest.fixture
def page():
    """The address of a page below the one of ps1."""
    return lambda name="": f"{PAGE}{name}"


@pytest.fixture
def names(course):
    """bob has a name, an email and a section."""
    Membership.objects.filter(user__username="bob").update(
        first_name="Robert", last_name="Li", email="bob@x.org", section="A"
    )
