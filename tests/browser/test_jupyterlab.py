"""nbgrader's own JupyterLab extensions over this exchange, unchanged, by clicking."""

import re
import shutil

import pytest
from playwright.sync_api import expect

from tests.campus import SCOPE

pytestmark = pytest.mark.browser

COURSE = "NBG 101"


@pytest.fixture(scope="module")
def released(campus):
    """The assignment as it is at the start of each of these tests: generated, not yet released."""
    campus.hub.start_server("alice")
    campus.nbgrader("alice", "generate_assignment", "ps1", "--force")
    return campus


def open_formgrader(person):
    """In a tab of its own: the Hub does not let it into a frame of JupyterLab."""
    alice = person("alice")
    alice.log_in()
    response = alice.page.goto(f"{alice.campus.hub.url}/user/alice/formgrader")
    assert "frame-ancestors 'none'" in response.headers["content-security-policy"]
    expect(alice.page.locator("table")).to_be_visible()
    return alice


def open_assignment_list(person, username):
    someone = person(username)
    someone.open_lab()
    someone.choose("nbgrader:open-assignment-list")
    expect(someone.page.locator("#course_list_dropdown, #course_list_default").first).to_be_visible()
    return someone


def choose_course(someone):
    page = someone.page
    dropdown = page.locator("#course_list_dropdown")
    expect(page.locator("#course_list_default")).not_to_have_text(re.compile("Loading"))
    if dropdown.is_visible() and COURSE not in dropdown.inner_text():
        dropdown.click()
        page.locator("#course_list a", has_text=COURSE).click()


def row(page, name):
    return page.locator("tr", has=page.get_by_text(name, exact=True))


def dismiss(page):
    dialog = page.locator(".modal.show, .modal.in").last
    expect(dialog).to_contain_text(re.compile("success", re.I))
    dialog.get_by_role("button", name=re.compile("Close|OK", re.I)).last.click()
    expect(page.locator(".modal.show, .modal.in")).to_have_count(0)


def test_cycle_by_clicking(released, person):
    campus = released
    alice = open_formgrader(person)
    formgrader = alice.page
    alice.picture("formgrader-1-before-release")
    row(formgrader, "ps1").locator(".release a").click()
    dismiss(formgrader)
    expect(row(formgrader, "ps1").locator(".status")).to_contain_text("released")
    alice.picture("formgrader-2-released")

    bob = open_assignment_list(person, "bob")
    choose_course(bob)
    released_list = bob.page.locator("#released_assignments_list > .list_item")
    expect(released_list).to_contain_text("ps1")
    bob.picture("assignment-list-1-released")
    released_list.get_by_role("button", name="Fetch").click()
    fetched = bob.page.locator("#fetched_assignments_list > .list_item", has_text="ps1").first
    expect(fetched).to_be_visible()
    bob.picture("assignment-list-2-fetched")
    fetched.get_by_role("button", name="Submit").first.click()
    submitted = bob.page.locator("#submitted_assignments_list > .list_item")
    expect(submitted.first).to_contain_text("ps1")
    bob.picture("assignment-list-3-submitted")

    row(formgrader, "ps1").locator(".collect a").click()
    dismiss(formgrader)
    expect(row(formgrader, "ps1").locator(".num-submissions")).to_contain_text("1")
    alice.picture("formgrader-3-collected")
    campus.nbgrader("alice", "autograde", "ps1")
    row(formgrader, "ps1").locator(".generate-feedback a").click()
    dismiss(formgrader)
    row(formgrader, "ps1").locator(".release-feedback a").click()
    dismiss(formgrader)
    alice.picture("formgrader-4-feedback-released")

    bob.page.locator("#refresh_assignments_list").click()
    fetch_feedback = bob.page.locator("#submitted_assignments_list").get_by_role("button", name="Fetch Feedback")
    expect(fetch_feedback.first).to_be_visible()
    fetch_feedback.first.click()
    expect(bob.page.locator("#submitted_assignments_list").get_by_text("view feedback").first).to_be_visible()
    bob.picture("assignment-list-4-feedback")
    bob.page.locator("#submitted_assignments_list").get_by_text("view feedback").first.click()
    expect(bob.page.locator(".jp-DirListing-item", has_text="problem1.html")).to_be_visible()
    bob.picture("assignment-list-5-feedback-open")


def test_validate_runs(released, person):
    bob = open_assignment_list(person, "carol")
    choose_course(bob)
    bob.page.locator("#released_assignments_list > .list_item").get_by_role("button", name="Fetch").click()
    fetched = bob.page.locator("#fetched_assignments_list > .list_item", has_text="ps1").first
    fetched.locator("a").first.click()
    validate = bob.page.locator("#fetched_assignments_list").get_by_role("button", name="Validate").first
    expect(validate).to_be_visible()
    validate.click()
    expect(bob.page.locator(".jp-Dialog")).to_contain_text(re.compile("Validation|failed", re.I), timeout=60_000)
    bob.picture("validate")


def test_course_list_shows_the_course(released, person):
    alice = person("alice")
    alice.open_lab()
    alice.choose("nbgrader:open-course-list")
    expect(alice.page.get_by_text(COURSE, exact=True).first).to_be_visible()
    alice.picture("course-list")


def test_what_failed_is_shown_in_one_sentence(released, person):
    campus, name = released, "gone"
    course = campus.hub.home("alice") / "nbg101"
    shutil.copytree(course / "source/ps1", course / f"source/{name}")
    campus.nbgrader("alice", "generate_assignment", name)
    campus.nbgrader("alice", "release_assignment", name)
    campus.hub.start_server("carol")
    campus.nbgrader("carol", "fetch_assignment", name, "--course", COURSE)
    carol = open_assignment_list(person, "carol")
    choose_course(carol)
    fetched = carol.page.locator("#fetched_assignments_list > .list_item", has_text=name).first
    expect(fetched).to_be_visible()
    campus.nbgrader("alice", "list", name, "--remove")
    fetched.get_by_role("button", name="Submit").first.click()
    sentence = f"{name} was unreleased by your instructor (course {COURSE})."
    expect(carol.page.locator(".jp-Dialog pre")).to_have_text(sentence)
    carol.picture("assignment-list-unreleased")


def test_due_date_that_is_set_in_formgrader_after_the_release_reaches_students(released, person):
    campus, name = released, "later"
    course = campus.hub.home("alice") / "nbg101"
    shutil.copytree(course / "source/ps1", course / f"source/{name}")
    campus.nbgrader("alice", "generate_assignment", name)
    campus.nbgrader("alice", "release_assignment", name)
    campus.hub.start_server("carol")
    assert "due" not in campus.nbgrader("carol", "list", name, "--course", COURSE)
    alice = open_formgrader(person)
    row(alice.page, name).locator(".edit a").click()
    dialog = alice.page.locator("#edit-assignment-modal")
    dialog.locator("input.modal-duedate").fill("2101-01-31T12:00")
    dialog.get_by_role("button", name="Save").click()
    expect(row(alice.page, name).locator(".duedate")).to_contain_text("2101-01-31 12:00")
    alice.picture("formgrader-5-due-date")
    assert f"{COURSE} {name}, due 2101-01-31 " in campus.nbgrader("carol", "list", name, "--course", COURSE)
    place, admin = f"courses/NBG%20101/assignments/{name}/", campus.hub.token_for("admin", SCOPE)
    assert campus.api("PATCH", place, admin, json={"cut_off": "2101-02-01T12:00Z"}).status_code == 200
    row(alice.page, name).locator(".edit a").click()
    dialog = alice.page.locator("#edit-assignment-modal")
    dialog.locator("input.modal-duedate").fill("2101-03-01T12:00")
    messages = []
    alice.page.once("dialog", lambda alert: (messages.append(alert.message), alert.accept()))
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_have_count(0)
    assert messages[0].startswith(f"The due date of {name} was not changed. The cut-off, 2101-02-01 12:00 UTC")
    expect(row(alice.page, name).locator(".duedate")).to_contain_text("2101-01-31 12:00")
