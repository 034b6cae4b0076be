"""The rules about deadlines on a course's page."""

from datetime import timedelta

import pytest

from exchange import services
from tests import cast
from tests.cast import everything
from tests.courses.admin.posting import course_page, fields_of, inline_as_sent


def as_sent(answer):
    form = answer.context["adminform"].form
    return {"_save": "Save", **fields_of(form), **inline_as_sent(answer)}


def test_instructor_sets_time_zone_and_rules(course, browser):
    alice = browser("alice")
    page = alice.get(course_page(course))
    assert "The site’s (UTC)" in page.content.decode()
    sent = as_sent(page) | {"timezone": "Europe/Berlin", "late_days": "5", "min_days": "7"}
    assert alice.post(course_page(course), sent).status_code == 302
    course.refresh_from_db()
    assert (course.timezone, course.late_days, course.min_days) == ("Europe/Berlin", 5, 7)
    assert "Times are in Europe/Berlin." in alice.get(course_page(course)).content.decode()


def test_old_name_of_a_time_zone_that_was_set_elsewhere_stays(course, browser):
    course.timezone = "US/Eastern"
    course.save()
    alice = browser("alice")
    page = alice.get(course_page(course))
    assert '<option value="US/Eastern" selected>' in page.content.decode()
    assert alice.post(course_page(course), as_sent(page) | {"late_days": "2"}).status_code == 302
    course.refresh_from_db()
    assert (course.timezone, course.late_days) == ("US/Eastern", 2)


def test_unknown_time_zone_is_said_on_the_form(course, browser):
    alice, before = browser("alice"), everything()
    answer = alice.post(course_page(course), as_sent(alice.get(course_page(course))) | {"timezone": "Mars/Base"})
    assert answer.status_code == 200 and "Select a valid choice" in answer.content.decode()
    assert everything() == before


@pytest.mark.parametrize("who", ["gina", "bob", "carol"])
def test_others_change_no_rule(course, browser, who):
    sent, before = as_sent(browser("alice").get(course_page(course))), everything()
    browser(who).post(course_page(course), sent | {"timezone": "Europe/Berlin", "min_days": "7"})
    assert everything() == before


def test_rule_for_late_registrants_shows_first_whose_state_changes(course, submission, assignment, browser):
    services.set_due_date(assignment, submission.created - timedelta(seconds=1), by=cast.actor("alice"))
    alice = browser("alice")
    sent, before = as_sent(alice.get(course_page(course))) | {"min_days": "7"}, everything()
    shown = alice.post(course_page(course), sent)
    assert "bob in ps1: late → submitted" in shown.content.decode()
    assert everything() == before
    assert alice.post(course_page(course), sent | {"seen": shown.context["preview"].digest}).status_code == 302
    course.refresh_from_db()
    assert course.min_days == 7
