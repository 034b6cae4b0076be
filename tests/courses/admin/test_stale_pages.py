"""Two people keep one roster: a page that was left open undoes nothing that somebody else did meanwhile."""

import pytest

from courses.models import AuditEntry, Membership, Role
from tests import cast
from tests.courses.admin.posting import (
    MEMBERS,
    course_page,
    fields_of,
    inline_as_sent,
    list_as_sent,
    member,
    member_page,
    row_of,
)


def of_course(page):
    return page.context["inline_admin_formsets"][0].formset


def of_list(page):
    return page.context["cl"].formset


PAGES = [
    pytest.param(course_page, inline_as_sent, of_course, id="the course"),
    pytest.param(lambda course: f"{MEMBERS}?course={course.pk}", list_as_sent, of_list, id="the list"),
]


def told(answer, client):
    """What the next page says."""
    return [str(message) for message in client.get(answer.url).context["messages"]]


@pytest.fixture
def graded(course):
    """dave grades, and is in section A."""
    Membership.objects.filter(pk=member("dave").pk).update(role=Role.GRADER, section="A", first_name="Dave")
    return course


def by_others(**changes):
    Membership.objects.filter(pk=member("dave").pk).update(**changes)


@pytest.mark.parametrize(("address", "sent_of", "formset_of"), PAGES)
def test_open_page_does_not_undo_what_others_changed(graded, browser, address, sent_of, formset_of):
    alice = browser("alice")
    page = alice.get(address(graded))
    sent = sent_of(page)
    by_others(role=Role.STUDENT, section="B", first_name="David")
    sent[row_of(formset_of(page), "bob").add_prefix("section")] = "C"
    assert alice.post(address(graded), sent).status_code == 302
    dave = member("dave")
    assert (dave.role, dave.section, dave.first_name) == (Role.STUDENT, "B", "David")
    assert member("bob").section == "C"
    assert list(AuditEntry.objects.values_list("target", flat=True)) == ["bob"]


@pytest.mark.parametrize(("address", "sent_of", "formset_of"), PAGES)
def test_open_page_changes_of_a_member_what_was_changed_in_it_alone(graded, browser, address, sent_of, formset_of):
    alice = browser("alice")
    page = alice.get(address(graded))
    sent = sent_of(page)
    by_others(role=Role.STUDENT, first_name="David")
    sent[row_of(formset_of(page), "dave").add_prefix("section")] = "C"
    assert alice.post(address(graded), sent).status_code == 302
    dave = member("dave")
    assert (dave.role, dave.section, dave.first_name) == (Role.STUDENT, "C", "David")


def test_open_page_of_one_member_changes_what_was_changed_in_it_alone(graded, browser):
    alice = browser("alice")
    page = alice.get(member_page(member("dave")))
    sent = fields_of(page.context["adminform"].form)
    by_others(role=Role.STUDENT, section="B")
    assert alice.post(member_page(member("dave")), {**sent, "first_name": "David"}).status_code == 302
    dave = member("dave")
    assert (dave.role, dave.section, dave.first_name) == (Role.STUDENT, "B", "David")


def test_member_page_saved_untouched_writes_nothing(graded, browser):
    alice = browser("alice")
    sent = fields_of(alice.get(member_page(member("dave"))).context["adminform"].form)
    before = cast.everything()
    assert alice.post(member_page(member("dave")), sent).status_code == 302
    assert cast.everything() == before


def test_member_taken_off_meanwhile_does_not_keep_the_rest_of_the_course_from_being_saved(graded, browser):
    alice = browser("alice")
    page = alice.get(course_page(graded))
    sent = inline_as_sent(page)
    sent[row_of(of_course(page), "dave").add_prefix("section")] = "C"
    sent[row_of(of_course(page), "bob").add_prefix("section")] = "C"
    member("dave").delete()
    answer = alice.post(course_page(graded), sent)
    assert answer.status_code == 302
    assert any("was removed from the roster meanwhile" in message for message in told(answer, alice))
    assert member("bob").section == "C"
    assert not graded.memberships.filter(user__username="dave").exists()


def test_member_taken_off_meanwhile_is_told_on_the_list_and_nothing_is_saved(graded, browser):
    alice = browser("alice")
    page = alice.get(MEMBERS)
    sent = list_as_sent(page)
    sent[row_of(of_list(page), "bob").add_prefix("section")] = "C"
    member("dave").delete()
    before = cast.everything()
    answer = alice.post(MEMBERS, sent)
    assert answer.status_code == 302
    assert any("Nothing was saved" in message for message in told(answer, alice))
    assert cast.everything() == before


@pytest.mark.parametrize("number", ["9" * 30, "x", "", "-1", "1.5"])
def test_row_number_that_is_none_is_told_on_the_list(graded, browser, number):
    sent = {"_save": "Save", "form-TOTAL_FORMS": 1, "form-INITIAL_FORMS": 1, "form-0-id": number}
    before = cast.everything()
    assert browser("alice").post(MEMBERS, sent).status_code == 302
    assert cast.everything() == before


@pytest.mark.parametrize("action", ["remove", "make_students", "make_graders"])
def test_action_on_all_with_an_instructor_among_them_says_why_it_is_refused(graded, browser, action):
    alice = browser("alice")
    before = cast.everything()
    chosen = [one.pk for one in graded.memberships.all()]
    answer = alice.post(MEMBERS, {"action": action, "_selected_action": chosen})
    assert answer.status_code == 302
    assert told(answer, alice) == [f"As an instructor of {graded} you may not change instructors."]
    assert cast.everything() == before
