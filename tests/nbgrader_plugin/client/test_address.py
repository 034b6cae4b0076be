"""Where the exchange is."""

import pytest

from nbgrader_plugin.client.address import find_address
from nbgrader_plugin.client.errors import NotConfigured


@pytest.mark.parametrize(
    ("configured", "environ", "found"),
    [
        ("http://a/x/", {"NGSHARE_URL": "http://b"}, "http://a/x"),
        ("", {"NGSHARE_URL": "http://b/", "JUPYTERHUB_PUBLIC_HUB_URL": "http://c/hub/"}, "http://b"),
        ("", {"JUPYTERHUB_PUBLIC_HUB_URL": "https://c/base/hub/"}, "https://c/base/services/ngshare"),
        (
            "",
            {"PROXY_PUBLIC_SERVICE_HOST": "10.0.0.1", "JUPYTERHUB_API_URL": "http://hub:8081/hub/api"},
            "http://proxy-public/services/ngshare",
        ),
    ],
)
def test_address_is_found(configured, environ, found):
    assert find_address(configured, environ) == found


@pytest.mark.parametrize(
    "configured", ["", "ftp://a", "a/services", "http://", "http://user:pw@a/", "http://a/?x=1", "http://a/#x"]
)
def test_address_that_cannot_be_used_is_refused(configured):
    with pytest.raises(NotConfigured):
        find_address(configured, {})


def test_address_of_the_api_alone_does_not_give_the_services():
    """Its port is a guess: the token would go there."""
    with pytest.raises(NotConfigured):
        find_address("", {"JUPYTERHUB_API_URL": "http://hub:8081/hub/api"})
