"""Rosters kept by hand in the admin: what is offered, what is written, and that forged forms change nothing."""

import pytest

from courses.models import AuditEntry, Course, Membership, Role
from tests import cast

MEMBERS = "/admin/courses/membership/"


def member(username, course=cast.COURSE):
    return Membership.objects.get(course__name=course, user__username=username)


def course_page(course):
    return f"/admin/courses/course/{course.pk}/change/"


def member_page(one):
    return f"{MEMBERS}{one.pk}/change/"


def as_sent(form):
    """What a browser would send of a form that nobody touched."""
    sent = {}
    for name, field in form.fields.items():
        if not field.disabled and form[name].value() is not False:
            sent[form.add_prefix(name)] = form[name].value() or ""
            if field.show_hidden_initial:
                sent[form.add_initial_prefix(name)] = form[name].initial or ""
    return sent


def inline_as_sent(page):
    """The course's page, untouched."""
    formset = page.context["inline_admin_formsets"][0].formset
    sent = as_sent(formset.management_form)
    for form in formset.initial_forms:
        sent |= {key: getattr(value, "pk", value) for key, value in as_sent(form).items()}
    return sent


def list_as_sent(page):
    """The list of members, untouched."""
    formset = page.context["cl"].formset
    sent = {"_save": "Save", **as_sent(formset.management_form)}
    for form in formset.forms:
        sent |= as_sent(form)
    return sent


def row_of(page_or_formset, username):
    return next(form for form in page_or_formset.forms if form.instance.pk and form.instance.user.username == username)


def new_row(number, **said):
    empty = {"username": "", "role": "student", "first_name": "", "last_name": "", "email": "", "section": ""}
    return {f"memberships-{number}-{name}": value for name, value in {**empty, **said}.items()}


# The course's own page


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
    assert answer.status_code in (302, 403, 404)
    assert cast.everything() == before


def test_grader_looks_at_the_course_and_changes_nothing(course, browser):
    alice_sent = inline_as_sent(browser("alice").get(course_page(course)))
    gina = browser("gina")
    page = gina.get(course_page(course))
    assert page.status_code == 200 and "bob" in page.content.decode()
    assert 'name="_save"' not in page.content.decode()
    before = cast.everything()
    sent = {**alice_sent, "memberships-0-section": "B", "memberships-TOTAL_FORMS": 5, **new_row(4, username="eve")}
    assert gina.post(course_page(course), sent).status_code in (302, 403)
    assert cast.everything() == before


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
    assert answer.status_code in (302, 403, 404)
    assert cast.everything() == before


def test_removed_member_keeps_what_they_handed_in(submission, course, browser):
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


# Courses


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
    assert alice.post(course_page(course), sent).status_code in (302, 403)
    assert cast.everything() == before
