"""What a real Hub keeps of a browser's log-in after the browser has logged out of ngshare."""

import sqlite3
from contextlib import closing

import pytest
import requests

from tests.campus import started

pytestmark = pytest.mark.e2e


def log_in(hub, username):
    """A browser that logs in at the Hub and then opens ngshare."""
    browser = requests.Session()
    browser.get(f"{hub.url}/hub/login", timeout=30)
    form = {"username": username, "password": "any", "_xsrf": browser.cookies.get("_xsrf", path=f"{hub.base_url}hub/")}
    assert browser.post(f"{hub.url}/hub/login?next={hub.base_url}hub/home", data=form, timeout=60).status_code == 200
    page = browser.get(f"{hub.ngshare}/", timeout=60)
    assert page.status_code == 200 and username in page.text, page.text
    return browser


def log_out(hub, browser):
    form = {"csrfmiddlewaretoken": browser.cookies["ngshare-csrf"]}
    page = browser.post(f"{hub.ngshare}/logout/", data=form, headers={"Referer": hub.ngshare}, timeout=60)
    assert page.status_code == 200 and "logged out" in page.text


def tokens_for_ngshare(hub, username):
    tokens = hub.ask("GET", f"users/{username}/tokens").json()["api_tokens"]
    return [token["id"] for token in tokens if "ngshare" in token["oauth_client"]]


def test_browser_logs_in_at_each_hub(each_campus):
    log_in(each_campus.hub, "bob")


@pytest.mark.parametrize("may_revoke", [True, False])
def test_log_out_deletes_the_token_where_the_hub_allows_it(tmp_path, may_revoke):
    more = tmp_path / "more.py"
    more.write_text('c.JupyterHub.services[0]["oauth_client_allowed_scopes"] = ["tokens!user"]\n' if may_revoke else "")
    with started(tmp_path / "hub", variables={"DEMO_MORE": str(more)}) as hub:
        browser = log_in(hub, "bob")
        assert len(tokens_for_ngshare(hub, "bob")) == 1
        with closing(sqlite3.connect(tmp_path / "hub" / "ngshare" / "ngshare.sqlite3")) as database:
            assert database.execute("SELECT count(*) FROM django_session").fetchone() == (1,)
        log_out(hub, browser)
        assert len(tokens_for_ngshare(hub, "bob")) == (0 if may_revoke else 1)
        assert (tmp_path / "hub" / "ngshare").stat().st_mode & 0o077 == 0
