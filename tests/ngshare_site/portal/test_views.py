"""The start page, and a submission with receipt, files and feedback."""

import io
import json
import zipfile

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from courses import services as course_services
from courses.models import Course, Membership
from courses.permissions import SERVER
from exchange import receipts, services
from exchange.progress import AssignmentCounts
from exchange.states import State
from tests import cast
from tests.cast import COURSE, actor, everything


def page(submission, name=""):
    return f"/view/submission/{submission.pk}/{name}"


@pytest.fixture
def feedback(submission):
    return cast.return_feedback(submission, "alice")


def text_of(browser, address="/"):
    reply = browser.get(address)
    assert reply.status_code == 200
    return reply.content.decode()


# The start page


def test_student_sees_their_courses_and_progress(submission, feedback, browse):
    text = text_of(browse("bob"))
    assert COURSE in text and ">feedback returned</span>" in text and "read it" in text and cast.ELSEWHERE not in text


def test_student_who_has_not_submitted_is_told_so(submission, browse):
    assert "not submitted" in text_of(browse("dave"))


def test_administrator_who_takes_a_course_sees_their_own_progress(submission, browse):
    cast.enrol(submission.assignment.course, "root", "student")
    text = text_of(browse("root"))
    assert ">not submitted</span>" in text and ">submitted</span>" not in text


def test_staff_see_counts(submission, browse):
    assert "1 of 2" in text_of(browse("gina"))


@pytest.mark.parametrize(("who", "shown"), [("bob", True), ("dave", True), ("gina", False), ("alice", False)])
def test_own_work_is_a_button_for_students_and_who_submitted(submission, browse, who, shown):
    button = 'class="button" href="/view/history/"'
    assert (button in text_of(browse(who))) is shown
    cast.submit(submission.assignment, "gina")
    assert button in text_of(browse("gina"))


@pytest.mark.parametrize(("who", "shown"), [("bob", True), ("dave", False), ("gina", True), ("alice", True)])
def test_unreleased_assignment_is_listed_for_staff_and_who_submitted(submission, browse, who, shown):
    services.unrelease(submission.assignment, by=actor("alice"))
    text = text_of(browse(who))
    assert ("ps1" in text) is shown and ("unreleased" in text) is shown


def test_stranger_is_told_who_they_are(course, browse):
    assert "not a member of any course" in text_of(browse("erin"))


@pytest.mark.parametrize(("who", "shown"), [("bob", False), ("erin", False), ("gina", True), ("root", True)])
def test_link_to_the_admin_is_for_staff(course, browse, who, shown):
    assert ("/admin/" in text_of(browse(who))) is shown


@pytest.fixture(params=["left", "in the trash", "both"])
def closed(submission, feedback, request):
    """bob's submission to a course that he has left, or that is in the trash."""
    if request.param != "in the trash":
        course_services.remove_member(Membership.objects.get(user__username="bob"), by=SERVER)
    if request.param != "left":
        course_services.trash_course(submission.assignment.course, by=SERVER)
    return submission


def test_course_in_the_trash_is_gone_for_who_did_not_submit(submission, browse):
    course_services.trash_course(submission.assignment.course, by=SERVER)
    for who in ("dave", "gina", "alice"):
        assert COURSE not in text_of(browse(who))


def test_student_finds_earlier_work_with_receipt_files_and_feedback(closed, feedback, browse):
    bob = browse("bob")
    assert 'href="/view/history/"' in text_of(bob)
    text = text_of(bob, "/view/history/")
    assert COURSE in text and ">feedback returned</span>" in text and page(closed) in text
    is_in_trash = Course.objects.get(name=COURSE).removed_at is not None
    assert (">in the trash</span>" in text) is is_in_trash and (">left</span>" in text) is not is_in_trash
    address = f"/view/assignment/{closed.assignment.pk}/"
    assert address in text and f"/view/submission/{closed.pk}/" in text_of(bob, address)
    assert "stays yours to read" in text_of(bob, address)
    assert address in text_of(bob, page(closed))
    for name in ("receipt.json", "files.zip", "feedback/ps1.html"):
        assert bob.get(page(closed, name)).status_code == 200
    # The address that it had while the course was open, which a bookmark may have.
    assert f"/view/submission/{closed.pk}/" in text_of(bob, f"/view/course/{COURSE}/ps1/")


@pytest.mark.parametrize("who", ["dave", "carol", "erin"])
def test_earlier_work_is_nobody_elses(closed, feedback, browse, who):
    other = browse(who)
    assert "You have not submitted anything yet" in text_of(other, "/view/history/")
    for address in (
        f"/view/assignment/{closed.assignment.pk}/",
        *(page(closed, name) for name in ("", "receipt.json")),
    ):
        assert other.get(address).status_code == 404


@pytest.mark.parametrize(("who", "status"), [("gina", 404), ("alice", 404), ("root", 404)])
def test_staff_see_nothing_of_a_course_in_the_trash(submission, browse, who, status):
    course_services.trash_course(submission.assignment.course, by=SERVER)
    browser = browse(who)
    for address in (
        page(submission),
        page(submission, "receipt.json"),
        f"/view/assignment/{submission.assignment.pk}/",
    ):
        assert browser.get(address).status_code == status


def test_new_course_of_the_same_name_is_another_one(submission, browse):
    course_services.trash_course(submission.assignment.course, by=SERVER)
    course = Course.objects.create(name=COURSE)
    cast.enrol(course, "alice", "instructor")
    cast.enrol(course, "bob", "student")
    again = services.release(course, "ps1", cast.upload(cast.PS1), by=actor("alice")).assignment
    bob = browse("bob")
    text = text_of(bob, f"/view/course/{COURSE}/ps1/")
    assert "You have not submitted yet" in text and bob.get(f"/view/assignment/{again.pk}/").status_code == 404
    assert f"/view/submission/{submission.pk}/" in text_of(bob, f"/view/assignment/{submission.assignment.pk}/")


def test_withdrawn_submission_is_still_found_by_its_student(submission, browse):
    services.withdraw_submissions([submission], by=actor("alice"))
    services.unrelease(submission.assignment, by=actor("alice"))
    bob = browse("bob")
    assert "ps1" in text_of(bob) and ">withdrawn</span>" in text_of(bob, f"/view/course/{COURSE}/ps1/")


def test_start_page_counts_in_the_database(submission, feedback, browse):
    """Whatever there is, it asks the same questions, and none for the submissions themselves."""
    asked = {}
    for size in (0, 5):
        for number in range(size):
            course = Course.objects.create(name=f"Course {number}")
            cast.enrol(course, "alice", "instructor")
            cast.enrol(course, "bob", "student")
            made = services.release(course, "ps1", cast.upload(cast.PS1), by=actor("alice")).assignment
            for username in ("bob", "bob"):
                cast.return_feedback(cast.submit(made, username), "alice")
        for who in ("alice", "bob"):
            someone = browse(who)
            text_of(someone)
            with CaptureQueriesContext(connection) as captured:
                text_of(someone)
            asked.setdefault(who, []).append(len(captured))
            about = [query["sql"] for query in captured if 'FROM "exchange_submission"' in query["sql"]]
            assert about and not [sql for sql in about if "idempotency_key" in sql]
    assert all(few == many for few, many in asked.values()), asked


def test_start_page_counts_members_once_for_each_assignment(assignment, browse):
    first = cast.submit(assignment, "bob")
    last = cast.submit(assignment, "bob", more=b"more")
    cast.submit(assignment, "dave")
    cast.submit(assignment, "gina")
    cast.return_feedback(first, "alice")
    services.mark_collected([first, last], by=actor("alice"))
    services.set_due_date(assignment, first.created, by=actor("alice"))
    (section,) = browse("alice").get("/").context["courses"]
    (row,) = section.rows
    assert row.counts == AssignmentCounts(students=2, submitted=2, late=2, not_collected=1, collected=1)
    own = browse("bob").get("/").context["courses"][0].rows[0].own
    assert (own.attempts, own.last, own.late, own.state) == (2, last.created, True, State.COLLECTED)


def test_many_courses_come_in_pages(course, browse, monkeypatch):
    monkeypatch.setattr("ngshare_site.portal.views.COURSES_PER_PAGE", 2)
    assert "Next" not in text_of(browse("alice"))
    for name in ("A", "B"):
        cast.enrol(Course.objects.create(name=name), "alice", "grader")
    alice = browse("alice")
    assert [section.course.name for section in alice.get("/").context["courses"]] == ["A", "B"]
    assert "Courses 1 to 2 of 3" in text_of(alice) and 'href="?page=2"' in text_of(alice)
    assert [section.course.name for section in alice.get("/?page=2").context["courses"]] == [cast.COURSE]


# A submission


@pytest.mark.parametrize("name", ["", "receipt.json", "files.zip", "feedback/ps1.html"])
@pytest.mark.parametrize(
    ("who", "status"),
    [("bob", 200), ("gina", 200), ("alice", 200), ("root", 200), ("dave", 404), ("carol", 404), ("erin", 404)],
)
def test_submission_is_for_its_student_and_staff(submission, feedback, browse, who, status, name):
    before = everything()
    reply = browse(who).get(page(submission, name))
    assert reply.status_code == status and everything() == before


def test_staff_open_withdrawn_submissions_and_trials(submission, browse):
    trial = cast.submit(submission.assignment, "gina")
    services.withdraw_submissions([submission], by=actor("alice"))
    alice = browse("alice")
    assert [alice.get(page(opened)).status_code for opened in (submission, trial)] == [200, 200]
    assert browse("bob").get(page(submission)).status_code == 200


@pytest.mark.parametrize("name", ["", "receipt.json", "files.zip", "feedback/ps1.html"])
def test_submission_asks_for_a_log_in(submission, feedback, client, name):
    assert client.get(page(submission, name)).status_code == 302


def test_student_keeps_their_submission_after_leaving_and_unreleasing(submission, browse):
    services.unrelease(submission.assignment, by=actor("alice"))
    course_services.remove_member(Membership.objects.get(user__username="bob"), by=SERVER)
    assert "Receipt" in text_of(browse("bob"), page(submission))


def test_page_shows_the_receipt_that_verifies(submission, browse):
    bob = browse("bob")
    receipt = json.loads(text_of(bob, page(submission, "receipt.json")))
    assert receipts.verify(receipt).valid and receipt["signature"] in text_of(bob, page(submission))
    assert f"receipt-{submission.pk}.json" in bob.get(page(submission, "receipt.json")).headers["Content-Disposition"]


def test_files_come_as_a_zip(submission, browse):
    reply = browse("bob").get(page(submission, "files.zip"))
    with zipfile.ZipFile(io.BytesIO(b"".join(reply.streaming_content))) as archive:
        assert archive.read("ps1/ps1.ipynb") == b'{"cells": ["42"]}'
    name = f"ps1-bob-{submission.created:%Y%m%d-%H%M%S}.zip"
    assert name in reply.headers["Content-Disposition"] and "attachment" in reply.headers["Content-Disposition"]


def test_earlier_attempt_with_feedback_still_says_so(submission, feedback, browse):
    cast.submit(submission.assignment, "bob")
    assert "read it" in text_of(browse("bob"))


@pytest.mark.parametrize("path", ["other.html", "../ps1.html", "ps1.ipynb"])
def test_feedback_that_does_not_exist_is_a_404(submission, feedback, browse, path):
    assert browse("bob").get(page(submission, f"feedback/{path}")).status_code == 404


def test_submission_without_feedback_has_none(submission, browse):
    bob = browse("bob")
    assert "There is none yet." in text_of(bob, page(submission))
    assert bob.get(page(submission, "feedback/ps1.html")).status_code == 404
