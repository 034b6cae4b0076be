"""Odd addresses of the admin, and odd things posted to it: refused, never a 500, and nobody is led elsewhere."""

import pytest
from django.contrib import admin
from django.db import transaction

from courses.models import AuditEntry, Membership
from tests import cast
from tests.cast import everything
from tests.exchange.admin import pages
from tests.exchange.admin.pages import actions, listing

pytestmark = pytest.mark.wide

MODELS = [pytest.param(model, id=model.__name__) for model in admin.site._registry]
HUGE = "99999999999999999999"  # more than 64 bits
ENDLESS = "9" * 5000  # more digits than Python reads
NUMBERS = ["abc", HUGE, f"-{HUGE}", ENDLESS, "-1", "0", "1.5", "1/2", "²", "٣", "_5F", 'a"b', "1e9", "0x1", " 1", "1 "]
NO_ROWS = [number for number in NUMBERS if number.strip() not in ("1", "٣")]
QUERIES = [
    *({name: value} for name in ("course", "assignment") for value in NUMBERS),
    *({"course": "1", "assignment": value} for value in NUMBERS),
    *(
        {name: value}
        for name in ("p", "o", "id", "pk", "id__in", "id__gt", "size__gt", "size__in")
        for value in NUMBERS
    ),
    *({"o": value} for value in ("-", "1.2.3.-4.x..", "--1", "1." * 3000, "999")),
    *({name: "("} for name in ("id__regex", "name__regex", "sha256__iregex", "section__regex", "actor__regex")),
    *(
        {f"created__{how}": value}
        for how in ("gte", "lt", "year", "date", "isnull", "exact")
        for value in ("x", "0", HUGE)
    ),
    *({f"at__{how}": value} for how in ("gte", "lt", "year") for value in ("x", "10000", HUGE)),
    {"touched__gte": "0001-01-01", "touched__lt": "9999-12-31 23:59:59+14:00"},
    {"stored__exact": "9", "is_active__exact": "zz"},
    {"role__exact": "king", "role__in": "a,b"},
    {"state": "nonsense", "trash": "nonsense", "section": "nonsense"},
    {"e": "1", "p": "9999"},
    {"all": "x", "_facets": "x", "_popup": "x"},
    {"_to_field": "name"},
    {"nonsense": "1"},
    {"": "1"},
]


@pytest.fixture
def ask(two_courses, browser):
    """The status of a request, each as if it was the only one."""
    root = browser("root")

    def status(method, address, *said):
        with transaction.atomic():
            savepoint = transaction.savepoint()
            answer = getattr(root, method)(address, *said)
            transaction.savepoint_rollback(savepoint)
        return answer.status_code

    return status


@pytest.mark.parametrize("model", MODELS)
def test_odd_questions_to_a_list_are_answered_or_refused(ask, model):
    for query in QUERIES:
        assert ask("get", listing(model), query) in (200, 302, 400, 403), query


@pytest.mark.parametrize("model", MODELS)
def test_address_of_no_row_leads_to_none(ask, model):
    ends = {pattern.rpartition(">/")[2] for pattern in pages.patterns() if pages.is_of_a_row(pattern)}
    ends |= {"open/a", "download/a", "act/rename/", "act/nonsense/"}
    for number in NO_ROWS:
        for end in sorted(ends):
            for method in ("get", "post"):
                address = f"{listing(model)}{number}/{end}".replace("%", "%25")
                assert ask(method, address) in (301, 302, 400, 403, 404), (method, number, end)


def test_status_of_no_course_is_none(ask):
    for number in NO_ROWS:
        for end in ("", "status.csv"):
            assert ask("get", f"/admin/exchange/assignment/status/{number}/{end}") in (302, 404)


@pytest.mark.parametrize("query", [{"page": value} for value in NUMBERS] + [{"q": "x" * 9999}, {"section": "🜁"}])
def test_odd_questions_to_the_status_table_are_answered(two_courses, browser, query):
    address = f"/admin/exchange/assignment/status/{two_courses['course'].pk}/"
    assert browser("root").get(address, query).status_code == 200


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("page", ["change", "add", "delete"])
def test_odd_questions_to_a_form_are_answered_or_refused(ask, model, page):
    row = model.objects.first()
    address = listing(model, "add") if page == "add" else f"{listing(model)}{row.pk}/{page}/"
    odd = [f"course={number}" for number in NUMBERS] + ["%zz", "x" * 9999, "course", "p=1&o=x"]
    for query in (
        *({"_changelist_filters": one} for one in odd),
        *({"_to_field": one} for one in ("name", "nonsense", "id", "course")),
        *({"course": one, "role": one, "user": one, "due": one} for one in NUMBERS),
        {"_popup": "1"},
    ):
        assert ask("get", address, query) in (200, 302, 400, 403), query


@pytest.mark.parametrize("model", MODELS)
def test_actions_on_odd_rows_are_refused(ask, model):
    before = everything()
    for action in (*actions(model), "delete_selected", "nonsense", ""):
        for chosen in ([one] for one in (*NUMBERS, "", "\0")):
            for more in ({}, {"index": "zz"}, {"index": "7", "select_across": "x"}):
                said = {"action": action, "_selected_action": chosen, **more}
                assert ask("post", listing(model), said) in (200, 302, 400, 403), said
    assert everything() == before


def test_autocomplete_and_links_to_objects_refuse_odd_questions(ask):
    for number in NUMBERS:
        asked = {"app_label": "courses", "model_name": "membership", "field_name": "course", "page": number}
        assert ask("get", "/admin/autocomplete/", asked) in (200, 403, 404)
        assert ask("get", f"/admin/r/{number}/{number}/") == 404
        assert ask("get", f"/admin/r/1/{number}/") == 404


ELSEWHERE = [
    "https://evil.example/",
    "//evil.example/",
    "///evil.example/",
    "/\\evil.example",
    "\\\\evil.example",
    "/\t/evil.example",
    "http:evil.example",
    "javascript:alert(1)",
    " //evil.example",
    "/%2f/evil.example",
    "/@evil.example",
    "https:///evil.example",
]


@pytest.mark.parametrize("page", ELSEWHERE)
def test_log_in_for_the_admin_leads_nowhere_else(two_courses, client, settings, page):
    settings.NGSHARE_STANDALONE = True
    first = client.get("/admin/login/", {"next": page})
    assert first.status_code == 302 and first.headers["Location"].startswith("/login/?next=")
    shown = client.get(first.headers["Location"])
    answer = client.post(first.headers["Location"], {"username": "alice", "next": shown.context["next"]})
    assert is_ours(answer.headers["Location"])
    again = client.get("/admin/login/", {"next": page})
    assert again.headers["Location"] == "/admin/"
    assert client.post("/admin/login/", {"next": page}).headers["Location"] == "/admin/"


@pytest.mark.parametrize("page", ELSEWHERE)
@pytest.mark.parametrize(
    "address", ["/admin/logout/", "/admin/exchange/submission/987654/change/", "/admin/", "/admin/r/1/1/"]
)
def test_no_page_of_the_admin_leads_elsewhere(two_courses, browser, address, page):
    root = browser("root")
    for ask in (root.get, root.post):
        answer = ask(f"{address}?next={page.replace(' ', '+')}", {"next": page})
        assert answer.status_code < 500 and is_ours(answer.headers.get("Location", "/"))


@pytest.mark.parametrize("address", ["/admin//evil.example", "/admin/%5Cevil.example", "/admin/login//evil.example"])
def test_address_with_two_slashes_is_no_other_site(two_courses, browser, address):
    answer = browser("root").get(address)
    assert answer.status_code == 404


def is_ours(address):
    return address.startswith("/") and not address.startswith(("//", "/\\", "/\t"))


def test_passwords_are_no_business_of_ours(two_courses, browser):
    for page in ("password_change/", "password_change/done/"):
        assert browser("alice").get(f"/admin/{page}").status_code == 404


@pytest.mark.parametrize("page", ["change", "delete"])
def test_empty_name_of_a_field_is_none(two_courses, browser, page):
    rows = [*two_courses.values(), AuditEntry.objects.first(), Membership.objects.first(), cast.person("bob")]
    root = browser("root")
    for row in rows:
        address = f"{listing(type(row))}{row.pk}/{page}/"
        assert root.get(f"{address}?_to_field=").status_code == root.get(address).status_code, address
