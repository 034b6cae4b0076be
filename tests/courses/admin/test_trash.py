"""The trash, and deleting permanently: asked for, counted, typed, all or nothing."""

import pytest
from django.test import Client

from courses import services as course_services
from courses.models import AuditEntry, Course, Membership
from exchange import services
from exchange.models import Assignment, Blob, Feedback, Submission
from tests import cast
from tests.cast import COURSE, ELSEWHERE, actor, everything, person, return_feedback, submit

LIST = "/admin/courses/course/"
KINDS = {Course: LIST, Assignment: "/admin/exchange/assignment/", Submission: "/admin/exchange/submission/"}


def choose(browser, action, *chosen, address=LIST, **more):
    rows = [one.pk for one in chosen]
    answer = browser.post(address, {"action": action, "_selected_action": rows, **more}, follow=True)
    return answer.status_code, answer.content.decode()


@pytest.fixture
def root(course, browser):
    return browser("root")


@pytest.fixture
def both(course):
    return list(Course.objects.order_by("pk"))


def in_bin():
    return set(Course.objects.exclude(removed_at=None).values_list("name", flat=True))


def remove(*courses):
    for one in courses:
        course_services.trash_course(one, by=actor("root"))
        one.refresh_from_db()


# Trash and restore


def test_moving_to_the_trash_is_asked_first(root, both):
    before = everything()
    _, text = choose(root, "move_to_trash", *both)
    assert "Everything in them is kept." in text and COURSE in text and ELSEWHERE in text
    assert everything() == before
    _, text = choose(root, "move_to_trash", *both, confirmed="yes")
    assert "2 courses were moved to the trash." in text and in_bin() == {COURSE, ELSEWHERE}
    assert Membership.objects.count() == 5


def test_course_in_the_trash_is_seen_by_administrators_alone(root, both, settings):
    settings.NGSHARE_STANDALONE = True
    alice = Client()
    alice.force_login(person("alice"))
    assert COURSE in alice.get(LIST).content.decode()
    remove(*both)
    assert alice.get(LIST).status_code == 302
    assert cast.client("alice").get(cast.v2("courses", COURSE)).status_code == 404
    assert cast.client("bob").get(cast.v2("courses")).json()["results"] == []
    assert COURSE in root.get(LIST).content.decode()


def test_taking_out_brings_everything_back(root, both):
    before = everything()
    remove(*both)
    _, text = choose(root, "restore", *both)
    assert "2 courses were restored." in text
    after = everything()
    assert {**after, "AuditEntry": []} == {**before, "AuditEntry": []}
    actions = [entry.action for entry in AuditEntry.objects.order_by("pk")]
    assert actions == ["trash course"] * 2 + ["restore course"] * 2


def test_one_course_that_cannot_come_back_keeps_all_in_the_trash(root, both):
    remove(*both)
    Course.objects.create(name=COURSE)  # the last of the list
    before = everything()
    _, text = choose(root, "restore", *both)
    assert f"There is another course {COURSE} by now." in text
    assert everything() == before


def test_two_courses_of_one_name_do_not_come_back_together(root, course):
    remove(course)
    again = Course.objects.create(name=COURSE)
    remove(again)
    before = everything()
    choose(root, "restore", course, again)
    assert everything() == before
    choose(root, "restore", course)
    assert list(Course.objects.present().filter(name=COURSE)) == [course]


def test_what_is_there_already_is_not_done_again_nor_logged(root, course):
    before = everything()
    course_services.restore_course(course, by=actor("root"))
    choose(root, "restore", course)
    assert everything() == before
    remove(course)
    before = everything()
    course_services.trash_course(course, by=actor("root"))
    choose(root, "move_to_trash", course, confirmed="yes")
    assert everything() == before


@pytest.mark.parametrize("action", ["move_to_trash", "restore", "delete_permanently"])
@pytest.mark.parametrize("who", ["alice", "gina", "bob", "carol", "erin"])
def test_actions_are_for_administrators(submission, browser, action, who):
    course = submission.assignment.course
    if action != "move_to_trash":
        Course.objects.filter(pk=course.pk).update(removed_at=course.created)
    before = everything()
    choose(browser(who), action, course, confirmed="yes", phrase=COURSE)
    assert everything() == before


# Delete permanently


@pytest.fixture
def full(assignment):
    """NBG 101 with a submission of bob, one of dave, and feedback on the first."""
    return_feedback(submit(assignment, "bob"), "gina")
    submit(assignment, "dave")
    return assignment.course


def test_permanent_deletion_is_counted_and_asks_for_the_name(root, full):
    remove(full)
    before = everything()
    _, text = choose(root, "delete_permanently", full)
    for line in ("Submissions: 2", "Feedback: 1", "Members: 4", "Assignments: 1", "Releases: 1", "Courses: 1"):
        assert f"<li>{line}</li>" in text
    assert "This cannot be undone" in text and f"To go on, type: {COURSE}" in text
    for phrase in ("", "yes", COURSE.lower(), f"{COURSE}!"):
        _, text = choose(root, "delete_permanently", full, confirmed="yes", phrase=phrase)
        assert f"Type exactly: {COURSE}" in text
    assert everything() == before
    _, text = choose(root, "delete_permanently", full, confirmed="yes", phrase=COURSE)
    assert "1 course was deleted permanently." in text
    assert not Course.objects.filter(name=COURSE).exists() and not Submission.objects.exists()
    assert Course.objects.filter(name=ELSEWHERE).exists() and Blob.objects.exists()
    entry = AuditEntry.objects.first()
    assert (entry.action, entry.actor, entry.role, entry.course) == (
        "delete course permanently",
        "root",
        "administrator",
        COURSE,
    )
    assert entry.details["pk"] == full.pk and entry.details["deleted"]["submissions"] == 2


def test_many_want_their_number_typed_and_go_together(root, both):
    remove(*both)
    _, text = choose(root, "delete_permanently", *both, confirmed="yes", phrase=COURSE)
    assert "Type exactly: delete 2 courses" in text and Course.objects.count() == 2
    choose(root, "delete_permanently", *both, confirmed="yes", phrase="delete 2 courses")
    assert not Course.objects.exists()
    assert AuditEntry.objects.filter(action="delete course permanently").count() == 2


def test_only_what_is_in_the_trash_goes(root, both):
    before = everything()
    _, text = choose(root, "delete_permanently", *both, confirmed="yes", phrase="delete 2 courses")
    assert "Only what is in the trash or unreleased can be deleted permanently." in text
    assert everything() == before
    remove(both[0])
    choose(root, "delete_permanently", *both, confirmed="yes", phrase=both[0].name)
    assert list(Course.objects.all()) == [both[1]]


def test_looking_at_it_or_another_sites_form_deletes_nothing(root, course):
    remove(course)
    before = everything()
    form = {"action": "delete_permanently", "_selected_action": [course.pk], "confirmed": "yes", "phrase": COURSE}
    root.get(LIST, form)
    foreign = Client(enforce_csrf_checks=True)
    foreign.force_login(person("root"))
    assert foreign.post(LIST, form).status_code == 403
    assert everything() == before


def test_hand_ins_and_assignments_are_deleted_from_their_bins(root, full):
    person("alice")
    assignment = full.assignments.get()
    mine = Submission.objects.get(student__username="bob")
    services.withdraw_submissions([mine], by=actor("alice"))
    mine.refresh_from_db()
    choose(root, "delete_permanently", mine, address=KINDS[Submission], confirmed="yes", phrase=str(mine))
    assert Submission.objects.get().student.username == "dave" and not Feedback.objects.exists()
    entry = AuditEntry.objects.first()
    assert entry.details["student"] == "bob" and "bob" not in entry.target and entry.course == COURSE
    services.unrelease(assignment, by=actor("alice"))
    choose(root, "delete_permanently", assignment, address=KINDS[Assignment], confirmed="yes", phrase=str(assignment))
    assert not Assignment.objects.exists() and not Submission.objects.exists()
    assert AuditEntry.objects.first().action == "delete assignment permanently"


@pytest.mark.parametrize(("who", "is_offered"), [("alice", False), ("gina", False), ("root", True)])
def test_actions_are_offered_to_administrators_alone(course, browser, who, is_offered):
    page = browser(who).get(LIST).content.decode()
    for action in ("move_to_trash", "restore", "delete_permanently"):
        assert (f'value="{action}"' in page) is is_offered, action
