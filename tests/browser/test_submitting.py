"""The whole cycle of a student whose Jupyter server never starts: by mouse, by keyboard alone, and without a script."""

import io
import json
import zipfile

import pytest
from playwright.sync_api import expect

from tests import cast
from tests.browser.work import RELEASED, post, return_feedback, submissions
from tests.campus import COURSE

pytestmark = pytest.mark.browser

WORK = {**RELEASED, "problem1.ipynb": b'{"cells": ["42"]}', ".ipynb_checkpoints/problem1-checkpoint.ipynb": b"{}"}
SENT = {path: content for path, content in WORK.items() if "checkpoint" not in path}


@pytest.fixture
def released(campus, request):
    """The name of an assignment that alice has released for this test alone."""
    name = request.node.originalname.removeprefix("test_")
    post(campus, "alice", cast.of_assignment("releases", assignment=name), cast.bundle(RELEASED))
    return name


@pytest.fixture
def folder(tmp_path):
    """What the student has worked on, in a folder on their own computer."""
    made = tmp_path / "my work"
    for path, content in WORK.items():
        (made / path).parent.mkdir(parents=True, exist_ok=True)
        (made / path).write_bytes(content)
    return made


def zipped(files):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for path, content in files.items():
            archive.writestr(path, content)
    return {"name": "work.zip", "mimeType": "application/zip", "buffer": out.getvalue()}


def unzipped(download):
    with zipfile.ZipFile(download.value.path()) as archive:
        return {name.partition("/")[2]: archive.read(name) for name in archive.namelist()}


def open_home(person, username, **options):
    someone = person(username, **options)
    someone.log_in(f"{someone.campus.hub.ngshare}/")
    expect(someone.page.get_by_role("heading", name="Your courses")).to_be_visible()
    return someone


def read_feedback(student, name):
    student.page.get_by_role("link", name="ngshare", exact=True).click()
    student.page.locator("li", has_text=name).get_by_role("link").click()
    expect(student.page.get_by_role("link", name="problem1.html").first).to_be_visible()


def test_cycle_by_mouse(released, folder, person):
    carol = open_home(person, "carol", phone=True)
    page, campus = carol.page, carol.campus
    page.on("filechooser", lambda chooser: chooser.set_files(folder))
    page.get_by_role("link", name=released, exact=True).first.click()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the assignment").click()
    assert unzipped(download) == RELEASED
    page.get_by_role("link", name="Submit in the browser").click()
    page.set_input_files("#files", zipped({"work/problem1.ipynb": b"{}", "work/extra.ipynb": b"{}"}))
    review = page.get_by_role("region", name="What will be sent")
    expect(review.get_by_role("row", name="problem2.ipynb")).to_contain_text("MISSING")
    expect(review.get_by_role("row", name="extra.ipynb")).to_contain_text("EXTRA")
    expect(page.get_by_role("button", name="Submit without the missing notebooks")).to_be_visible()
    page.get_by_role("button", name="Choose a folder").click()
    expect(review.get_by_role("row", name="problem2.ipynb")).to_contain_text("found")
    expect(review.get_by_role("status")).to_contain_text("3 files")
    carol.picture("pages-submit")
    page.get_by_role("button", name="Submit", exact=True).dblclick()
    expect(page.get_by_text("Submitted.", exact=True)).to_be_visible()
    expect(page.locator("main")).not_to_contain_text("MISSING")
    carol.picture("pages-submitted")
    (submission,) = submissions(campus, "carol", released)
    assert {file["path"]: file["sha256"] for file in submission["files"]} == {
        path: cast.sha256(content) for path, content in SENT.items()
    }
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the files").click()
    assert unzipped(download) == SENT
    return_feedback(campus, submission)
    read_feedback(carol, released)
    assert carol.foreign == []


def test_cycle_by_keyboard(released, folder, person):
    dave = open_home(person, "dave")
    page = dave.page
    page.on("filechooser", lambda chooser: chooser.set_files(folder))

    def go_to(name):
        """Press Tab until something of this name has the focus."""
        page.evaluate("document.activeElement.blur()")
        for _ in range(80):
            page.keyboard.press("Tab")
            found = page.evaluate("(document.activeElement.labels?.[0] || document.activeElement).innerText.trim()")
            if found == name:
                return
        raise AssertionError(f"{name} is not reached by Tab")

    go_to(released)
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/{released}/")
    go_to("Submit in the browser")
    page.keyboard.press("Enter")
    page.wait_for_url("**/submit/")
    go_to("Choose a folder")
    page.keyboard.press("Enter")
    expect(page.get_by_role("region", name="What will be sent")).to_be_visible()
    go_to("Submit")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Submitted.", exact=True)).to_be_visible()
    go_to("Download the receipt")
    with page.expect_download() as download:
        page.keyboard.press("Enter")
    assert json.loads(download.value.path().read_text())["assignment"] == released
    (submission,) = submissions(dave.campus, "dave", released)
    return_feedback(dave.campus, submission)
    page.reload()
    go_to("problem1.html")
    page.keyboard.press("Enter")
    expect(page.frame_locator("iframe").locator("body")).to_contain_text("well done")


def test_cycle_without_script(released, person):
    carol = open_home(person, "carol", script=False)
    page = carol.page
    page.get_by_role("link", name=released, exact=True).first.click()
    page.get_by_role("link", name="Submit in the browser").click()
    expect(page.get_by_role("button", name="Choose a folder")).to_be_hidden()
    page.set_input_files("#files", zipped({f"{released}/problem1.ipynb": b"{}"}))
    page.get_by_role("button", name="Submit", exact=True).dblclick()
    expect(page.get_by_text("Submitted.", exact=True)).to_be_visible()
    expect(page.locator("main")).to_contain_text("problem2.ipynb: MISSING")
    # Back, and once more: nothing is doubled, and nothing fails.
    page.go_back()
    page.set_input_files("#files", zipped({f"{released}/problem1.ipynb": b"{}"}))
    page.get_by_role("button", name="Submit", exact=True).click()
    expect(page.get_by_text("Submitted.", exact=True)).to_be_visible()
    page.reload()
    expect(page.get_by_text("Submitted.", exact=True)).to_be_visible()
    (submission,) = submissions(carol.campus, "carol", released)
    return_feedback(carol.campus, submission)
    read_feedback(carol, released)


def test_files_that_are_chosen_before_the_script_has_come_are_reviewed(released, person):
    carol = open_home(person, "carol")
    page = carol.page

    def choose_first(route):
        page.set_input_files("#files", zipped({"problem1.ipynb": b"{}"}))
        route.continue_()

    page.route("**/submit*.js", choose_first)
    page.goto(f"{carol.campus.hub.ngshare}/view/course/{COURSE}/{released}/submit/")
    review = page.get_by_role("region", name="What will be sent")
    expect(review.get_by_role("row", name="problem2.ipynb")).to_contain_text("MISSING")


def test_refusal_is_told_on_the_page_and_the_choice_kept(released, person):
    carol = open_home(person, "carol")
    page, campus = carol.page, carol.campus
    page.goto(f"{campus.hub.ngshare}/view/course/{COURSE}/{released}/submit/")
    bad = {"name": "a?.txt", "mimeType": "text/plain", "buffer": b"1"}
    page.set_input_files("#files", [{**bad, "name": "a.txt"}, {**bad, "name": "A.txt"}])
    page.get_by_role("button", name="Submit without the missing notebooks").click()
    expect(page.get_by_role("alert")).to_contain_text("differ only in case")
    assert submissions(campus, "carol", released) == []
    page.evaluate(
        """() => {
            const dropped = new DataTransfer();
            dropped.items.add(new File(["{}"], "problem1.ipynb"));
            document.dispatchEvent(new DragEvent("drop", {dataTransfer: dropped, bubbles: true}));
        }"""
    )
    expect(page.get_by_role("row", name="problem1.ipynb")).to_contain_text("found")
    expect(page.get_by_role("alert")).not_to_contain_text("differ")
    page.get_by_role("button", name="Submit without the missing notebooks").click()
    expect(page.get_by_text("Submitted.", exact=True)).to_be_visible()
