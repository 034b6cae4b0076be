"""A real browser at the real Hub. Screenshots of every step go to artifacts/screenshots/."""

import re
import shutil

import pytest
from playwright.sync_api import Error, expect, sync_playwright

from tests.servers import ROOT

SCREENSHOTS = ROOT / "artifacts" / "screenshots"
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--no-first-run",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1 , EXCLUDE localhost",
]  # fmt: skip
PATIENCE = 120_000  # milliseconds that a busy machine may take
expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="session")
def chromium():
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not path:
        pytest.skip("there is no Chromium on this machine (Debian: apt-get install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


class Person:
    """Someone at a browser, logged in at the Hub."""

    def __init__(self, campus, page, username):
        self.campus, self.page, self.username = campus, page, username
        self.foreign = []  # addresses elsewhere that a page wanted to load
        page.on("request", self._note)

    def _note(self, request):
        if not re.match(r"(https?|wss?)://127\.0\.0\.1[:/]|data:|blob:|about:", request.url):
            self.foreign.append(request.url)

    def log_in(self, address=""):
        self.page.goto(address or f"{self.campus.hub.url}/hub/login")
        if self.page.locator("#username_input").count():
            self.page.fill("#username_input", self.username)
            self.page.fill("#password_input", "any")
            self.page.click("#login_submit")
            self.page.wait_for_load_state()

    def open_lab(self):
        """Their JupyterLab, started and ready."""
        self.campus.hub.start_server(self.username)
        self.log_in()
        self.page.goto(f"{self.campus.hub.url}/user/{self.username}/lab?reset")
        self.page.wait_for_selector("#jp-main-dock-panel")
        self.page.wait_for_selector(".jp-LauncherCard")
        self.page.locator("#jupyterlab-splash").wait_for(state="detached")

    def open_formgrader(self):
        """In a tab of its own: the Hub does not let it into a frame of JupyterLab."""
        self.campus.hub.start_server(self.username)
        self.log_in()
        response = self.page.goto(f"{self.campus.hub.url}/user/{self.username}/formgrader")
        assert "frame-ancestors 'none'" in response.headers["content-security-policy"]
        expect(self.page.locator("table")).to_be_visible()
        return self.page

    def row(self, text):
        """The row of a table that has this text in a cell."""
        return self.page.locator("tr", has=self.page.get_by_text(text, exact=True))

    def choose(self, command):
        """An entry of the Nbgrader menu, by its command."""
        self.page.locator(".lm-MenuBar-item", has_text="Nbgrader").click()
        self.page.locator(f'li[data-command="{command}"]').click()

    def picture(self, name):
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SCREENSHOTS / f"{name}.png")


@pytest.fixture
def person(chromium, campus, request):
    """Log someone in: `person("bob")`; `person("bob", phone=True)` on a small screen; `script=False` without any."""
    contexts = []

    def log_in(username, *, phone=False, dark=False, script=True):
        size = {"width": 390, "height": 844} if phone else {"width": 1280, "height": 900}
        scheme = "dark" if dark else "light"
        context = chromium.new_context(viewport=size, color_scheme=scheme, java_script_enabled=script)
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        return Person(campus, context.new_page(), username)

    yield log_in
    for number, context in enumerate(contexts):
        for page in context.pages:
            if getattr(request.node, "failed_call", False):
                SCREENSHOTS.mkdir(parents=True, exist_ok=True)
                try:
                    page.screenshot(path=SCREENSHOTS / f"failed-{request.node.name}-{number}.png")
                except Error:
                    continue
        context.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if report.when == "call":
        item.failed_call = report.failed
    return report
