"""From the roster: an extension for the members that were chosen."""

from datetime import timedelta

import pytest
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME

from courses.models import Course, Membership, User
from exchange import services
from exchange.models import Extension
from tests import cast
from tests.cast import everything

ROSTER = "/admin/courses/membership/"


@pytest.fixture(autouse=True)
def late(submission, assignment):
    services.set_due_date(assignment, submission.created - timedelta(hours=1), by=cast.actor("alice"))


def chosen(*usernames, **values):
    pks = Membership.objects.filter(user__username__in=usernames).values_list("pk", flat=True)
    return {"action": "extend", ACTION_CHECKBOX_NAME: [str(pk) for pk in pks], **values}


def extension(assignment, **values):
    due = {
        "due_0": "2040-01-01",
        "due_1": "12:00",
        "cut_off_0": "",
        "cut_off_1": "",
        "attempts": "",
        "reason": "strike",
    }
    return {"confirmed": "yes", "assignment": assignment.pk, **due, **values}


def test_chosen_members_are_extended_after_their_states_were_shown(assignment, browser):
    alice, before = browser("alice"), everything()
    asked = alice.post(ROSTER, chosen("bob", "dave"))
    assert asked.status_code == 200 and 'name="due_0"' in asked.content.decode()
    assert "DateTimeShortcuts.js" in asked.content.decode() and "/admin/jsi18n/" in asked.content.decode()
    shown = alice.post(ROSTER, chosen("bob", "dave", **extension(assignment)))
    assert shown.status_code == 200 and "bob: late → submitted" in shown.content.decode()
    assert everything() == before
    seen = shown.context["preview"].digest
    assert alice.post(ROSTER, chosen("bob", "dave", **extension(assignment), seen=seen)).status_code == 302
    granted = set(assignment.extensions.values_list("user__username", "reason"))
    assert granted == {("bob", "strike"), ("dave", "strike")}


def test_course_without_assignments_is_said_to_have_none(browser):
    empty = Course.objects.create(name="Empty")
    Membership.objects.create(course=empty, user=User.objects.create(username="zoe"), role="student")
    assert "This course has no assignment yet." in browser("root").post(ROSTER, chosen("zoe")).content.decode()


def test_extension_that_alters_no_state_is_granted_at_once(assignment, browser):
    assert browser("alice").post(ROSTER, chosen("dave", **extension(assignment))).status_code == 302
    assert assignment.extensions.get().user == cast.person("dave")


def test_time_that_is_none_is_said_on_the_form(assignment, browser):
    before = everything()
    answer = browser("alice").post(ROSTER, chosen("dave", **extension(assignment, due_1="noon")))
    assert answer.status_code == 200 and "Enter a valid time." in answer.content.decode()
    assert everything() == before


@pytest.mark.parametrize("who", ["gina", "carol", "bob"])
def test_those_who_may_not_extend_have_no_such_action(assignment, browser, who):
    before = everything()
    browser(who).post(ROSTER, chosen("dave", **extension(assignment)))
    assert everything() == before
    assert b"Extend an assignment" not in browser("gina").get(ROSTER).content


def test_grader_extends_where_the_setting_says_so(assignment, browser, settings):
    settings.NGSHARE_GRADERS_MAY_EXTEND = True
    assert browser("gina").post(ROSTER, chosen("dave", **extension(assignment))).status_code == 302
    assert Extension.objects.get().granted_by == cast.person("gina")


def test_members_of_two_courses_are_refused(assignment, browser):
    before = everything()
    answer = browser("root").post(ROSTER, chosen("dave", "carol", **extension(assignment)), follow=True)
    assert "Choose members of one course." in answer.content.decode()
    assert everything() == before
