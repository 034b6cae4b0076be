"""`check --deploy` on a site as the documentation sets it up, and what it says of one that is not."""

import pytest

from tests.ngshare_site.commands import run

HUB = {
    "JUPYTERHUB_API_URL": "http://127.0.0.1:8081/hub/api",
    "JUPYTERHUB_SERVICE_PREFIX": "/services/ngshare/",
    "JUPYTERHUB_PUBLIC_URL": "https://hub.example.edu/services/ngshare/",
    "NGSHARE_SECRET_KEY": "of one test: 0123456789 abcdefghijklmnopqrstuvwxyz ABCDEFG",
}
KNOWN_REASONS = "2 silenced"  # HSTS and redirects, which are the proxy's: settings.py says why

pytestmark = pytest.mark.wide


def check(cwd, **variables):
    return run("check", "--deploy", "--fail-level", "WARNING", cwd=cwd, **{**HUB, **variables})


def test_service_of_a_hub_is_clean(tmp_path):
    done = check(tmp_path)
    assert done.returncode == 0, done.stderr
    assert f"no issues ({KNOWN_REASONS})" in done.stdout + done.stderr


def test_address_that_does_not_tell_of_https_is_found(tmp_path):
    done = check(tmp_path, JUPYTERHUB_PUBLIC_URL="")
    assert done.returncode == 1
    for expected in ("ngshare.W001", "NGSHARE_SECURE_COOKIES=1", "security.W012", "security.W016"):
        assert expected in done.stderr


@pytest.mark.wide
def test_standalone_mode_is_found(tmp_path):
    done = check(tmp_path, NGSHARE_STANDALONE="1")
    assert done.returncode == 1 and "ngshare.W002" in done.stderr
