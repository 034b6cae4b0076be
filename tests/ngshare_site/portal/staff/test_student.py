"""The page of one student's attempts."""

import html
import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from courses.models import Membership
from exchange import receipts, services
from tests import cast
from tests.ngshare_site.portal.staff.conftest import words


def test_all_attempts_have_number_files_and_feedback(submission, names, browse, page):
    cast.return_feedback(submission, "alice")
    newer = cast.submit(submission.assignment, "bob", more=b"more")
    reply = browse("gina").get(page("student/bob"))
    said, text = words(reply), reply.content.decode()
    assert "Robert Li, ps1" in said and "bob@x.org" in said and "2 attempts, the newest first" in said
    assert text.index(f"/view/submission/{newer.pk}/") < text.index(f"/view/submission/{submission.pk}/")
    for each in (submission, newer):
        assert f"number {each.pk} {receipts.receipt(each)['code']}" in said
        assert f"/view/submission/{each.pk}/files.zip" in text and f"submissions.zip?attempt={each.pk}" in text
    assert f"/view/submission/{submission.pk}/#feedback" in text


def test_withdrawn_and_trial_attempts_are_marked(submission, browse, page):
    services.withdraw_submissions([submission], by=cast.actor("alice"))
    cast.submit(submission.assignment, "gina")
    assert "withdrawn submitted" in words(browse("alice").get(page("student/bob")))
    assert "trial submitted" in words(browse("alice").get(page("student/gina")))


def test_attempt_that_is_not_the_newest_says_so(submission, browse, page):
    newer, alice = cast.submit(submission.assignment, "bob", more=b"more"), browse("alice")
    assert words(alice.get(page("student/bob"))).count("submitted not the latest") == 1
    for each, count in ((submission, 1), (newer, 0)):
        assert words(alice.get(f"/view/submission/{each.pk}/")).count("not the latest") == count


def test_due_date_is_marked_and_late_days_are_counted(submission, browse, page):
    course, due = submission.assignment.course, submission.created - timedelta(hours=30)
    course.late_days = 5
    course.save()
    services.set_deadlines(submission.assignment, {"due": due}, by=cast.actor("alice"))
    assert "Late days 2 of 5 used" in words(browse("alice").get(page("student/bob")))
    grant = services.Grant("bob", due=due + timedelta(hours=1), reason="illness")
    services.grant_extensions(submission.assignment, [grant], by=cast.actor("alice"))
    said = words(browse("alice").get(page("student/bob")))
    assert f"{due + timedelta(hours=1):%Y-%m-%d %H:%M} UTC extended illness" in said


def test_submission_leads_to_its_student_for_staff_alone(submission, browse, page):
    address = f"/view/submission/{submission.pk}/"
    reply = browse("gina").get(address)
    assert f'href="{page("student/bob")}"' in reply.content.decode() and "bob, submitted 20" in words(reply)
    assert "/student/" not in browse("bob").get(address).content.decode()


def test_who_has_not_submitted_or_has_left_has_a_page(submission, browse, page):
    assert "dave has not submitted." in words(browse("alice").get(page("student/dave")))
    Membership.objects.filter(user__username="bob").delete()
    assert "bob left the course" in words(browse("alice").get(page("student/bob")))


def test_odd_user_name_has_a_page(assignment, browse, page):
    cast.enrol(assignment.course, "a/b c?&é", "student")
    cast.submit(assignment, "a/b c?&é")
    alice = browse("alice")
    address = html.unescape(re.search('"([^"]*/student/a/[^"]*)"', alice.get(page()).content.decode())[1])
    assert "1 attempt," in words(alice.get(address))


@pytest.mark.parametrize(
    ("who", "student", "status"),
    [("root", "bob", 200), ("bob", "bob", 404), ("carol", "bob", 404), ("alice", "carol", 404), ("alice", "no", 404)],
)
def test_page_is_for_staff_and_of_those_who_belong_here(submission, browse, page, who, student, status):
    assert browse(who).get(page(f"student/{student}")).status_code == status


def test_it_asks_the_same_of_many_attempts(submission, browse, page):
    alice, asked = browse("alice"), []
    for count in (1, 10):
        for number in range(count):
            cast.return_feedback(cast.submit(submission.assignment, "bob", more=b"%d %d" % (count, number)), "alice")
        with CaptureQueriesContext(connection) as captured:
            words(alice.get(page("student/bob")))
        asked.append(len(captured))
    assert asked[0] == asked[1]
