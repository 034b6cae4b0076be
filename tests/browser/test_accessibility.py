"""Every page for everybody: what axe-core finds (WCAG 2.1 AA), light and dark, on a screen and on a phone; and what a
page must have besides: room at 360 pixels, all columns at 1280, a title and one heading of its own, little weight.
"""

from urllib.parse import parse_qs, urlsplit

import pytest
from django.urls import URLResolver, get_resolver, reverse

from exchange.api.v1.urls import urlpatterns as v1
from tests.browser import world
from tests.browser.walk import NO_PAGES, Visit, of_nobody, visits
from tests.browser.walking import Walk
from tests.servers import service

pytestmark = pytest.mark.browser

PEOPLE = {"outsider": "erin", "student": "bob", "grader": "gina", "instructor": "alice", "administrator": "root"}


@pytest.fixture(scope="module")
def walk_of(chromium, tmp_path_factory):
    """A function: the walk of somebody through all pages that they get, made once."""
    with world.running(tmp_path_factory.mktemp("world")) as (site, rows):
        walks = {}

        def walk(role):
            if role not in walks:
                walks[role] = Walk(chromium, site, PEOPLE.get(role))
                walks[role].go(visits(rows) if role in PEOPLE else of_nobody())
                walks[role].close()
            return walks[role]

        yield walk


@pytest.mark.parametrize("role", ["nobody", *PEOPLE])
def test_every_page_is_as_it_must_be(walk_of, role):
    assert walk_of(role).faults == []


def test_every_address_is_a_page_that_somebody_has_visited_or_is_listed_as_none(walk_of):
    def names(patterns, before=""):
        for each in patterns:
            if isinstance(each, URLResolver):
                yield from names(each.url_patterns, f"{before}{each.namespace}:" if each.namespace else before)
            elif each not in v1:
                # Two of Django's admin have no name: one leads to the page of a row, one is for all others.
                yield before + (each.name or str(each.pattern))

    known = {each for each in names(get_resolver().url_patterns) if not each.startswith("v2:")}
    seen = {name for role in ("nobody", *PEOPLE) for name in walk_of(role).names}
    assert known - seen == NO_PAGES


def test_pages_of_a_hub_that_does_not_answer(chromium, tmp_path):
    hub = {"JUPYTERHUB_API_URL": "http://127.0.0.1:9/hub/api", "JUPYTERHUB_API_TOKEN": "of the tests alone"}
    with service(tmp_path, workers=1, NGSHARE_STANDALONE="0", **hub) as site:
        walk = Walk(chromium, site, None)
        answer = walk.session.get(f"{site.url}{reverse('login')}", allow_redirects=False, timeout=60)
        (state,) = parse_qs(urlsplit(answer.headers["Location"]).query)["state"]
        walk.take_cookies()
        callback = reverse("oauth-callback")
        for visit in (
            Visit("hub-unreachable", f"{callback}?code=x&state={state}"),
            Visit("hub-login-failed", f"{callback}?code=x&state={state}"),  # it was used
        ):
            walk.visit(visit)
        walk.close()
        assert walk.faults == [] and list(walk.titles) == [
            "JupyterHub does not answer – ngshare",
            "Not logged in – ngshare",
        ]
