"""The admin in a real browser, logged in through the Hub: as instructor and as administrator."""

import csv
import uuid
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import expect

from tests.campus import SCOPE

pytestmark = pytest.mark.browser


IS_WHOLE = "(list => !list || list.scrollWidth <= list.clientWidth)(document.querySelector('.results'))"


def open_admin(person, username):
    someone = person(username)
    someone.log_in(f"{someone.campus.hub.ngshare}/admin/")
    expect(someone.page.locator("#content")).to_be_visible()
    assert someone.page.url.endswith("/services/ngshare/admin/")
    return someone


@pytest.fixture
def course(campus):
    """A course of alice's for one test, with some members; in the trash afterwards."""
    name = f"Roster {uuid.uuid4().hex[:8]}"
    admin = campus.hub.token_for("admin", SCOPE)
    made = campus.api("POST", "courses/", admin, json={"name": name, "instructors": ["alice"]})
    assert made.status_code == 201, made.text
    people = [
        {"username": "gina", "role": "grader", "first_name": "Gina", "last_name": "Grader"},
        {"username": "bob", "first_name": "Bob", "last_name": "Baker", "email": "bob@example.edu", "section": "A"},
        {"username": "dave", "first_name": "Dave", "last_name": "Dyer", "email": "dave@example.edu", "section": "A"},
        {"username": "zoe", "first_name": "Zoë", "last_name": "Zhu", "section": "B"},
    ]
    done = campus.api("POST", f"courses/{quote(name)}/members/bulk/", admin, json={"members": people})
    assert done.status_code == 200 and done.json()["created"] == 4, done.text
    yield name
    gone = campus.api("DELETE", f"courses/{quote(name)}/", admin)  # other tests look at whose courses these are
    assert gone.status_code == 204, gone.text


def roster_of(campus, course):
    """{user name: (role, last name, section)}, as the API tells it."""
    admin = campus.hub.token_for("admin", SCOPE)
    answer = campus.api("GET", f"courses/{quote(course)}/roster/", admin)
    rows = csv.DictReader(answer.content.decode("utf-8-sig").splitlines())
    return {row["username"]: (row["role"], row["last_name"], row["section"]) for row in rows}


def open_course(someone, course):
    someone.page.goto(f"{someone.campus.hub.ngshare}/admin/courses/course/")
    someone.page.get_by_role("link", name=course).click()
    expect(someone.page.locator("#content > h2")).to_have_text(course)


@pytest.mark.parametrize("who", ["alice", "admin"])
def test_roster_is_imported_after_its_differences_were_seen(campus, person, course, who, tmp_path):
    someone = open_admin(person, who)
    before = roster_of(campus, course)
    file = tmp_path / "roster.csv"
    file.write_text(
        "\ufeffUser;First Name;Last Name;Section\r\n"
        "bob;Bob;Becker;A\r\nerin;Erin;Öz;B\r\ngina;Gina;Grader;\r\n;nobody;;\r\n",
        encoding="utf-8",
        newline="",
    )
    open_course(someone, course)
    someone.page.get_by_role("link", name="Import roster").click()
    someone.picture(f"admin-{who}-import")
    someone.page.set_input_files("input[name=file]", file)
    someone.page.get_by_role("button", name="Show the differences").click()
    shown = someone.page.locator("#content-main")
    expect(shown).to_contain_text("Read as UTF-8 with semicolons")
    expect(shown).to_contain_text("Baker → Becker")
    expect(shown).to_contain_text("New: 1")
    expect(shown).to_contain_text("Refused: 1")
    someone.picture(f"admin-{who}-import-differences")
    assert roster_of(campus, course) == before
    someone.page.get_by_role("button", name="Import these changes").click()
    expect(someone.page.locator(".messagelist")).to_contain_text("The roster was imported")
    someone.picture(f"admin-{who}-import-taken-over")
    after = {**before, "bob": ("student", "Becker", "A"), "erin": ("student", "Öz", "B")}
    assert roster_of(campus, course) == after
    assert someone.foreign == []


def test_students_whom_the_file_does_not_name_leave_only_where_that_was_chosen(campus, person, course, tmp_path):
    alice = open_admin(person, "alice")
    file = tmp_path / "roster.csv"
    file.write_text("username\nbob\ndave\n")
    open_course(alice, course)
    alice.page.get_by_role("link", name="Import roster").click()
    alice.page.set_input_files("input[name=file]", file)
    alice.page.get_by_role("button", name="Show the differences").click()
    expect(alice.page.locator("#content-main")).to_contain_text("There is nothing to import")
    alice.page.get_by_role("link", name="Choose another file").click()
    alice.page.set_input_files("input[name=file]", file)
    alice.page.get_by_label("Remove students whom the file does not name from the roster").check()
    alice.page.get_by_role("button", name="Show the differences").click()
    expect(alice.page.locator("#content-main")).to_contain_text("Removed from the roster: 1")
    alice.picture("admin-import-removal")
    assert "zoe" in roster_of(campus, course)
    alice.page.get_by_role("button", name="Import these changes").click()
    expect(alice.page.locator(".messagelist")).to_contain_text("1 removed")
    assert sorted(roster_of(campus, course)) == ["alice", "bob", "dave", "gina"]


@pytest.mark.parametrize("who", ["alice", "admin"])
def test_members_are_edited_on_the_courses_page(campus, person, course, who):
    someone = open_admin(person, who)
    open_course(someone, course)
    someone.picture(f"admin-{who}-course")
    row = someone.page.locator("tr.has_original", has=someone.page.locator('input[value="dave"]'))
    row.locator("select").select_option("grader")
    row.locator(".field-section input.vTextField").fill("B")
    someone.page.get_by_text("Add another Member").click()
    new = someone.page.locator("tr.dynamic-memberships:not(.has_original)").last
    new.locator(".field-username input").fill("frank")
    new.locator(".field-last_name input.vTextField").fill("Fox")
    someone.page.locator("tr.has_original", has=someone.page.locator('input[value="zoe"]')).locator(
        ".delete input"
    ).check()
    someone.picture(f"admin-{who}-course-edited")
    someone.page.get_by_role("button", name="Save and continue editing").click()
    expect(someone.page.locator(".messagelist")).to_contain_text("changed successfully")
    roster = roster_of(campus, course)
    assert roster["dave"] == ("grader", "Dyer", "B") and roster["frank"] == ("student", "Fox", "")
    assert "zoe" not in roster
    assert someone.foreign == []


def test_members_are_edited_in_the_list(campus, person, course):
    alice = open_admin(person, "alice")
    open_course(alice, course)
    alice.page.get_by_role("link", name="Roster", exact=True).click()
    row = alice.page.locator("#result_list tr", has_text="bob")
    expect(row.locator("select option")).to_have_text(["Grader", "Student"])
    row.locator(".field-section input.vTextField").fill("C")
    alice.picture("admin-members-of-course")
    table = alice.page.locator("#changelist .results").bounding_box()
    assert row.locator("select").bounding_box()["x"] < table["x"] + table["width"]
    alice.page.get_by_role("button", name="Save").click()
    expect(alice.page.locator(".messagelist")).to_contain_text("1 member was changed")
    assert roster_of(campus, course)["bob"] == ("student", "Baker", "C")


@pytest.mark.parametrize("who", ["alice", "admin"])
def test_roster_is_downloaded_and_read_back_unchanged(campus, person, course, who):
    someone = open_admin(person, who)
    open_course(someone, course)
    with someone.page.expect_download() as started:
        someone.page.get_by_role("link", name="Download roster").click()
    file = Path(started.value.path())
    content = file.read_bytes()
    assert content.startswith("\ufeffusername,first_name".encode())
    assert started.value.suggested_filename.endswith("roster.csv")
    someone.page.get_by_role("link", name="Import roster").click()
    someone.page.set_input_files("input[name=file]", {"name": "r.csv", "mimeType": "text/csv", "buffer": content})
    someone.page.get_by_role("button", name="Show the differences").click()
    expect(someone.page.locator("#content-main")).to_contain_text("5 of 5 lines would change nothing")


def test_removed_instructor_loses_the_open_admin_at_once(campus, person, course):
    admin = campus.hub.token_for("admin", SCOPE)
    added = campus.api(
        "POST", f"courses/{quote(course)}/members/", admin, json={"username": "carol", "role": "instructor"}
    )
    assert added.status_code == 201, added.text
    carol = open_admin(person, "carol")
    open_course(carol, course)
    carol.page.locator(".field-section input.vTextField").nth(2).fill("X")
    before = roster_of(campus, course)
    assert campus.api("DELETE", f"courses/{quote(course)}/members/carol/", admin).status_code == 204
    carol.page.get_by_role("button", name="Save", exact=True).click()
    carol.page.wait_for_load_state()
    expect(carol.page.locator("body")).to_contain_text("not on the staff of any course")
    carol.picture("admin-removed-instructor")
    before.pop("carol")
    assert roster_of(campus, course) == before


def test_instructor_keeps_the_roster(campus, person):
    alice = open_admin(person, "alice")
    alice.picture("admin-instructor")
    alice.page.goto(f"{campus.hub.ngshare}/admin/courses/membership/")
    expect(alice.page.locator("#result_list")).to_contain_text("bob")
    alice.picture("admin-instructor-members")
    answer = alice.page.goto(f"{campus.hub.ngshare}/admin/exchange/blob/")
    assert answer.status == 403
    assert alice.foreign == []


def test_administrator_sees_everything(campus, person):
    admin = open_admin(person, "admin")
    admin.picture("admin-administrator")
    for page in ("courses/course", "courses/membership", "exchange/submission", "exchange/blob", "courses/auditentry"):
        answer = admin.page.goto(f"{campus.hub.ngshare}/admin/{page}/")
        assert answer.status == 200
        assert admin.page.evaluate(IS_WHOLE), f"{page}: a column is cut off"
        admin.picture(f"admin-administrator-{page.replace('/', '-')}")


def test_student_is_not_let_in(campus, person):
    carol = person("carol")
    carol.log_in(f"{campus.hub.ngshare}/admin/")
    expect(carol.page.locator("#user-tools")).to_have_count(0)
