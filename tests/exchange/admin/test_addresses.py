"""Odd addresses of the admin, and odd things posted to it: refused, never a 500, and nobody is led elsewhere."""

import pytest
from django.contrib import admin
from django.db import transaction

from courses.models import AuditEntry, Course, Membership, User
from exchange.models import Assignment, Blob, Feedback, Release, Submission
from exchange.notices.models import Webhook
from tests import cast
from tests.cast import everything
from tests.exchange.admin import pages
from tests.exchange.admin.pages import CHANGED_ON_PAGES, DELETED_ON_PAGES, PARAMETERS, actions, listing

pytestmark = pytest.mark.wide

MODELS = [pytest.param(model, id=model.__name__) for model in admin.site._registry]
HUGE = "99999999999999999999"  # more than 64 bits
ENDLESS = "9" * 5000  # more digits than Python reads
NUMBERS = ["abc", HUGE, f"-{HUGE}", ENDLESS, "-1", "0", "1.5", "1/2", "²", "٣", "_5F", 'a"b', "1e9", "0x1", " 1", "1 "]
FEW_NUMBERS = ["abc", HUGE]  # for pages that share what reads them
NO_ROWS = [number for number in NUMBERS if number.strip() not in ("1", "٣")]
OF_A_ROW = ["0", "٣"]  # those of NUMBERS that could be a row's
TO_A_PAGE = ["0", HUGE]  # those that the addresses of our own pages take
BY_COURSE = [AuditEntry, *(model for model, parameters in PARAMETERS.items() if "course" in parameters)]


def filtered(numbers):
    """(query, the lists that have such a filter, whether it can read the value)."""
    return [
        *(({"course": value}, BY_COURSE, value in OF_A_ROW) for value in numbers),
        *(({"assignment": value}, [Submission], value in OF_A_ROW) for value in numbers),
        *(({"course": "1", "assignment": value}, [Submission], value in OF_A_ROW) for value in numbers),
        *(
            ({f"created__{how}": value}, [Release, Submission, Feedback], how == "isnull")
            for how in ("gte", "lt", "isnull", "exact")
            for value in ("x", "0", HUGE)
        ),
        *(({f"at__{how}": value}, [AuditEntry], False) for how in ("gte", "lt") for value in ("x", "10000", HUGE)),
        ({"touched__gte": "0001-01-01", "touched__lt": "9999-12-31 23:59:59+14:00"}, [Blob], True),
    ]


# What pages and sorts, as without such a value.
OF_EVERY_LIST = [
    {"p": HUGE, "o": ENDLESS},
    {"all": "x", "_facets": "x", "_popup": "x"},
    {"e": "1", "p": "9999"},
    *({name: value} for name in ("p", "o") for value in NUMBERS),
    *({"o": value} for value in ("-", "1.2.3.-4.x..", "--1", "1." * 3000, "999")),
]


def of_no_list(numbers):
    return [
        *({name: value} for name in ("id", "pk", "id__in", "id__gt", "size__gt", "size__in") for value in numbers),
        *({name: "("} for name in ("id__regex", "name__regex", "sha256__iregex", "section__regex", "actor__regex")),
        *({f"created__{how}": value} for how in ("year", "date") for value in ("x", "0", HUGE)),
        *({"at__year": value} for value in ("x", "10000", HUGE)),
        {"stored__exact": "9", "is_active__exact": "zz"},
        {"role__exact": "king", "role__in": "a,b"},
        {"state": "nonsense", "trash": "nonsense", "section": "nonsense"},
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
    numbers = NUMBERS if model is Submission else FEW_NUMBERS
    for query, models, is_readable in filtered(numbers):
        status = 400 if model not in models else 200 if is_readable else 302  # to the list without a filter
        assert ask("get", listing(model), query) == status, query
    for query in OF_EVERY_LIST if model is Submission else OF_EVERY_LIST[:2]:
        assert ask("get", listing(model), query) == 200, query
    for query in of_no_list(numbers):
        assert ask("get", listing(model), query) == 400, query


@pytest.mark.parametrize("model", MODELS)
def test_address_of_no_row_leads_to_none(ask, model):
    ends = {pattern.rpartition(">/")[2] for pattern in pages.patterns() if pages.is_of_a_row(pattern)}
    ends |= {"open/a", "download/a", "act/rename/", "act/nonsense/"}
    for number in NO_ROWS if model is Course else FEW_NUMBERS:
        for end in sorted(ends):
            for method in ("get", "post"):
                address = f"{listing(model)}{number}/{end}".replace("%", "%25")
                assert ask(method, address) == status_of_no_row(model, method, number, end), (method, number, end)


def status_of_no_row(model, method, number, end):
    """The status for an administrator; Django's pages lead to the front page, after they refused what nobody may."""
    if end == "history/" or (end and not end.endswith("/")):
        return 404
    if end == "delete/":
        return 302 if model in DELETED_ON_PAGES else 403
    if end == "change/" and method == "post":
        return 302 if model in CHANGED_ON_PAGES else 403
    is_own_page = (model, end.partition("/")[0]) in [(Course, "import"), (User, "act"), (Assignment, "extensions")]
    return 404 if is_own_page and number in TO_A_PAGE else 302


def test_status_of_no_course_is_none(ask):
    for number in NO_ROWS:
        for end in ("", "status.csv"):
            status = 404 if end or number in TO_A_PAGE else 302  # to the front page, as for any page without a row
            assert ask("get", f"/admin/exchange/assignment/status/{number}/{end}") == status


@pytest.mark.parametrize("query", [{"page": value} for value in FEW_NUMBERS] + [{"q": "x" * 9999}, {"section": "🜁"}])
def test_odd_questions_to_the_status_table_are_answered(two_courses, browser, query):
    address = f"/admin/exchange/assignment/status/{two_courses['course'].pk}/"
    assert browser("root").get(address, query).status_code == 200


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("page", ["change", "add", "delete"])
def test_odd_questions_to_a_form_are_answered_or_refused(ask, model, page):
    row = model.objects.first()
    address = listing(model, "add") if page == "add" else f"{listing(model)}{row.pk}/{page}/"
    if model is Membership:
        odd = [f"course={number}" for number in NUMBERS] + ["%zz", "x" * 9999, "course", "p=1&o=x"]
        queries = [{"_changelist_filters": one} for one in odd]
        queries += [{"course": one, "role": one, "user": one, "due": one} for one in NUMBERS]
        queries += [{"_to_field": "id"}, {"_popup": "1"}]
    else:
        queries = [{"_changelist_filters": "course=abc", "course": HUGE, "due": "x", "_to_field": "id", "_popup": "1"}]
    is_open = {"change": True, "add": model in (Course, Membership, Webhook), "delete": model in DELETED_ON_PAGES}[page]
    for query in queries:
        assert ask("get", address, query) == (200 if is_open else 403), query
    for column in ("name", "nonsense", "course"):
        assert ask("get", address, {"_to_field": column}) == 400, column


@pytest.mark.parametrize("model", MODELS)
def test_actions_on_odd_rows_are_refused(ask, model):
    before = everything()
    chosen_ones = [*NUMBERS, "", "\0"] if model is Submission else [*FEW_NUMBERS, "٣"]
    indexes = [{}, {"index": "7", "select_across": "x"}, {"index": "zz"}]
    for action in (*actions(model), "delete_selected", "nonsense", ""):
        for chosen in ([one] for one in chosen_ones):
            for more in indexes if chosen[0] in OF_A_ROW else indexes[:1]:
                said = {"action": action, "_selected_action": chosen, **more}
                assert ask("post", listing(model), said) == status_of_action(model, action, chosen[0], **more), said
    assert everything() == before


def status_of_action(model, action, chosen, select_across="", **more):
    if not actions(model):
        return 200  # the list, without a word about the action
    if chosen not in OF_A_ROW:
        return 400
    if action == "extend":
        is_of_one_course = not select_across and Membership.objects.filter(pk=int(chosen)).exists()
        return 200 if is_of_one_course else 302
    if action == "make_new_secret":
        return 200 if select_across else 302  # it asks about the only one
    if action == "download":
        return 200
    # A question, of rows that are there; otherwise the list again.
    is_asked = action == "remove" or (model, action) == (Course, "move_to_trash")
    return 200 if is_asked and (select_across or model.objects.filter(pk=int(chosen)).exists()) else 302


def is_first_page(number):
    try:
        return int(number or 1) == 1
    except ValueError:
        return number == "last"


def test_autocomplete_and_links_to_objects_refuse_odd_questions(ask):
    for number in NUMBERS:
        asked = {"app_label": "courses", "model_name": "membership", "field_name": "course", "page": number}
        assert ask("get", "/admin/autocomplete/", {**asked, "field_name": "user"}) == 403  # no page uses this field
        assert ask("get", "/admin/autocomplete/", asked) == (200 if is_first_page(number) else 404)
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
    ("address", "get", "post"),
    [
        ("/admin/logout/", 405, 200),
        ("/admin/exchange/submission/987654/change/", 302, 403),
        ("/admin/", 200, 200),
        ("/admin/r/1/1/", 404, 404),
    ],
)
def test_no_page_of_the_admin_leads_elsewhere(two_courses, browser, address, get, post, page):
    root = browser("root")
    for ask, status in ((root.get, get), (root.post, post)):
        answer = ask(f"{address}?next={page.replace(' ', '+')}", {"next": page})
        assert answer.status_code == status and is_ours(answer.headers.get("Location", "/"))


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
