"""The course's own page in the admin: what is offered, what is written, and that forged forms change nothing."""

import pytest

from courses.models import AuditEntry, Course, Membership, Role
from tests import cast
from tests.courses.admin.posting import course_page, fields_of, inline_as_sent, member, new_row, row_of


def test_course_page_lists_its_members_and_what_may_be_changed_in_them(course, browser):
    page = browser("alice").get(course_page(course))
    formset = page.context["inline_admin_formsets"][0].formset
    assert sorted(form.instance.user.username for form in formset.initial_forms) == ["alice", "bob", "dave", "gina"]
    assert [value for value, _ in row_of(formset, "bob").fields["role"].choices] == ["grader", "student"]
    own = row_of(formset, "alice")
    assert own.fields["role"].disabled and own.fields["DELETE"].disabled and not own.fields["first_name"].disabled


def test_course_page_saved_untouched_changes_nothing(course, browser):
    alice = browser("alice")
    before = cast.everything()
    answer = alice.post(course_page(course), inline_as_sent(alice.get(course_page(course))))
    assert answer.status_code == 302
    assert cast.everything() == before


def test_inline_edit_changes_adds_and_removes_members(course, browser):
    alice = browser("alice")
    page = alice.get(course_page(course))
    formset = page.context["inline_admin_formsets"][0].formset
    sent = inline_as_sent(page)
    sent[row_of(formset, "bob").add_prefix("section")] = "B"
    sent[row_of(formset, "dave").add_prefix("DELETE")] = "on"
    sent["memberships-TOTAL_FORMS"] = 5
    answer = alice.post(course_page(course), {**sent, **new_row(4, username="eve", first_name="Eve")})
    assert answer.status_code == 302
    assert member("bob").section == "B"
    assert member("eve").first_name == "Eve" and member("eve").role == Role.STUDENT
    assert not course.memberships.filter(user__username="dave").exists()
    written = AuditEntry.objects.order_by("pk").values_list("action", "actor", "target")
    assert list(written) == [
        ("remove member", "alice", "dave"),
        ("change member", "alice", "bob"),
        ("add member", "alice", "eve"),
    ]


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"username": "bob"}, "is a member of the course already"),
        ({"username": "a/b"}, "cannot be a user name"),
        ({"username": " "}, "This field is required"),
        ({"username": "eve", "role": "instructor"}, "not one of the available choices"),
        ({"username": "eve", "role": "king"}, "not one of the available choices"),
        ({"username": "eve", "email": "e" * 256}, "at most 255 characters"),
        ({"username": "eve", "first_name": "E\0"}, "Null characters are not allowed"),
    ],
)
def test_new_member_that_cannot_be_is_told_and_nothing_is_written(course, browser, said, told):
    alice = browser("alice")
    sent = inline_as_sent(alice.get(course_page(course)))
    sent[f"memberships-{0}-section"] = "changed as well"
    before = cast.everything()
    answer = alice.post(
        course_page(course), {**sent, "memberships-TOTAL_FORMS": 5, **new_row(4, last_name="New", **said)}
    )
    assert answer.status_code == 200
    assert told in answer.content.decode()
    assert cast.everything() == before


def test_the_same_new_member_twice_is_told(course, browser):
    alice = browser("alice")
    sent = {**inline_as_sent(alice.get(course_page(course))), "memberships-TOTAL_FORMS": 6}
    before = cast.everything()
    answer = alice.post(course_page(course), {**sent, **new_row(4, username="eve"), **new_row(5, username="eve")})
    assert answer.status_code == 200 and "eve comes twice" in answer.content.decode()
    assert cast.everything() == before


def test_instructor_cannot_demote_or_remove_themselves_by_a_forged_form(course, browser):
    alice = browser("alice")
    page = alice.get(course_page(course))
    own = row_of(page.context["inline_admin_formsets"][0].formset, "alice")
    before = cast.everything()
    forged = {own.add_prefix("role"): "student", own.add_prefix("DELETE"): "on"}
    alice.post(course_page(course), {**inline_as_sent(page), **forged})
    assert cast.everything() == before


def test_row_of_another_course_smuggled_into_the_inline_changes_nothing(course, browser):
    alice = browser("alice")
    sent = inline_as_sent(alice.get(course_page(course)))
    sent |= {"memberships-0-id": member("carol", cast.ELSEWHERE).pk, "memberships-0-first_name": "Mine"}
    before = cast.everything()
    alice.post(course_page(course), sent)
    assert cast.everything() == before


def test_inline_of_a_course_that_is_not_ones_own_changes_nothing(course, browser):
    alice = browser("alice")
    sent = inline_as_sent(alice.get(course_page(course)))
    elsewhere = Course.objects.get(name=cast.ELSEWHERE)
    before = cast.everything()
    answer = alice.post(course_page(elsewhere), {**sent, "memberships-TOTAL_FORMS": 5, **new_row(4, username="eve")})
    assert answer.status_code == 302
    assert cast.everything() == before


def test_grader_looks_at_the_course_and_changes_nothing(course, browser):
    alice_sent = inline_as_sent(browser("alice").get(course_page(course)))
    gina = browser("gina")
    page = gina.get(course_page(course))
    assert page.status_code == 200 and "bob" in page.content.decode()
    assert 'name="_save"' not in page.content.decode()
    before = cast.everything()
    sent = {**alice_sent, "memberships-0-section": "B", "memberships-TOTAL_FORMS": 5, **new_row(4, username="eve")}
    assert gina.post(course_page(course), sent).status_code == 403
    assert cast.everything() == before


# New courses


def test_administrator_creates_a_course_with_its_instructors(course, browser):
    root = browser("root")
    answer = root.post("/admin/courses/course/add/", {"name": "New", "instructors": "erin, alice\nfrank"})
    made = Course.objects.get(name="New")
    assert answer.status_code == 302
    assert sorted(made.memberships.values_list("user__username", "role")) == [
        ("alice", "instructor"), ("erin", "instructor"), ("frank", "instructor"),
    ]  # fmt: skip


@pytest.mark.parametrize("name", [cast.COURSE, "a/b", "", "..", "x" * 256, "*"])
def test_course_that_cannot_be_is_told(course, browser, name):
    before = cast.everything()
    answer = browser("root").post("/admin/courses/course/add/", {"name": name})
    assert answer.status_code == 200 and "errorlist" in answer.content.decode()
    assert cast.everything() == before


def test_instructor_makes_no_course_and_renames_none(course, browser):
    alice = browser("alice")
    sent = {**inline_as_sent(alice.get(course_page(course))), "name": "Mine", "removed_at": "2026-01-01"}
    before = cast.everything()
    assert alice.post("/admin/courses/course/add/", {"name": "New"}).status_code == 403
    alice.post(course_page(course), sent)
    assert cast.everything() == before


def test_role_taken_away_while_the_form_was_open_lets_nothing_through(course, browser):
    alice = browser("alice")
    sent = {**inline_as_sent(alice.get(course_page(course))), "memberships-1-section": "B"}
    Membership.objects.filter(pk=member("alice").pk).delete()
    before = cast.everything()
    assert alice.post(course_page(course), sent).status_code == 302
    assert cast.everything() == before


# Limits


def limits_as_sent(page, **limits):
    return {**inline_as_sent(page), **fields_of(page.context["adminform"].form), **limits}


def test_administrator_sets_limits_of_a_course_and_the_log_says_so(course, browser):
    root = browser("root")
    page = root.get(course_page(course))
    assert "0 bytes of 1 TB; one person may store 20 GB and submit 60 times" in page.content.decode()
    sent = limits_as_sent(page, max_bytes="50 GB", max_submissions_per_hour="0")
    assert root.post(course_page(course), sent).status_code == 302
    course.refresh_from_db()
    assert (course.max_bytes, course.max_person_bytes, course.max_submissions_per_hour) == (50 * 10**9, None, 0)
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor, entry.object_id) == ("set limits", "root", course.pk)
    assert entry.details == {
        "was": {"max_bytes": None, "max_submissions_per_hour": None},
        "given": {"max_bytes": 50 * 10**9, "max_submissions_per_hour": 0},
    }
    page = root.get(course_page(course))
    assert (
        'value="50 GB"' in page.content.decode() and "0 bytes of 50 GB; one person may store" in page.content.decode()
    )
    sent = limits_as_sent(page, max_bytes="")
    assert root.post(course_page(course), sent).status_code == 302
    course.refresh_from_db()
    assert (course.max_bytes, course.max_submissions_per_hour) == (None, 0)


def test_page_that_was_open_meanwhile_leaves_limits_as_they_are(course, browser):
    root = browser("root")
    sent = limits_as_sent(root.get(course_page(course)), max_person_bytes="1 GB")
    Course.objects.filter(pk=course.pk).update(max_bytes=7)
    assert root.post(course_page(course), sent).status_code == 302
    course.refresh_from_db()
    assert (course.max_bytes, course.max_person_bytes) == (7, 10**9)


@pytest.mark.parametrize("text", ["much", "-1", "0", "1e9", "9999999 TB", "5 XB", "\0"])
def test_limit_that_is_no_size_is_told(course, browser, text):
    root = browser("root")
    sent = limits_as_sent(root.get(course_page(course)), max_bytes=text)
    before = cast.everything()
    assert root.post(course_page(course), sent).status_code == 200
    assert cast.everything() == before


def test_instructors_see_limits_and_set_none(course, browser):
    alice = browser("alice")
    page = alice.get(course_page(course))
    assert "max_bytes" not in page.content.decode() and "0 bytes of 1 TB" in page.content.decode()
    before = cast.everything()
    forged = {"max_bytes": "50 GB", "initial-max_bytes": "1 GB", "max_submissions_per_hour": "0", "stored_bytes": "5"}
    assert alice.post(course_page(course), {**inline_as_sent(page), **forged}).status_code == 302
    assert cast.everything() == before
