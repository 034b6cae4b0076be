"""Every page for everybody: what axe-core finds (WCAG 2.1 AA), light and dark, on a screen and on a phone; and what a
page must have besides: room at 360 pixels, all columns at 1280, a title and one heading of its own, little weight.
"""

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from django.urls import URLResolver, get_resolver, reverse
from playwright.sync_api import expect

from exchange.api.v1.urls import urlpatterns as v1
from tests.browser import world
from tests.browser.walk import NO_PAGES, Visit, of_nobody, visits
from tests.browser.walking import Walk
from tests.servers import service

pytestmark = pytest.mark.browser

PEOPLE = {"outsider": "erin", "student": "bob", "grader": "gina", "instructor": "alice", "administrator": "root"}


@pytest.fixture(scope="module")
def filled_site(tmp_path_factory):
    with world.running(tmp_path_factory.mktemp("world")) as found:
        yield found


@pytest.fixture(scope="module")
def walk_of(chromium, filled_site):
    """A function: the walk of somebody through all pages that they get, made once."""
    site, rows = filled_site
    walks = {}

    def walk(role):
        if role not in walks:
            walks[role] = Walk(chromium, site, PEOPLE.get(role))
            walks[role].go(visits(rows, role) if role in PEOPLE else of_nobody())
            walks[role].close()
        return walks[role]

    return walk


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


def test_receipt_is_printed_on_one_page_in_black_on_white(chromium, filled_site):
    site, rows = filled_site
    walk = Walk(chromium, site, "bob")
    page = walk.open(Visit("submission", reverse("submission", args=[rows["exchange.Submission"]])))
    page.emulate_media(media="print", color_scheme="dark")
    for part in ("header.site", "footer.site", "main form", ".actions"):
        expect(page.locator(part).locator("visible=true")).to_have_count(0)
    expect(page.locator("body")).to_have_css("background-color", "rgb(255, 255, 255)")
    expect(page.locator("body")).to_have_css("color", "rgb(0, 0, 0)")
    expect(page.locator(".crumbs")).to_contain_text(f"{world.COURSE} › {world.OVER}")
    for name in ("Short code", "Student", "Time", "Digest", "Signature"):
        expect(page.locator("dl dt", has_text=name).first).to_be_visible()
    assert len(re.findall(rb"/Type /Page\b", page.pdf(format="A4"))) == 1
    walk.close()


def test_page_of_the_admin_stays_in_sight_when_its_list_of_pages_is_closed(chromium, filled_site):
    site, _ = filled_site
    walk = Walk(chromium, site, "alice")
    page = walk.open(Visit("admin-membership-list", reverse("admin:courses_membership_changelist")))
    toggle = page.get_by_role("button", name="Toggle navigation")
    for shown in ("shown", "closed"):
        if shown == "closed":
            toggle.click()
        expect(page.locator("#main.shifted")).to_have_count(int(shown == "shown"))
        edge = toggle.bounding_box()
        page.wait_for_function("document.getAnimations().every((each) => each.playState === 'finished')")
        assert page.locator("#content h1").bounding_box()["x"] >= edge["x"] + edge["width"], shown
    walk.close()
