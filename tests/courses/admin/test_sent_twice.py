"""A form that is sent twice, by a double click or after Back, does its work once, and nobody reads of an error."""

import pytest

from courses.models import Course, Membership, User
from exchange import services
from exchange.models import Assignment, Submission
from tests import cast
from tests.courses.admin.posting import MEMBERS, course_page, inline_as_sent, member, member_page, new_row

COURSES = "/admin/courses/course/"
FAULTS = ("errornote", "errorlist", '<li class="error">', '<li class="warning">')
ADDED = {"role": "student", "first_name": "Frank", "last_name": "F", "email": "", "section": "A"}


@pytest.fixture
def twice(browser):
    """Posts a form twice. The second one changes nothing; gives what the page after it says."""

    def send(who, address, fields):
        client = browser(who)
        assert client.post(address, fields).status_code == 302
        client.get("/admin/")  # where the message of the first is read
        before, people = cast.everything(), User.objects.count()
        page = client.post(address, fields, follow=True)
        assert page.status_code == 200
        text = page.content.decode()
        assert not [fault for fault in FAULTS if fault in text], text[text.find("<main") :]
        assert (cast.everything(), User.objects.count()) == (before, people)
        return [str(message) for message in page.context["messages"]]

    return send


def chosen(action, *rows, **more):
    return {"action": action, "_selected_action": [row.pk for row in rows], **more}


def test_member_is_added_once(course, twice):
    fields = {"course": course.pk, "username": "frank", **ADDED}
    (said,) = twice("alice", f"{MEMBERS}add/", fields)
    assert "was added" in said and member("frank").last_name == "F"


def test_member_of_other_names_is_still_told_to_be_one_already(course, browser):
    fields = {"course": course.pk, "username": "bob", **ADDED}
    before = cast.everything()
    assert "is a member of the course already" in browser("alice").post(f"{MEMBERS}add/", fields).content.decode()
    assert cast.everything() == before


def test_members_are_added_and_removed_on_the_page_of_a_course_once(course, browser, twice):
    sent = inline_as_sent(browser("alice").get(course_page(course)))
    number = int(sent["memberships-TOTAL_FORMS"])
    gone = next(name for name, value in sent.items() if name.endswith("-id") and value == member("dave").pk)
    sent |= {"memberships-TOTAL_FORMS": number + 1, **new_row(number, username="frank", section="A")}
    sent[gone.replace("-id", "-DELETE")] = "on"
    twice("alice", course_page(course), sent)
    assert member("frank").section == "A" and not Membership.objects.filter(user__username="dave").exists()


def test_member_is_removed_once(course, twice):
    (said,) = twice("alice", f"{member_page(member('bob')).replace('change', 'delete')}", {"post": "yes"})
    assert said == "They are not on the roster any more."
    (said,) = twice("alice", MEMBERS, chosen("remove", member("dave"), confirmed="yes"))
    assert said == "They are not on the roster any more."


def test_course_is_created_once(course, twice):
    (said,) = twice("root", f"{COURSES}add/", {"name": "New 1", "instructors": "alice, carol\nalice"})
    assert said == "The course New 1 was created."
    assert Course.objects.filter(name="New 1").count() == 1


def test_course_of_a_name_that_is_taken_is_refused(course, browser):
    before = cast.everything()
    page = browser("root").post(f"{COURSES}add/", {"name": cast.COURSE, "instructors": "alice"})
    assert "There is a course of this name already" in page.content.decode()
    assert cast.everything() == before


def test_course_goes_to_the_trash_comes_back_and_is_deleted_once(course, twice):
    trash = chosen("move_to_trash", course, confirmed="yes")
    assert twice("root", COURSES, trash) == ["What you chose is in the trash already."]
    assert twice("root", COURSES, chosen("restore", course)) == ["What you chose is not in the trash."]
    twice("root", COURSES, trash)
    deletion = chosen("delete_permanently", course, confirmed="yes", phrase=f"{course} (in the trash)")
    course.refresh_from_db()
    deletion["phrase"] = str(course)
    assert twice("root", COURSES, deletion) == ["What you chose is deleted already."]


def test_roles_are_given_once(course, twice):
    assert twice("root", MEMBERS, chosen("make_graders", member("bob"))) == ["Whom you chose are graders already."]


def test_submissions_and_assignments_are_hidden_and_shown_once(submission, twice):
    address, other = "/admin/exchange/submission/", "/admin/exchange/assignment/"
    twice("alice", address, chosen("move_to_trash", submission))
    twice("alice", address, chosen("restore", submission))
    assert not Submission.objects.exclude(withdrawn_at=None).exists()
    assert twice("alice", other, chosen("unrelease", submission.assignment)) == [
        "What you chose is unreleased already."
    ]
    assert twice("alice", other, chosen("restore", submission.assignment)) == ["What you chose is released already."]
    services.unrelease(submission.assignment, by=cast.actor("alice"))
    deletion = chosen("delete_permanently", submission.assignment, confirmed="yes", phrase=str(submission.assignment))
    twice("root", other, deletion)
    assert not Assignment.objects.exists()


@pytest.mark.parametrize(
    ("act", "fields"),
    [("rename", {"new": "robert"}), ("merge", {"into": "dave"}), ("deactivate", {}), ("anonymise", {})],
)
def test_people_are_changed_once(course, twice, act, fields):
    (said,) = twice("root", f"/admin/courses/user/{cast.person('bob').pk}/act/{act}/", {**fields, "confirmed": "yes"})
    assert said


def test_account_that_never_was_is_not_found(course, browser):
    assert browser("root").post("/admin/courses/user/9999/act/merge/", {"into": "bob"}).status_code == 404
