"""What axe-core finds on the pages: nothing, on a screen of any size, light and dark (WCAG 2.1 AA)."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests import cast
from tests.browser.work import RELEASED, post, return_feedback, submissions
from tests.campus import COURSE

pytestmark = pytest.mark.browser

RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]}
NAME = "accessible"
PAGE = f"view/course/{COURSE}/{NAME}/"


@pytest.fixture(scope="module")
def submission(campus):
    """What carol has submitted, with feedback; a notebook is missing."""
    post(campus, "alice", cast.of_assignment("releases", assignment=NAME), cast.bundle(RELEASED))
    post(campus, "alice", cast.of_assignment("releases", assignment=f"{NAME} too"), cast.bundle(RELEASED))
    work = {"problem1.ipynb": b"{}", "extra.ipynb": b"{}"}
    post(campus, "carol", cast.of_assignment("submissions", assignment=NAME), cast.bundle(work))
    (made,) = submissions(campus, "carol", NAME)
    return_feedback(campus, made)
    return made


def assert_accessible(page):
    """Fail with what axe-core says, unless it finds nothing; and where the page is wider than the screen."""
    found = Axe().run(page, options=RULES)
    assert not found.response["violations"], f"{page.url}\n{found.generate_report()}"
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), page.url


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("phone", [False, True], ids=["desktop", "phone"])
def test_pages_of_students_have_no_violation(campus, submission, person, phone, dark):
    carol = person("carol", phone=phone, dark=dark)
    carol.log_in(f"{campus.hub.ngshare}/")
    page = carol.page
    expect(page.get_by_role("heading", name="Due next")).to_be_visible()
    own = f"view/submission/{submission['id']}/"
    for address in ("", PAGE, own, f"{own}?submitted", "view/history/", "view/receipt/", f"{PAGE}submit/"):
        page.goto(f"{campus.hub.ngshare}/{address}")
        assert_accessible(page)
    files = [{"name": name, "mimeType": "text/plain", "buffer": b"{}"} for name in ("problem1.ipynb", "extra.ipynb")]
    page.set_input_files("#files", files)
    expect(page.get_by_role("region", name="What will be sent")).to_be_visible()
    page.locator("summary").click()
    assert_accessible(page)
