import pytest

from courses.models import Membership
from exchange.notices import webhooks
from exchange.notices.models import Kind
from tests import cast
from tests.receivers import receiver as start_receiver


@pytest.fixture
def receiver():
    with start_receiver() as started:
        yield started


@pytest.fixture
def webhook(course, receiver):
    """A webhook of the whole site, for all kinds, and its secret as an attribute."""
    made, secret = webhooks.create_webhook("worker", receiver.url, Kind.values, by=cast.actor("root"))
    made.plain_secret = secret
    return made


@pytest.fixture
def mail_on(settings, course):
    """All notices are mailed; everybody of the course but dave has an address."""
    settings.NGSHARE_MAIL = [*Kind.values]
    settings.NGSHARE_PUBLIC_ORIGIN = "https://hub.example.edu"
    for member in Membership.objects.filter(course=course).exclude(user__username="dave").select_related("user"):
        Membership.objects.filter(pk=member.pk).update(email=f"{member.user.username}@example.edu")
    return settings
