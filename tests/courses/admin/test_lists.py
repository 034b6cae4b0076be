"""Lists of very many rows: what is counted, what is read, and how a course is found among many."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from courses.admin import base, filters, lists
from courses.models import AuditEntry, Course, Membership, Role, User
from tests import cast
from tests.cast import everything
from tests.exchange.admin.pages import listing

PEOPLE = listing(User)


@pytest.fixture
def few_are_counted(monkeypatch):
    for module in (lists, base):
        monkeypatch.setattr(module, "MAX_COUNT", 120)


@pytest.fixture
def crowd(course):
    User.objects.bulk_create([User(username=f"person {number:03}") for number in range(150)])


def test_list_of_very_many_rows_says_that_there_are_more(crowd, few_are_counted, browser):
    root = browser("root")
    for query in ({}, {"q": "person"}):
        text = root.get(PEOPLE, query).content.decode()
        assert "More than 120 people" in text
    assert "More than 120 results" in text
    assert "More than" not in root.get(PEOPLE, {"q": "person 00"}).content.decode()


def test_pages_lead_to_the_rows_that_are_counted(crowd, few_are_counted, browser):
    root = browser("root")
    first, second = (root.get(PEOPLE, {"q": "person", "p": page}).context["cl"].result_list for page in (1, 2))
    assert [user.username for user in (*first, *second)] == [f"person {number:03}" for number in range(120)]


def test_very_many_rows_are_not_chosen_at_once(crowd, few_are_counted, browser):
    Course.objects.bulk_create([Course(name=f"Course {number:03}") for number in range(150)])
    root, before = browser("root"), everything()
    one = Course.objects.first().pk
    chosen = {"action": "move_to_trash", "_selected_action": one, "select_across": "1", "confirmed": "yes"}
    answer = root.post(listing(Course), chosen, follow=True)
    assert "Narrow the list to 120 rows or fewer" in answer.content.decode() and everything() == before


def test_rows_are_read_by_the_keys_of_the_page(crowd, browser):
    root = browser("root")
    with CaptureQueriesContext(connection) as captured:
        page = root.get(PEOPLE, {"q": "person", "o": "-1", "p": 2}).context["cl"]
    counting = [query["sql"] for query in captured if "course_count" in query["sql"]]
    assert len(counting) == 1 and " IN (" in counting[0] and "OFFSET" not in counting[0]
    assert [user.username for user in page.result_list] == [f"person {number:03}" for number in range(49, -1, -1)]


# The course


def test_among_many_courses_one_is_searched_for(course, browser, monkeypatch):
    root = browser("root")
    assert "course-filter" not in root.get(listing(AuditEntry)).content.decode()
    monkeypatch.setattr(filters, "MAX_COURSES", 1)
    text = root.get(listing(AuditEntry), {"q": "alice"}).content.decode()
    assert "course-filter" in text and '<input type="hidden" name="q" value="alice">' in text
    assert cast.ELSEWHERE not in text.split("course-filter")[1].split("</form>")[0]
    chosen = root.get(listing(AuditEntry), {"course": course.pk}).content.decode()
    assert f'<option value="{course.pk}" selected>{cast.COURSE}</option>' in chosen


@pytest.mark.parametrize(("who", "found"), [("root", {cast.COURSE, cast.ELSEWHERE}), ("carol", {cast.ELSEWHERE})])
def test_search_for_a_course_finds_those_that_one_sees(course, browser, who, found):
    query = {"app_label": "courses", "model_name": "membership", "field_name": "course", "term": ""}
    answer = browser(who).get("/admin/autocomplete/", query)
    assert {each["text"] for each in answer.json()["results"]} == found


@pytest.mark.parametrize(("who", "status"), [("bob", 302), ("erin", 302)])
def test_search_for_a_course_is_closed_to_others(course, browser, who, status):
    query = {"app_label": "courses", "model_name": "membership", "field_name": "course", "term": ""}
    assert browser(who).get("/admin/autocomplete/", query).status_code == status


def test_course_in_the_trash_is_told_from_its_namesake(course, browser):
    Course.objects.create(name=cast.COURSE, removed_at="2026-01-01T00:00Z")
    query = {"app_label": "courses", "model_name": "membership", "field_name": "course", "term": cast.COURSE}
    answer = browser("root").get("/admin/autocomplete/", query)
    assert {each["text"] for each in answer.json()["results"]} == {cast.COURSE, f"{cast.COURSE} (in the trash)"}


def test_staff_choose_the_course_of_a_member_from_theirs(course, browser):
    address = "/admin/courses/membership/add/"
    assert f">{cast.COURSE}</option>" in browser("alice").get(address).content.decode()
    assert f">{cast.COURSE}</option>" not in browser("root").get(address).content.decode()


# The audit log


def test_filters_of_the_log_offer_its_actions(submission, browser):
    text = browser("root").get(listing(AuditEntry)).content.decode()
    assert '?action=submit">Submit</a>' in text and "?action=release" in text and "merge" not in text
    found = browser("root").get(listing(AuditEntry), {"role": "student"}).context["cl"].result_list
    assert [entry.action for entry in found] == ["submit"]


def test_names_that_nobody_has_any_more_are_looked_for_in_the_newest_entries(submission, browser, monkeypatch):
    cast.enrol(submission.assignment.course, "bobby", Role.STUDENT)
    cast.submit(submission.assignment, "bobby")
    AuditEntry.objects.bulk_create([AuditEntry(actor=name, action="submit") for name in ("bodo", "bodo")])  # gone
    monkeypatch.setattr("courses.admin.people.NEWEST_ENTRIES", 1)
    root = browser("root")
    found = {q: root.get(listing(AuditEntry), {"q": q}).context["cl"].result_list for q in ("bo", "bodo", "odo")}
    assert [entry.actor for entry in found["odo"]] == ["bodo"] and len(found["bodo"]) == 2
    assert {entry.actor for entry in found["bo"]} == {"bob", "bobby", "bodo"}


@pytest.mark.parametrize("word", ["ob", "ake", "NBG", "bake"])
def test_entries_of_whoever_has_such_a_name_are_found_however_old_they_are(submission, browser, monkeypatch, word):
    Membership.objects.filter(user__username="bob").update(first_name="Robert", last_name="Baker")
    monkeypatch.setattr("courses.admin.people.NEWEST_ENTRIES", 0)
    found = browser("root").get(listing(AuditEntry), {"q": word}).context["cl"].result_list
    assert ("bob", "submit") in {(entry.actor, entry.action) for entry in found}
