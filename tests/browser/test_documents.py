"""Documents that somebody else wrote, in a real browser: they read well, and can do nothing."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import requests
from django.template.loader import render_to_string
from playwright.sync_api import expect

from tests import cast, servers
from tests.exchange.rendering.notebooks import PIXEL, code, hostile_html, hostile_notebook, markdown, notebook, printed

pytestmark = pytest.mark.browser

BASE = cast.of_assignment()


@pytest.fixture(scope="module")
def elsewhere():
    """A site elsewhere, as (address, the requests that reached it)."""
    reached = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            reached.append(self.path)
            self.send_response(200)
            self.end_headers()

        do_POST = do_GET

        def log_message(self, *args):
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", reached
        server.shutdown()


def post(site, who, part, body):
    headers = {"Authorization": f"token {who}", "Content-Type": "application/x-tar"}
    reply = requests.post(f"{site.url}{BASE}{part}/", data=body, headers=headers, timeout=60)
    assert reply.ok, reply.text
    return reply.json()


@pytest.fixture(scope="module")
def site(tmp_path_factory, elsewhere):
    """A service on which bob has submitted something harmless (1) and something hostile (2), with feedback on it."""
    address, _ = elsewhere
    patient = {"NGSHARE_RENDERING_SECONDS": "100"}  # a busy machine may need all of the time that follows from this
    with servers.service(tmp_path_factory.mktemp("documents"), **patient) as running:
        course = {"name": cast.COURSE, "instructors": ["alice"]}
        requests.post(
            f"{running.url}/api/v2/courses/", json=course, headers={"Authorization": "token root"}, timeout=60
        )
        members = f"{running.url}{cast.v2('courses', cast.COURSE, 'members', 'bulk')}"
        students = {"members": [{"username": "bob", "role": "student"}]}
        requests.post(members, json=students, headers={"Authorization": "token alice"}, timeout=60)
        harmless = {
            "ps1.ipynb": notebook(markdown(f"# Title\n\n$\\frac{{1}}{{2}}$ <img src='data:image/png;base64,{PIXEL}'>"))
        }
        post(running, "alice", "releases", cast.bundle(harmless))
        answer = notebook(markdown("# Title"), code("1 / 2", printed("0.5\n" * 400)))
        post(running, "bob", "submissions", cast.bundle({**harmless, "ps1.ipynb": answer}))
        page = hostile_html(address).encode()
        files = {"ps1.ipynb": hostile_notebook(address), "page.html": page, "code.py": page, "note.md": page}
        made = post(running, "bob", "submissions", cast.bundle(files))
        item = {"submission": made["id"], "files": cast.manifest({"ps1.html": page})}
        manifest = json.dumps({"feedback": [item]}).encode()
        post(running, "alice", "feedback", cast.tar([("manifest.json", manifest), (cast.sha256(page), page)]))
        yield running


@pytest.fixture
def bob(chromium, site, elsewhere):
    """bob's browser page; `asked` are the addresses of all requests but those of our pages and documents."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(120_000)
    page = context.new_page()
    page.asked, page.said = [], []
    page.on("request", lambda request: page.asked.append(request.url))
    page.on("console", lambda message: page.said.append(message.text))
    page.on("dialog", lambda dialog: page.said.append("dialog"))
    page.goto(f"{site.url}/login/?next=/")
    page.fill("main form input:not([type=hidden])", "bob")
    page.click("main form button")
    page.wait_for_load_state()
    page.asked.clear()
    elsewhere[1].clear()
    yield page
    context.close()


HOSTILE = ["file/ps1.ipynb", "file/page.html", "file/code.py", "file/note.md", "feedback/ps1.html"]


@pytest.mark.parametrize("path", HOSTILE)
@pytest.mark.parametrize("look", ["", "?as=document"])
def test_hostile_document_asks_nobody_and_runs_nothing(bob, site, elsewhere, path, look):
    bob.goto(f"{site.url}/view/submission/2/{path}{look}")
    frame = bob if look else bob.frame_locator("iframe")
    expect(frame.locator("body")).to_contain_text("still here")
    if path.endswith(".ipynb"):
        expect(frame.locator("body")).to_contain_text("The end of it.")
    bob.wait_for_timeout(1000)  # what a script or a style would ask for
    pages = (f"{site.url}/view/submission/2/{path}", f"{site.url}/static/", "data:")
    assert [address for address in bob.asked if not address.startswith(pages)] == []
    assert elsewhere[1] == [] and bob.said == []
    bob.screenshot(path=servers.ROOT / "artifacts" / "screenshots" / f"hostile-{path.replace('/', '-')}{len(look)}.png")


@pytest.mark.parametrize("path", ["file/page.html", "feedback/ps1.html"])
def test_what_a_reader_clicks_runs_nothing_either(bob, site, elsewhere, path):
    bob.goto(f"{site.url}/view/submission/2/{path}")
    frame = bob.frame_locator("iframe")
    for link in ("bad link", "bad", "data"):
        frame.get_by_text(link, exact=True).first.click()
    bob.wait_for_timeout(500)
    assert elsewhere[1] == [] and bob.said == [] and len(bob.context.pages) == 1
    with bob.context.expect_page() as opened:
        frame.get_by_text("ping", exact=True).click()
    opened.value.wait_for_url(f"{elsewhere[0]}/ping")  # at first, it may be an empty page
    assert "/ping" in elsewhere[1] and "/pinged" not in elsewhere[1]
    assert bob.url.startswith(site.url)


def test_without_cleaning_the_policy_alone_holds(bob, site, elsewhere):
    """The second line: what the cleaning would let through can do nothing in the document's rights."""
    address = f"{site.url}/view/submission/2/file/page.html"
    raw = hostile_html(elsewhere[0])

    def answer(route):
        reply = route.fetch()
        route.fulfill(response=reply, body=f"<!doctype html><body>{raw}")

    bob.route(f"{address}?as=document", answer)
    bob.goto(address)
    expect(bob.frame_locator("iframe").locator("body")).to_contain_text("cover")
    bob.wait_for_timeout(1000)
    assert elsewhere[1] == []
    assert bob.url == address


def test_document_is_tried_again_with_the_log_in(bob, site):
    path = "/view/submission/1/file/ps1.ipynb"
    context = {"entry": {"path": "ps1.ipynb"}, "message": "Busy.", "is_busy": True, "address": path}
    busy = render_to_string("ngshare/document.html", context)
    bob.route(f"{site.url}{path}?as=document", lambda route: route.fulfill(response=route.fetch(), body=busy))
    bob.goto(f"{site.url}{path}")
    with bob.context.expect_page() as opened:
        bob.frame_locator("iframe").get_by_role("link", name="Try again").click()
    expect(opened.value.frame_locator("iframe").get_by_role("heading", name="Title")).to_be_visible()


def test_keyboard_reaches_and_scrolls_a_document(bob, site):
    bob.goto(f"{site.url}/view/submission/1/file/ps1.ipynb")
    frame = bob.frame_locator("iframe")
    expect(frame.get_by_role("heading", name="Title")).to_be_in_viewport()
    for _ in range(20):
        bob.keyboard.press("Tab")
        if bob.evaluate("document.activeElement.tagName") == "IFRAME":
            break
    title = frame.get_by_role("heading", name="Title")
    for _ in range(30):  # the frame may get the focus a moment later
        bob.keyboard.press("End")
        bob.wait_for_timeout(500)
        if title.evaluate("(heading) => heading.getBoundingClientRect().bottom < 0"):
            break
    expect(title).not_to_be_in_viewport()


def test_formulas_and_pictures_are_shown(bob, site):
    bob.goto(f"{site.url}/view/release/1/file/ps1.ipynb")
    frame = bob.frame_locator("iframe")
    box = frame.locator("math mfrac").bounding_box()
    assert box["height"] > box["width"]  # one above two
    assert frame.locator("img").evaluate("(image) => image.naturalWidth") == 1


@pytest.mark.parametrize("path", ["file/ps1.ipynb", "feedback/ps1.html", "changes/", "changes/?with=release", ""])
def test_pages_fit_on_a_phone(bob, site, path):
    bob.set_viewport_size({"width": 360, "height": 780})
    bob.goto(f"{site.url}/view/submission/2/{path}")
    assert bob.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_pages_of_files_need_no_script(chromium, site):
    context = chromium.new_context(java_script_enabled=False)
    context.set_default_timeout(120_000)
    page = context.new_page()
    page.goto(f"{site.url}/login/?next=/view/submission/2/changes/")
    page.fill("main form input:not([type=hidden])", "bob")
    page.click("main form button")
    page.select_option("select[name=with]", "release")
    page.get_by_role("button", name="Compare").click()
    expect(page.locator("main")).to_contain_text("release 1 of the assignment")
    page.goto(f"{site.url}/view/submission/2/feedback/")
    expect(page.frame_locator("iframe").locator("body")).to_contain_text("still here")
    page.get_by_role("link", name="Your feedback").click()
    expect(page.get_by_role("heading", name="Receipt")).to_be_visible()
    context.close()
