"""What is asked of the Hub about a token, and for how long the answer is kept."""

import time

import pytest
from django.core.cache import cache

from ngshare_site.hub import client
from ngshare_site.hub.strangers import Sender
from tests.fake_hub import ACCESS


def identify(token):
    return client.identify(token, Sender("127.0.0.1", "10.0.0.1"))


@pytest.fixture
def wait(settings, monkeypatch):
    """Let time pass, for a cache that goes by this process's clock."""
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    cache.clear()
    start = time.time()

    def pass_time(seconds):
        monkeypatch.setattr(time, "time", lambda: start + seconds)

    return pass_time


@pytest.mark.parametrize(("setting", "kept"), [(3600, 60), (5, 5)])
def test_answer_is_kept_as_long_as_the_setting_says_and_for_a_minute_at_most(hub, settings, wait, setting, kept):
    settings.NGSHARE_IDENTITY_SECONDS = setting
    hub.user("t", "bob", ACCESS)
    for seconds, asked in [(0, 1), (kept - 1, 1), (kept + 1, 2)]:
        wait(seconds)
        assert identify("t").name == "bob"
        assert hub.asked == asked


def test_bad_token_may_be_a_good_one_ten_seconds_later(hub, wait):
    for seconds in (0, 9):
        wait(seconds)
        with pytest.raises(client.BadToken):
            identify("t")
        hub.user("t", "bob", ACCESS)
    assert hub.asked == 1
    wait(11)
    assert identify("t").name == "bob"


def test_cache_does_not_hold_the_token(hub, wait):
    identify(hub.user("very-secret-token", "bob", ACCESS))
    assert cache._cache and not [key for key in cache._cache if "very-secret-token" in key]


def test_redirect_is_not_followed(hub):
    hub.user("t", "bob", ACCESS)
    hub.location = "/hub/api/user?elsewhere"
    with pytest.raises(client.HubUnreachable, match="302"):
        identify("t")
    assert hub.asked == 0


@pytest.mark.parametrize("said", ["yes", 1, None])
def test_administrator_of_the_hub_is_who_it_plainly_says(hub, said):
    hub.user("t", "bob", ACCESS, admin=said)
    assert identify("t").admin is False
