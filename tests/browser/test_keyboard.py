"""What students and staff do most, by keyboard alone, with scripts and without any."""

import pytest
from playwright.sync_api import expect

from tests.browser import world
from tests.browser.keyboard import Keyboard
from tests.browser.walk import file, zip_file
from tests.browser.world import CURRENT, FEEDBACK, OVER, moment, solved

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module", params=[True, False], ids=["with scripts", "without scripts"])
def open_page(request, chromium, tmp_path_factory):
    """A function: a page on which somebody has logged in, by keyboard."""
    with world.running(tmp_path_factory.mktemp("keyboard")) as (site, _):
        contexts = []

        def log_in(username):
            contexts.append(chromium.new_context(java_script_enabled=request.param, locale="en-US"))
            contexts[-1].set_default_timeout(120_000)
            page = contexts[-1].new_page()
            page.goto(f"{site.url}/login/")
            keys = Keyboard(page)
            keys.type_into("User name", username)
            with page.expect_navigation():
                page.keyboard.press("Enter")
            return page, keys

        yield log_in
        for context in contexts:
            context.close()


def test_student_submits_and_reads_feedback(open_page):
    page, keys = open_page("bob")
    keys.follow(CURRENT)
    with page.expect_download() as download:
        keys.press("Download the assignment")
    assert download.value.suggested_filename.endswith(".zip")
    keys.follow("Submit in the browser")
    keys.choose_file("Your files, or one zip file of them", zip_file(solved(CURRENT, 1)))
    keys.follow("Submit")
    expect(page.get_by_text("Submitted.", exact=True)).to_be_visible()
    with page.expect_download() as download:
        keys.press("Download the receipt")
    assert '"signature"' in download.value.path().read_text()
    keys.follow("ngshare")
    keys.follow(OVER)  # of the newest feedback
    keys.follow(f"{OVER}.html")
    expect(page.frame_locator("iframe").locator("body")).to_contain_text("Nearly right")


def test_instructor_changes_a_due_date(open_page):
    page, keys = open_page("alice")
    keys.follow(CURRENT)
    keys.follow("Deadlines and extensions")
    keys.type_into("Due date: date", f"{moment(4):%m%d%Y}")
    keys.follow("Change deadlines…")
    expect(page.get_by_role("heading", level=1)).to_contain_text("?")
    keys.follow("Change")
    expect(page.locator(".notice.success")).to_be_visible()
    expect(page.get_by_label("Due date: date", exact=True)).to_have_value(f"{moment(4):%Y-%m-%d}")


def test_instructor_grants_and_withdraws_an_extension(open_page):
    page, keys = open_page("alice")
    keys.follow(CURRENT)
    keys.follow("Deadlines and extensions")
    keys.type_into("User names", "elif")
    keys.type_into("Further attempts", "2")
    keys.follow("Grant extension…")
    expect(page.locator("main")).to_contain_text("elif: 2 further attempts")
    keys.follow("Grant")
    keys.follow("Withdraw the extension of elif")
    keys.follow("Withdraw")
    expect(page.locator(".notice.success")).to_contain_text("The extension of elif is withdrawn.")


def test_grader_reminds_and_returns_feedback(open_page):
    page, keys = open_page("gina")
    keys.follow(OVER)
    keys.follow("Remind students")
    with page.expect_download() as download:
        keys.press("Download as CSV")
    assert "zoe@example.edu" in download.value.path().read_text()
    keys.follow(OVER)
    keys.follow("Return feedback")
    keys.choose_file("Zip file", zip_file({f"feedback/rosa/{OVER}/{OVER}.html": FEEDBACK}))
    keys.follow("Check the zip…")
    expect(page.get_by_role("heading", level=1)).to_have_text("Return feedback to 1 student?")
    keys.follow("Return feedback")
    expect(page.locator(".notice.success")).to_contain_text("Feedback is returned to 1 student.")
    keys.type_into("Name, user name or email", "tariq")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    keys.follow("Tariq Demir")
    keys.choose_file("Pages (.html)", file(f"{OVER}.html", FEEDBACK, "text/html"))
    keys.follow("Return feedback")
    expect(page.locator(".notice.success")).to_contain_text("Feedback is returned to tariq.")
