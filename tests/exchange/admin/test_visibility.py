"""Rows of another course: no page, list, filter, search, autocomplete, export or action of the admin knows them."""

import re
from urllib.parse import quote

import pytest
from django.contrib import admin

from courses.models import Course, Membership, Role
from exchange.models import Assignment, Feedback, Release, Submission
from tests import cast
from tests.cast import everything
from tests.exchange.admin import pages
from tests.exchange.admin.pages import FOR_ADMINISTRATORS, RIGHTS_BY_COURSE, SITE, actions, listing

pytestmark = pytest.mark.wide

MODELS = [pytest.param(model, id=model.__name__) for model in admin.site._registry]
OF_THEIRS = ["zoe", "Zoë", "hidden group", "carol", "Elsewhere", "lab 1", "plans/", "the plan"]
OF_OURS = ["bob", "alice", "NBG 101", "ps1", "numbers"]
# who, the role for which the admin is open to them, the role that they have where the rows are, and the words that say
# something of these rows
PEOPLE = {
    "alice": ("alice", Role.INSTRUCTOR, None, OF_THEIRS),
    "gina": ("gina", Role.GRADER, None, OF_THEIRS),
    "bob": ("bob", None, None, OF_THEIRS),
    "erin": ("erin", None, None, OF_THEIRS),
    "nobody": (None, None, None, OF_THEIRS),
    "carol": ("carol", Role.INSTRUCTOR, None, OF_OURS),
    "alice as a student": ("alice", Role.INSTRUCTOR, Role.STUDENT, OF_THEIRS),
    "erin as a student": ("erin", None, Role.STUDENT, OF_THEIRS),
}


def row_of(model, two_courses, course):
    if model is Membership:
        return Membership.objects.get(course=two_courses[course], role=Role.STUDENT, user__username__in=["bob", "zoe"])
    prefix = course.removesuffix("course")
    return two_courses[prefix + model._meta.model_name]


@pytest.fixture(params=PEOPLE)
def asker(request, two_courses, client, settings):
    """(a browser, their role as staff, the rows that are not theirs, the words that they may not read)"""
    settings.NGSHARE_STANDALONE = True  # there is a page to log in on
    who, staff_role, role, words = PEOPLE[request.param]
    rows = {
        model: row_of(model, two_courses, "course" if who == "carol" else "foreign course")
        for model in RIGHTS_BY_COURSE
    }
    if role:
        cast.enrol(rows[Course], who, role)
        words = [word for word in words if word not in ("Elsewhere",)]
    if who:
        client.force_login(cast.person(who))
    return client, staff_role, rows, words


def text_of(answer):
    content = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return re.sub('name="csrfmiddlewaretoken" value="[^"]*"', "", content.decode(errors="replace"))


def says_nothing(answer, words):
    said = text_of(answer)
    return [word for word in words if word in said] == []


# The map


def test_every_page_of_the_admin_is_in_these_tests():
    for pattern in pages.patterns():
        model = pages.model_of(pattern)
        assert pattern in SITE or model in RIGHTS_BY_COURSE or model in FOR_ADMINISTRATORS, pattern
    assert set(pages.patterns()) >= SITE
    assert {*RIGHTS_BY_COURSE, *FOR_ADMINISTRATORS} == set(admin.site._registry)


def test_same_addresses_open_for_an_administrator_and_for_their_own_instructor(two_courses, browser):
    for who in ("root", "carol"):
        there = browser(who)
        rows = {model: row_of(model, two_courses, "foreign course") for model in RIGHTS_BY_COURSE}
        for pattern, addresses in pages.addresses(rows).items():
            for address in addresses:
                answer = there.get(address, follow=True)
                is_refused = pattern.endswith("/delete/") and "membership" not in pattern
                assert answer.status_code == (403 if is_refused else 200), (who, address)
                if not is_refused and not pattern.endswith("files.zip") and ".csv" not in pattern:
                    assert not says_nothing(answer, [*OF_THEIRS, "well done", "?"]), address


# Pages


def test_pages_of_foreign_rows_say_nothing_and_do_nothing(asker):
    browser, staff_role, rows, words = asker
    before = everything()
    may = {} if staff_role == Role.INSTRUCTOR else {"changes": [], "deletes": []}
    for pattern, addresses in pages.addresses(rows).items():
        for address in addresses:
            for method in ("get", "post", "head"):
                answer = getattr(browser, method)(address)
                who = browser.session.get("_auth_user_id")
                status = pages.status_without_staff(who, method)
                if staff_role:
                    status = pages.status_without_row(pattern, method, **may)
                assert answer.status_code == status, (pattern, method)
                assert says_nothing(answer, words), address
            # What follows a redirect does not tell either whether there is such a row.
            missing = address.replace(f"/{rows[pages.model_of(pattern)].pk}/", "/987654/", 1)
            assert browser.get(missing).status_code == browser.get(address).status_code, pattern
            followed = text_of(browser.get(address, follow=True)).replace(quote(address), "").replace(address, "")
            assert not any(word in followed for word in words), address
    assert everything() == before


@pytest.mark.parametrize("model", FOR_ADMINISTRATORS)
@pytest.mark.parametrize("who", ["alice", "gina", "carol", "bob", "erin", None])
def test_pages_for_administrators_are_for_nobody_else(two_courses, browser, client, model, who):
    there = browser(who) if who else client
    row = two_courses["submission"].file_set if model.__name__ == "FileSet" else model.objects.first()
    is_staff = who in ("alice", "gina", "carol")
    before = everything()
    statuses = {listing(model): 403, listing(model, "add"): 403}
    for pattern, addresses in pages.addresses({model: row}).items():
        is_shown_elsewhere = pattern.endswith("<path:object_id>/")  # the old address of a page, which leads to the new
        is_own_page = "<path:object_id>" not in pattern or pattern.endswith("history/")
        statuses |= dict.fromkeys(addresses, 302 if is_shown_elsewhere else 404 if is_own_page else 403)
    for address, status in statuses.items():
        for method in ("get", "post"):
            expected = status if is_staff else pages.status_without_staff(who, method)
            assert getattr(there, method)(address).status_code == expected, (method, address)
    for action in actions(model):
        there.post(listing(model), {"action": action, "_selected_action": [row.pk]})
    assert everything() == before


def test_front_pages_say_nothing_of_other_courses(asker):
    browser, _, _, words = asker
    for address in ("", "courses/", "exchange/", "login/", "jsi18n/", "r/1/1/", "no/such/page"):
        assert says_nothing(browser.get(f"/admin/{address}", follow=True), words), address


# Lists, filters, searches


def test_lists_and_filters_show_no_foreign_row(asker):
    browser, staff_role, rows, words = asker
    course, assignment = rows[Course].pk, rows[Assignment].pk
    for model in RIGHTS_BY_COURSE:
        columns = range(1, len(admin.site._registry[model].list_display) + 1)
        asked = [
            {},
            {"course": course},
            {"course": course, "assignment": assignment},
            {"assignment": assignment},
            {"all": ""},
            {"_facets": "True"},
            {"_popup": "1"},
            {"state": "unreleased"},
            {"state": "trash"},
            {"trash": "no"},
            {"o": ".".join(f"-{column}" for column in columns)},
        ]
        for query in asked if staff_role else asked[:2]:
            answer = browser.get(listing(model), query, follow=True)
            is_known = query.keys() <= {"all", "_facets", "_popup", "o"} | pages.PARAMETERS[model]
            if staff_role:
                assert answer.status_code == (200 if is_known else 400), (model, query)
            else:
                assert answer.status_code == (403 if answer.wsgi_request.user.is_authenticated else 200), (
                    query
                )  # the log-in
            assert says_nothing(answer, words), (model, query)
            if answer.status_code == 200 and answer.context and "cl" in answer.context:
                assert rows[model] not in answer.context["cl"].result_list, (model, query)
                if "course" in query and model is not Course:
                    assert not list(answer.context["cl"].result_list)


LOOKUPS = {
    Course: ["memberships__user__username__startswith", "memberships__first_name", "assignments__name", "name__regex"],
    Membership: [
        "course__name__startswith",
        "user__username__startswith",
        "user__memberships__course__name",
        "user__submissions__assignment__name",
        "user__id__gt",
        "email__regex",
    ],
    Assignment: [
        "course__name",
        "course__memberships__user__username",
        "submissions__student__username",
        "name__regex",
    ],
    Release: ["assignment__course__name", "file_set__digest__startswith", "released_by__username", "file_set__gt"],
    Submission: [
        "student__username__startswith",
        "assignment__course__name",
        "student__memberships__first_name",
        "student__submissions__assignment__name",
        "file_set__digest__startswith",
        "file_set__entries__path",
        "file_set__entries__blob__sha256",
        "file_set__submissions__student__username",
        "idempotency_key__startswith",
        "student__gt",
    ],
    Feedback: ["submission__student__username", "returned_by__username", "submission__file_set__digest__startswith"],
}


@pytest.mark.parametrize("who", ["alice", "gina", "root"])
def test_nothing_can_be_found_out_by_lookups(two_courses, browser, who):
    there = browser(who)
    for model, lookups in LOOKUPS.items():
        for lookup in lookups:
            answers = {there.get(listing(model), {lookup: value}).status_code for value in ("z", "1", "no such thing")}
            assert answers == {400}, (model, lookup)


@pytest.mark.parametrize(
    "term", ["zoe", "Zo", "Elsewhere", "lab", "plans/my", cast.sha256(b"the plan that zoe has"), ""]
)
def test_searches_find_no_foreign_row(two_courses, browser, term):
    for who in ("alice", "gina"):
        there = browser(who)
        for model in RIGHTS_BY_COURSE:
            found = there.get(listing(model), {"q": term}).context["cl"].result_list
            assert row_of(model, two_courses, "foreign course") not in found
            assert not term or not found, (model, term)


def test_autocomplete_offers_no_foreign_row(asker):
    browser, staff_role, _, words = asker
    for model, page in admin.site._registry.items():
        for field in model._meta.get_fields():
            asked = {"app_label": model._meta.app_label, "model_name": model._meta.model_name, "field_name": field.name}
            status = 200 if field.name in page.autocomplete_fields else 403  # and then it offers their own courses
            for term in ("", "e", "zoe") if status == 200 else ("e",):
                answer = browser.get("/admin/autocomplete/", {**asked, "term": term})
                assert answer.status_code == (status if staff_role else 302), asked
                assert says_nothing(answer, words), (asked, term)


def test_autocomplete_is_there_for_the_fields_that_use_it_alone(two_courses, browser):
    root = browser("root")
    for model, page in admin.site._registry.items():
        for field in [*model._meta.get_fields(), None]:
            name = field.name if field else "no such field"
            asked = {"app_label": model._meta.app_label, "model_name": model._meta.model_name, "field_name": name}
            expected = 200 if name in page.autocomplete_fields else 403
            assert root.get("/admin/autocomplete/", asked).status_code == expected, asked
    assert root.get("/admin/autocomplete/").status_code == 403


def test_hidden_row_is_no_more_there_than_one_that_never_was(two_courses, browser):
    alice = browser("alice")
    for pk in (two_courses["foreign submission"].pk, 987_654):
        answer = alice.get(f"/admin/exchange/submission/{pk}/change/", follow=True)
        assert text_of(answer).count(f"Submission with ID “{pk}” doesn’t exist") == 1
