"""The admin in a real browser, logged in through the Hub: as instructor and as administrator."""

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def open_admin(person, username):
    someone = person(username)
    someone.log_in(f"{someone.campus.hub.ngshare}/admin/")
    expect(someone.page.locator("#content")).to_be_visible()
    assert someone.page.url.endswith("/services/ngshare/admin/")
    return someone


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
        admin.picture(f"admin-administrator-{page.replace('/', '-')}")


def test_student_is_not_let_in(campus, person):
    carol = person("carol")
    carol.log_in(f"{campus.hub.ngshare}/admin/")
    expect(carol.page.locator("#user-tools")).to_have_count(0)
