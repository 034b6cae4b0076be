"""Logging in through the Hub, and the pages of every member, in a real browser."""

import re
import zipfile

import pytest
from playwright.sync_api import expect

from tests.campus import SCOPE

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def submitted(campus):
    """bob has submitted and has feedback, whatever the other tests left."""
    for username in ("alice", "bob"):
        campus.hub.start_server(username)
    campus.nbgrader("alice", "generate_assignment", "ps1", "--force")
    campus.nbgrader("alice", "release_assignment", "ps1", "--force")
    if not (campus.hub.home("bob") / "ps1").exists():
        campus.nbgrader("bob", "fetch_assignment", "ps1", "--course", "NBG 101")
    campus.nbgrader("bob", "submit", "ps1", "--course", "NBG 101")
    for command in ("collect", "autograde", "generate_feedback", "release_feedback"):
        update = ["--update"] if command == "collect" else []
        campus.nbgrader("alice", command, "ps1", *update)
    return campus


def open_home(person, username, **options):
    someone = person(username, **options)
    someone.log_in(f"{someone.campus.hub.ngshare}/")
    expect(someone.page.get_by_role("heading", name="Your courses")).to_be_visible()
    return someone


def test_student_reads_receipt_and_feedback_on_a_phone(submitted, person):
    bob = open_home(person, "bob", phone=True, dark=True)
    expect(bob.page.locator("section.course").last).to_contain_text("submitted")
    bob.picture("pages-student-home")
    bob.page.get_by_role("rowheader").get_by_role("link", name="ps1", exact=True).click()
    bob.picture("pages-student-assignment")
    bob.page.locator("table a").first.click()
    expect(bob.page.get_by_role("heading", name="Receipt")).to_be_visible()
    bob.picture("pages-student-submission")
    with bob.page.expect_download() as download:
        bob.page.get_by_role("link", name="Download the receipt").click()
    assert '"signature"' in download.value.path().read_text()
    with bob.page.expect_download() as download:
        bob.page.get_by_role("link", name="Download the files").click()
    assert download.value.path().read_bytes().startswith(b"PK")
    bob.page.get_by_role("link", name="problem1.html").click()
    feedback = bob.page.frame_locator("iframe")
    expect(feedback.locator("body")).to_contain_text("problem1 (Score")
    expect(feedback.locator("math").first).to_be_visible()
    bob.picture("pages-student-feedback")
    assert bob.foreign == []
    overflow = bob.page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth + 400")
    assert not overflow


def test_staff_see_who_has_submitted(submitted, person):
    alice = open_home(person, "alice")
    alice.picture("pages-staff-home")
    alice.page.get_by_role("link", name="ps1", exact=True).click()
    expect(alice.page.get_by_role("heading", name="When students first submitted")).to_be_visible()
    expect(alice.page.get_by_role("row", name=re.compile("bob"))).to_contain_text("feedback returned")
    alice.picture("pages-staff-assignment")
    alice.page.select_option("select[name=show]", "missing")
    alice.page.get_by_role("button", name="Show").click()
    expect(alice.page.locator("table.members tbody")).not_to_contain_text("bob")
    with alice.page.expect_download() as download:
        alice.page.get_by_role("link", name="Download as CSV").click()
    assert download.value.path().read_text("utf-8-sig").startswith("username,first_name")
    assert alice.foreign == []


def test_acts_of_staff_stand_double_clicks_back_and_reload(submitted, person):
    """By keyboard and by a hasty mouse: what succeeded is never an error afterwards."""
    alice = open_home(person, "alice")
    page = alice.page
    page.get_by_role("link", name="ps1", exact=True).press("Enter")
    for link, button, said in [
        ("Unrelease", "Unrelease", "ps1 is unreleased."),
        ("Release again", "Release again", "ps1 is released again."),
    ]:
        page.get_by_role("link", name=link).press("Enter")
        page.get_by_role("button", name=button).dblclick()
        page.wait_for_url("**/ps1/")
        expect(page.locator(".notice.success")).to_contain_text(said)
        page.go_back()
        expect(page.get_by_role("heading", level=1)).to_contain_text("ps1")
        page.go_forward()
        page.reload()
        expect(page.locator(".notice.error")).to_have_count(0)
    with page.expect_download() as download:
        page.get_by_role("button", name="Download as zip").press("Enter")
    names = zipfile.ZipFile(download.value.path()).namelist()
    assert "submitted/bob/ps1/timestamp.txt" in names and "submitted/bob/ps1/problem1.ipynb" in names
    page.get_by_role("link", name="Remind").press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Remind")
    alice.picture("pages-staff-reminder")
    assert alice.foreign == []


def test_stranger_is_told_so(campus, person):
    admin = open_home(person, "admin")
    expect(admin.page.locator("main")).to_contain_text("not a member of any course")
    admin.page.goto(f"{campus.hub.ngshare}/view/course/NBG 101/nothing/")
    expect(admin.page.get_by_role("heading", name="Not found")).to_be_visible()


def test_submission_of_another_student_is_not_found(submitted, person):
    campus = submitted
    token = campus.hub.token_for("bob", SCOPE)
    (row, *_) = campus.api("GET", "submissions/?mine=true", token).json()["results"]
    carol = open_home(person, "carol")
    for page in ("", "receipt.json", "files.zip"):
        answer = carol.page.goto(f"{campus.hub.ngshare}/view/submission/{row['id']}/{page}")
        assert answer.status == 404


def test_log_out_at_the_hub_ends_the_session(campus, person):
    dave = open_home(person, "dave")
    dave.page.goto(f"{campus.hub.url}/hub/logout")
    dave.page.wait_for_load_state()
    dave.page.goto(f"{campus.hub.ngshare}/")
    expect(dave.page.locator("#username_input")).to_be_visible()


def test_log_out_here_asks_for_a_new_log_in(campus, person):
    dave = open_home(person, "dave")
    dave.page.get_by_role("button", name="Log out").click()
    expect(dave.page.get_by_role("heading", name="You are logged out here")).to_be_visible()
    dave.picture("pages-logged-out")
    cookies = {cookie["name"] for cookie in dave.page.context.cookies()}
    assert "jupyterhub-session-id" in cookies


def test_two_tabs_log_in_at_once(campus, person):
    """Each tab has a state of its own, and any of the service's processes may answer."""
    dave = person("dave")
    dave.log_in()
    address = f"{campus.hub.ngshare}/login/"
    begun = [dave.page.request.get(address, max_redirects=0).headers["location"] for _ in range(2)]
    for authorize in begun:
        dave.page.goto(f"http://127.0.0.1:{campus.hub.ports[0]}{authorize}")
        expect(dave.page.get_by_role("heading", name="Your courses")).to_be_visible()


def test_callback_with_a_foreign_state_is_refused(campus, person):
    dave = person("dave")
    answer = dave.page.goto(f"{campus.hub.ngshare}/oauth_callback?code=x&state=forged")
    assert answer.status == 400
    expect(dave.page.locator("main")).to_contain_text("begun in another browser")
    dave.picture("pages-login-failed")


def test_log_in_never_leads_elsewhere(campus, person):
    dave = person("dave")
    dave.log_in(f"{campus.hub.ngshare}/login/?next=https://example.org/")
    expect(dave.page.get_by_role("heading", name="Your courses")).to_be_visible()
    assert dave.page.url.startswith(campus.hub.ngshare)
