"""Somebody who goes to every page that they get, and what is wrong there."""

import re
import zlib
from collections.abc import Iterable
from urllib.parse import unquote, urlsplit

import requests
from axe_playwright_python.base import AXE_SCRIPT
from django.urls import Resolver404, resolve

from tests.browser.walk import Visit

RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"], "resultTypes": ["violations"]}
# A document that somebody else wrote has the headings that they wrote.
OF_DOCUMENTS = {**RULES, "rules": {"page-has-heading-one": {"enabled": False}}}
# In the dark, other colours are all that changes: they have no rules but these.
OF_COLOURS = {
    "runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]},
    "resultTypes": ["violations"],
}
SIZES = ({"width": 1280, "height": 900}, {"width": 390, "height": 844})
OWN_STATUS = re.compile(r"the server responded with a status of (40\d|503)")  # of a page that says so
NARROWEST = {"width": 360, "height": 800}
MAX_WEIGHT = 100_000  # bytes of a page with its styles and scripts
# Colours that fade into those of another scheme are looked at when they have.
RUN_AXE = """async (options) => {
    await new Promise((done) => setTimeout(done)); // what waits for the page has run
    document.getAnimations().forEach((each) => each.finish());
    const found = await axe.run(options);
    return found.violations.flatMap((each) => each.nodes.map(
        (node) => `${each.id}: ${node.target} ${node.html.slice(0, 160)} ${node.failureSummary}`));
}"""
FACTS = """() => ({
    title: document.title, lang: document.documentElement.lang, headings: document.querySelectorAll("h1").length,
    text: document.body.innerText,
    parts: [...document.querySelectorAll("script[src], link[rel=stylesheet]")].map((each) => each.src || each.href),
})"""
# What makes a page wider than the screen, if it is.
WIDER = """() => {
    const { scrollWidth, clientWidth } = document.documentElement;
    const wide = [...document.body.querySelectorAll("*")].filter((each) =>
        each.getBoundingClientRect().right > clientWidth + 1);
    return scrollWidth > clientWidth ? wide.slice(-5).map((each) => each.outerHTML.slice(0, 120)) : [];
}"""
CUT_OFF = """(tables) => [...document.querySelectorAll("main *, #main *")].filter((each) =>
    each.clientWidth && each.scrollWidth > each.clientWidth + 1 && ["auto", "scroll"].includes(
    getComputedStyle(each).overflowX) && each.querySelector(tables)).map((each) => `${each.id} ${each.className}`)"""


def log_in(site, username):
    """Return a session of somebody, logged in at the form of stand-alone mode."""
    session = requests.Session()
    session.get(f"{site.url}/login/", timeout=60)
    fields = {"username": username, "csrfmiddlewaretoken": session.cookies["ngshare-csrf"]}
    session.post(f"{site.url}/login/", data=fields, headers={"Referer": f"{site.url}/"}, timeout=60)
    return session


def name_of(address):
    """Return the name of an address; empty for one that there is not."""
    try:
        return resolve(unquote(urlsplit(address).path)).view_name
    except Resolver404:
        return ""


class Walk:
    """One person's way through all pages. What is wrong is in `faults`, and the pages by title in `titles`."""

    def __init__(self, chromium, site, username):
        self.site, self.session = site, log_in(site, username) if username else requests.Session()
        self.titles: dict[str, tuple[str, str]] = {}  # {title: (path, text)} of pages
        self.refused: set[tuple[int, str]] = set()
        self.names: set[str] = set()  # of the addresses that were visited
        self.faults: list[str] = []
        self.parts: dict[str, bytes] = {}  # styles and scripts, by address
        self.context = chromium.new_context(viewport=SIZES[0])
        # Documents in a sandbox run no script, so axe-core could not: here they come without.
        self.documents = chromium.new_context(viewport=SIZES[0], bypass_csp=True)
        for context in (self.context, self.documents):
            context.set_default_timeout(120_000)
        self.take_cookies()
        self.page, self.document = self.context.new_page(), self.documents.new_page()
        self.noted: list[str] = []
        self.page.on("console", lambda message: message.type == "error" and self.noted.append(message.text))
        self.page.on("pageerror", lambda error: self.noted.append(str(error)))
        self.page.on("request", self._note)

    def _note(self, request):
        if not request.url.startswith((f"{self.site.url}/", "data:", "blob:", "about:")):
            self.noted.append(f"it asks for {request.url}")

    def take_cookies(self):
        cookies = [
            {"name": each.name, "value": each.value, "url": f"{self.site.url}/"} for each in self.session.cookies
        ]
        for context in (self.context, self.documents):
            context.add_cookies(cookies)

    def close(self):
        self.context.close()
        self.documents.close()

    def gets(self, visit):
        """Whether they get a page: not one that is refused, but for the first of each kind of refusal."""
        answer = self.session.get(f"{self.site.url}{visit.address}", allow_redirects=False, timeout=60)
        if (
            answer.status_code == 200
            or answer.is_redirect
            or not answer.headers["Content-Type"].startswith("text/html")
        ):
            return answer.status_code == 200
        kind = (answer.status_code, answer.text.partition("<title>")[2].partition("</title>")[0])
        is_first = kind not in self.refused
        self.refused.add(kind)
        return is_first and visit.steps is None

    def open(self, visit):
        page = self.document if visit.is_document else self.page
        page.set_viewport_size(SIZES[0])
        page.goto(f"{self.site.url}{visit.address}")
        if visit.steps:
            visit.steps(page)
        return page

    def go(self, visits: Iterable[Visit]):
        for visit in visits:
            self.names.add(name_of(visit.address))  # also where they are refused
            if self.gets(visit):
                self.visit(visit)

    def visit(self, visit):
        self.noted.clear()
        page = self.open(visit)
        self.names |= {name_of(address) for address in (visit.address, page.url)}
        self.faults += [f"{visit.name}: {fault}" for fault in self.check(visit, page)]

    def check(self, visit, page):
        yield from [noted for noted in self.noted if not OWN_STATUS.search(noted)]
        facts = page.evaluate(FACTS)
        if facts["lang"].partition("-")[0] != "en":
            yield f"the language is {facts['lang']!r}"
        if not visit.is_document:
            yield from self.check_page(visit, page, facts)
        rules = OF_DOCUMENTS if visit.is_document else RULES
        page.emulate_media(color_scheme="light")
        page.evaluate(AXE_SCRIPT)
        for size in SIZES:
            page.set_viewport_size(size)
            for scheme, used in (("light", rules), ("dark", OF_COLOURS)):
                page.emulate_media(color_scheme=scheme)
                yield from [f"{size['width']} {scheme} {found}" for found in page.evaluate(RUN_AXE, used)]
        page.set_viewport_size(NARROWEST)
        if wide := page.evaluate(WIDER):
            yield f"wider than 360 pixels: {wide}"
        if cut_off := page.evaluate(CUT_OFF, "table.stack"):
            yield f"cut off at 360 pixels: {cut_off}"

    def check_page(self, visit, page, facts):
        if facts["headings"] != 1:
            yield f"{facts['headings']} first headings"
        path = urlsplit(page.url).path
        other, text = self.titles.setdefault(facts["title"], (path, facts["text"]))
        if other != path and text != facts["text"]:
            yield f"the title {facts['title']!r} is that of {other}, too"
        if cut_off := page.evaluate(CUT_OFF, "table"):
            yield f"cut off at 1280 pixels: {cut_off}"
        # Django's scripts are in the admin alone; what they weigh is what a proxy that compresses makes of them.
        weigh = len if path.partition("/admin/")[1] == "" else lambda content: len(zlib.compress(content))
        parts = [self.fetch(address) for address in facts["parts"]]
        weight = sum(map(weigh, [page.content().encode(), *parts]))
        if weight > MAX_WEIGHT:
            yield f"{weight} bytes"

    def fetch(self, address):
        if address not in self.parts:
            self.parts[address] = self.session.get(address, timeout=60).content
        return self.parts[address]
