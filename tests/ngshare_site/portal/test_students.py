"""What is due next, the newest feedback, and the history."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from courses import services as course_services
from courses.models import Course
from courses.permissions import SERVER
from exchange import services, short_codes
from exchange.models import Submission
from ngshare_site.portal import students
from tests import cast
from tests.cast import COURSE, actor

HISTORY = "/view/history/"


def text_of(browser, address="/"):
    reply = browser.get(address)
    assert reply.status_code == 200
    return reply.content.decode()


def release(course, name, **deadlines):
    made = services.release(course, name, cast.upload(cast.PS1), by=actor("alice")).assignment
    services.set_deadlines(made, deadlines, by=actor("alice"))
    return made


def due_of(browser):
    return [(item.own.assignment.name, item.is_overdue) for item in browser.get("/").context["due"]]


@pytest.fixture
def now():
    return timezone.now()


# What is due next


def test_due_next_is_what_can_still_be_submitted_by_its_due_date(course, browse, now):
    hour = timedelta(hours=1)
    release(course, "later", due=now + 50 * hour)
    release(course, "soon", due=now + 3.5 * hour)
    release(course, "overdue", due=now - 2.5 * hour)
    release(course, "closed", due=now - 2 * hour, cut_off=now - hour)
    release(course, "to come", release_at=now + hour, due=now + 2 * hour)
    release(course, "without")
    cast.submit(release(course, "done", due=now + hour), "bob")
    services.unrelease(release(course, "unreleased", due=now + hour), by=actor("alice"))
    assert due_of(browse("bob")) == [("overdue", True), ("soon", False), ("later", False)]
    text = text_of(browse("bob"))
    assert "in 3 hours" in text and "2 hours ago" in text and "in 2 days" in text
    assert text.count(">overdue</span>") == 1 and f"/view/course/{COURSE.replace(' ', '%20')}/soon/submit/" in text


def test_extension_counts_and_its_note_is_for_staff(course, browse, now):
    ps1 = release(course, "ps1", due=now - timedelta(hours=5))
    grant = services.Grant(student="bob", due=now + timedelta(hours=5), reason="a private reason")
    services.grant_extensions(ps1, [grant], by=actor("alice"))
    assert due_of(browse("bob")) == [("ps1", False)] and due_of(browse("dave")) == [("ps1", True)]
    text = text_of(browse("bob"))
    assert ">extended</span>" in text and "private" not in text


def test_staff_have_nothing_due(course, browse, now):
    release(course, "ps1", due=now + timedelta(hours=5))
    assert due_of(browse("alice")) == [] and "Due next" not in text_of(browse("alice"))


def test_nothing_due_is_said(submission, browse):
    assert "Nothing is due." in text_of(browse("bob"))


# The newest feedback


def test_newest_feedback_is_one_click_away(submission, browse):
    for _ in range(2):
        cast.return_feedback(submission, "alice")
    text = text_of(browse("bob"))
    assert text.count(f'href="/view/submission/{submission.pk}/#feedback"') == 1
    assert "Newest feedback" not in text_of(browse("dave"))


def test_feedback_that_is_shown_is_the_newest(assignment, browse, monkeypatch):
    monkeypatch.setattr(students, "FEEDBACK_SHOWN", 2)
    submissions = [cast.submit(assignment, "bob", more=b"%d" % number) for number in range(3)]
    for submission in reversed(submissions):
        cast.return_feedback(submission, "alice")
    shown = browse("bob").get("/").context["newest_feedback"]
    assert [each.submission_id for each in shown] == [submissions[0].pk, submissions[1].pk]


# The history


@pytest.mark.parametrize("who", ["dave", "alice", "erin"])
def test_history_is_one_click_away_also_for_who_has_submitted_nothing(assignment, browse, who):
    page = browse(who)
    home = page.get("/").content.decode()
    assert f'href="{HISTORY}"' in home and "Download everything you submitted" not in home
    assert "You have not submitted anything yet." in page.get(HISTORY).content.decode()


def test_history_has_every_attempt_the_newest_first(assignment, browse):
    first, second = (cast.submit(assignment, "bob", more=b"%d" % number) for number in range(2))
    services.withdraw_submissions([first], by=actor("alice"))
    cast.submit(assignment, "dave")
    bob = browse("bob")
    assert [each.pk for each, _ in bob.get(HISTORY).context["submissions"]] == [second.pk, first.pk]
    text = text_of(bob, HISTORY)
    assert ">withdrawn</span>" in text and short_codes.grouped(Submission.objects.get(pk=first.pk).code) in text


def test_history_comes_in_pages(assignment, browse, monkeypatch):
    monkeypatch.setattr(students, "HISTORY_PER_PAGE", 1)
    first, second = (cast.submit(assignment, "bob", more=b"%d" % number) for number in range(2))
    bob = browse("bob")
    assert "Submissions 1 to 1 of 2" in text_of(bob, HISTORY)
    assert [each.pk for each, _ in bob.get(f"{HISTORY}?page=2").context["submissions"]] == [first.pk]


def test_history_asks_the_same_whatever_there_is(submission, browse):
    def count(browser):
        with CaptureQueriesContext(connection) as captured:
            text_of(browser, HISTORY)
        return len(captured)

    bob = browse("bob")
    text_of(bob, HISTORY)
    few = count(bob)
    for number in range(4):
        course = Course.objects.create(name=f"Course {number}")
        cast.enrol(course, "alice", "instructor")
        cast.enrol(course, "bob", "student")
        made = services.release(course, "ps1", cast.upload(cast.PS1), by=actor("alice")).assignment
        cast.return_feedback(cast.submit(made, "bob"), "alice")
    course_services.trash_course(course, by=SERVER)
    assert count(browse("bob")) == few


def test_history_asks_for_a_log_in(client, db):
    assert client.get(HISTORY).status_code == 302
