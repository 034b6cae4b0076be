"""The list of members in the admin, and the page of one member."""

import csv
import io

import pytest

from courses.models import AuditEntry, Course, Membership, Role
from tests import cast
from tests.courses.admin.posting import MEMBERS, list_as_sent, member, member_page, row_of

# The list of members


def test_list_edit_changes_what_was_changed_and_nothing_else(course, browser):
    alice = browser("alice")
    page = alice.get(MEMBERS)
    formset = page.context["cl"].formset
    sent = list_as_sent(page)
    sent[row_of(formset, "bob").add_prefix("role")] = "grader"
    sent[row_of(formset, "dave").add_prefix("section")] = "B"
    assert alice.post(MEMBERS, sent).status_code == 302
    assert member("bob").role == Role.GRADER and member("dave").section == "B"
    assert member("dave").first_name is None
    assert AuditEntry.objects.count() == 2


@pytest.mark.parametrize("role", ["instructor", "king", ""])
def test_list_edit_cannot_give_a_role_that_one_may_not_give(course, browser, role):
    alice = browser("alice")
    page = alice.get(MEMBERS)
    sent = list_as_sent(page)
    sent[row_of(page.context["cl"].formset, "bob").add_prefix("role")] = role
    before = cast.everything()
    assert alice.post(MEMBERS, sent).status_code == 200
    assert cast.everything() == before


def test_list_edit_of_a_foreign_row_changes_nothing(course, browser):
    alice = browser("alice")
    page = alice.get(MEMBERS)
    place = row_of(page.context["cl"].formset, "bob")
    forged = {place.add_prefix("id"): member("carol", cast.ELSEWHERE).pk, place.add_prefix("section"): "mine"}
    before = cast.everything()
    alice.post(MEMBERS, {**list_as_sent(page), **forged})
    assert cast.everything() == before


def test_instructor_of_two_courses_changes_each_by_their_role_there(course, browser):
    cast.enrol(Course.objects.get(name=cast.ELSEWHERE), "alice", Role.GRADER)
    cast.enrol(Course.objects.get(name=cast.ELSEWHERE), "bob", Role.STUDENT)
    alice = browser("alice")
    page = alice.get(MEMBERS)
    formset = page.context["cl"].formset
    elsewhere = next(form for form in formset.forms if form.instance == member("bob", cast.ELSEWHERE))
    assert elsewhere.fields["section"].disabled and elsewhere.fields["role"].disabled
    before = cast.everything()
    alice.post(MEMBERS, {**list_as_sent(page), elsewhere.add_prefix("section"): "mine"})
    assert cast.everything() == before


def test_section_filter_offers_the_sections_of_the_chosen_course_alone(course, browser):
    for username, section in (("bob", "Monday"), ("dave", "Tuesday")):
        Membership.objects.filter(pk=member(username).pk).update(section=section)
    elsewhere = Course.objects.get(name=cast.ELSEWHERE)
    for username, section in (("alice", "Evening"), ("erin", "Night")):
        cast.enrol(elsewhere, username, Role.INSTRUCTOR if username == "alice" else Role.STUDENT, section=section)
    alice = browser("alice")
    filters = {chosen: alice.get(f"{MEMBERS}?course={chosen}").content.decode() for chosen in (course.pk, elsewhere.pk)}
    assert "section=Monday" in filters[course.pk] and "section=Evening" not in filters[course.pk]
    assert "section=Evening" in filters[elsewhere.pk] and "section=Monday" not in filters[elsewhere.pk]
    assert "section=" not in alice.get(MEMBERS).content.decode()


# One member's page


def test_new_member_belongs_to_the_course_whose_roster_one_comes_from(course, browser):
    page = browser("alice").get(f"{MEMBERS}add/?_changelist_filters=course%3D{course.pk}")
    assert page.context["adminform"].form.initial["course"] == str(course.pk)


def test_member_is_added_on_a_page_of_its_own(course, browser):
    said = {"course": course.pk, "username": "eve", "role": "grader", "section": "A"}
    assert browser("alice").post(f"{MEMBERS}add/", said).status_code == 302
    assert (member("eve").role, member("eve").section) == (Role.GRADER, "A")


@pytest.mark.parametrize("who", ["alice", "gina", "bob"])
@pytest.mark.parametrize(
    "said", [{"course": "elsewhere"}, {"role": "instructor"}, {"course": ""}, {"course": "999999"}, {"course": "x"}]
)
def test_forged_new_member_changes_nothing(course, browser, who, said):
    said = {"course": course.pk, "username": "eve", "role": "student", **said}
    if said["course"] == "elsewhere":
        said["course"] = Course.objects.get(name=cast.ELSEWHERE).pk
    before = cast.everything()
    browser(who).post(f"{MEMBERS}add/", said)
    assert cast.everything() == before


def test_course_and_person_of_a_member_cannot_be_changed(course, browser):
    elsewhere = Course.objects.get(name=cast.ELSEWHERE)
    said = {"course": elsewhere.pk, "username": "erin", "user": cast.person("erin").pk, "role": "student"}
    browser("root").post(member_page(member("bob")), {**said, "first_name": "Bo"})
    assert member("bob").first_name == "Bo" and elsewhere.memberships.count() == 1


def test_administrator_makes_an_instructor(course, browser):
    assert browser("root").post(member_page(member("gina")), {"role": "instructor"}).status_code == 302
    assert member("gina").role == Role.INSTRUCTOR


@pytest.mark.parametrize("page", ["change", "delete"])
@pytest.mark.parametrize(("who", "whom"), [("gina", "bob"), ("bob", "dave"), ("carol", "bob"), ("erin", "bob")])
def test_whoever_may_not_changes_no_member(course, browser, page, who, whom):
    before = cast.everything()
    sent = {"role": "grader", "post": "yes"}
    answer = browser(who).post(f"{MEMBERS}{member(whom).pk}/{page}/", sent)
    assert answer.status_code == (403 if who == "gina" else 302)
    assert cast.everything() == before


def test_removed_member_keeps_what_they_submitted(submission, course, browser):
    student = submission.student.username
    assert browser("alice").post(f"{MEMBERS}{member(student).pk}/delete/", {"post": "yes"}).status_code == 302
    assert not course.memberships.filter(user__username=student).exists()
    submission.refresh_from_db()


def test_nobody_deletes_another_instructor_but_an_administrator(course, browser):
    cast.enrol(course, "erin", Role.INSTRUCTOR)
    address = f"{MEMBERS}{member('erin').pk}/delete/"
    assert browser("alice").post(address, {"post": "yes"}).status_code == 403
    assert member("erin")
    assert browser("root").post(address, {"post": "yes"}).status_code == 302
    assert not course.memberships.filter(user__username="erin").exists()


# As a file


FORMULAS = {"first_name": "=1+1", "last_name": "@SUM(A1)", "email": "+1", "section": "-1"}


def rows_of(answer):
    assert answer.status_code == 200
    return list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode("utf-8-sig"))))


@pytest.mark.parametrize("source", ["the list", "the course"])
def test_no_cell_of_a_downloaded_roster_is_a_formula(course, browser, source):
    cast.enrol(course, "=cmd", Role.STUDENT, **FORMULAS)
    alice = browser("alice")
    if source == "the course":
        answer = alice.get(f"/admin/courses/course/{course.pk}/roster.csv")
    else:
        answer = alice.post(MEMBERS, {"action": "download", "_selected_action": [member("=cmd").pk]})
    row = next(row for row in rows_of(answer) if row["username"].endswith("cmd"))
    assert row == {"username": "'=cmd", "role": "student", **{name: f"'{value}" for name, value in FORMULAS.items()}}


def test_names_in_the_file_for_nbgrader_are_no_formulas(course, browser):
    cast.enrol(course, "eve", Role.STUDENT, **FORMULAS)
    answer = browser("alice").get(f"/admin/courses/course/{course.pk}/students-for-nbgrader.csv")
    row = next(row for row in rows_of(answer) if row["id"] == "eve")
    assert row == {"id": "eve", "first_name": "'=1+1", "last_name": "'@SUM(A1)", "email": "'+1"}


def test_list_downloads_the_chosen_members_alone(course, browser):
    answer = browser("gina").post(MEMBERS, {"action": "download", "_selected_action": [member("bob").pk]})
    assert [row["username"] for row in rows_of(answer)] == ["bob"]


# Actions


@pytest.mark.parametrize(
    ("action", "names", "text"),
    [
        ("make_graders", ["bob"], "1 member is now a grader."),
        ("make_graders", ["bob", "dave"], "2 members are now graders."),
        ("make_students", ["gina"], "1 member is now a student."),
        ("remove", ["bob"], "1 member was removed from the roster."),
        ("remove", ["bob", "gina"], "2 members were removed from the roster."),
    ],
)
def test_actions_say_how_many_they_changed(course, browser, action, names, text):
    chosen = [member(name).pk for name in names]
    answer = browser("alice").post(
        MEMBERS, {"action": action, "_selected_action": chosen, "confirmed": "yes"}, follow=True
    )
    assert [str(message) for message in answer.context["messages"]] == [text]


def test_removal_is_confirmed_first(course, browser):
    before = cast.everything()
    answer = browser("alice").post(MEMBERS, {"action": "remove", "_selected_action": [member("bob").pk]})
    page = answer.content.decode()
    assert "Remove from the roster" in page and "Their submissions are kept." in page and "bob" in page
    assert cast.everything() == before
