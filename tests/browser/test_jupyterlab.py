"""nbgrader's own JupyterLab extensions over this exchange, unchanged, by clicking."""

import re
import shutil

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

COURSE = "NBG 101"


@pytest.fixture(scope="module")
def released(campus):
    """The assignment as it is at the start of each of these tests: generated, not yet released."""
    campus.hub.start_server("alice")
    campus.nbgrader("alice", "generate_assignment", "ps1", "--force")
    return campus


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


def dismiss(page):
    dialog = page.locator(".modal.show, .modal.in").last
    expect(dialog).to_contain_text(re.compile("success", re.I))
    dialog.get_by_role("button", name=re.compile("Close|OK", re.I)).last.click()
    expect(page.locator(".modal.show, .modal.in")).to_have_count(0)


def test_cycle_by_clicking(released, person):
    campus = released
    alice = person("alice")
    formgrader = alice.open_formgrader()
    alice.picture("formgrader-1-before-release")
    alice.row("ps1").locator(".release a").click()
    dismiss(formgrader)
    expect(alice.row("ps1").locator(".status")).to_contain_text("released")
    alice.picture("formgrader-2-released")

    bob = open_assignment_list(person, "bob")
    choose_course(bob)
    released_list = bob.page.locator("#released_assignments_list > .list_item", has_text="ps1")
    expect(released_list).to_be_visible()
    bob.picture("assignment-list-1-released")
    released_list.get_by_role("button", name="Fetch").click()
    fetched = bob.page.locator("#fetched_assignments_list > .list_item", has_text="ps1").first
    expect(fetched).to_be_visible()
    bob.picture("assignment-list-2-fetched")
    fetched.get_by_role("button", name="Submit").first.click()
    submitted = bob.page.locator("#submitted_assignments_list > .list_item", has_text="ps1")
    expect(submitted.first).to_be_visible()
    bob.picture("assignment-list-3-submitted")

    alice.row("ps1").locator(".collect a").click()
    dismiss(formgrader)
    expect(alice.row("ps1").locator(".num-submissions")).to_contain_text("1")
    alice.picture("formgrader-3-collected")
    campus.nbgrader("alice", "autograde", "ps1")
    alice.row("ps1").locator(".generate-feedback a").click()
    dismiss(formgrader)
    alice.row("ps1").locator(".release-feedback a").click()
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
    listed = bob.page.locator("#released_assignments_list > .list_item", has_text="ps1")
    listed.get_by_role("button", name="Fetch").click()
    fetched = bob.page.locator("#fetched_assignments_list > .list_item", has_text="ps1").first
    fetched.locator("a").first.click()
    validate = bob.page.locator("#fetched_assignments_list").get_by_role("button", name="Validate").first
    expect(validate).to_be_visible()
    validate.click()
    expect(bob.page.locator(".jp-Dialog")).to_contain_text(re.compile("Validation|failed", re.I))
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
