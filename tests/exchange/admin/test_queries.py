"""The admin's pages are looked at in a bounded number of queries; the audit log is looked at and nothing else."""

from datetime import timedelta

import pytest
from django.contrib import admin
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from courses.models import AuditEntry, Course, Membership, Role
from courses.permissions import Actor
from exchange import services
from exchange.models import Assignment, Blob, Feedback, FileSet, Release, Submission
from ngshare_site import overview
from tests import cast
from tests.cast import PS1, everything
from tests.exchange.admin.pages import listing

pytestmark = pytest.mark.wide

MODELS = [pytest.param(model, id=model.__name__) for model in admin.site._registry]
MOST = 25  # queries of any page
LISTS = [f"{model.__name__}{more}" for model in admin.site._registry for more in ("", ", searched", " of a course")]
HIDDEN = (
    "User",
    "user",
    "Audit",
    "FileSet",
    "fileset",
    "Blob",
    "blob",
    "MaintenanceRun",
    "overview",
    "Webhook",
    "webhook",
    "Delivery",
    "delivery",
)  # from instructors


def grow(count):
    """So many of everything: in a new course each, and as much again within the first."""
    first = Course.objects.order_by("pk").first()
    for number in range(Course.objects.count(), count + 2):
        course = Course.objects.create(name=f"Course {number}")
        for one in (course, first):
            cast.enrol(one, f"student {number}", Role.STUDENT)
            files = cast.upload({**PS1, f"{number}.txt": str(number).encode()})
            made = services.release(one, f"work {number}", files, by=cast.actor("root"))
            attempt = cast.submit(made.assignment, f"student {number}", **{f"t{number}": b"%d" % number})
            cast.return_feedback(attempt, "root")
            cast.return_feedback(attempt, "root", b"better")
        services.unrelease(made.assignment, by=cast.actor("root"))
        services.withdraw_submissions([attempt], by=cast.actor("root"))


def queries(browser, address, query=None):
    with CaptureQueriesContext(
        connection,
    ) as captured:
        answer = browser.get(address, query)
        assert answer.status_code == 200, address
        if answer.streaming:
            list(answer.streaming_content)
    return len(captured), answer


def pages_of(two_courses):
    """{page: (its address, what it is asked)}"""
    one = two_courses["course"]
    found = {model.__name__: (listing(model), {}) for model in admin.site._registry}
    found |= {f"{model.__name__}, searched": (listing(model), {"q": "1"}) for model in admin.site._registry}
    found |= {
        f"{model.__name__} of a course": (listing(model), {"course": one.pk})
        for model in (Membership, Assignment, Release, Submission, Feedback)
    }
    rows = [
        one,
        two_courses["assignment"],
        two_courses["release"],
        two_courses["submission"],
        two_courses["feedback"],
        cast.person("bob"),
        Blob.objects.get(sha256=cast.sha256(PS1["data/numbers.csv"])),
        two_courses["submission"].file_set,
    ]
    found |= {f"one {row._meta.model_name}": (f"{listing(type(row))}{row.pk}/change/", {}) for row in rows}
    found |= {f"history of a {row._meta.model_name}": (f"{listing(type(row))}{row.pk}/history/", {}) for row in rows}
    found |= {
        "status": (f"/admin/exchange/assignment/status/{one.pk}/", {}),
        "status as CSV": (f"/admin/exchange/assignment/status/{one.pk}/status.csv", {}),
        "roster as CSV": (f"/admin/courses/course/{one.pk}/roster.csv", {}),
        "front page": ("/admin/", {}),
        "overview": ("/admin/overview/", {}),
    }
    return found


@pytest.mark.parametrize("who", ["root", "alice"])
def test_no_page_asks_more_of_a_large_exchange_than_of_a_small_one(two_courses, browser, who, monkeypatch):
    monkeypatch.setattr(overview, "COUNTS_SECONDS", 0)
    there = browser(who)
    pages = pages_of(two_courses)
    if who == "alice":
        pages = {name: page for name, page in pages.items() if not any(word in name for word in HIDDEN)}
    grow(3)
    for page in pages.values():
        queries(there, *page)  # what is kept in memory is there from here on
    few = {name: queries(there, *page)[0] for name, page in pages.items()}
    grow(30)
    many = {name: queries(there, *page)[0] for name, page in pages.items()}
    # A list of more than one page is counted, which is a query more.
    assert {name: number - few[name] for name, number in many.items() if number != few[name]}.keys() <= {*LISTS}
    assert all(number <= few[name] + 1 for name, number in many.items())
    assert max(many.values()) <= MOST, max(many, key=lambda name: many[name])


def test_file_set_that_all_submitted_is_one_row_with_its_counts(two_courses, browser):
    grow(10)
    one = two_courses["assignment"]
    for who in ("bob", "dave", "gina") * 3:
        last = cast.submit(one, who, same=b"same")
    number, answer = queries(browser("root"), listing(FileSet), {"q": last.file_set.digest})
    (row,) = answer.context["cl"].result_list
    assert row.submissions_made == 9 and number <= MOST


# The audit log


@pytest.mark.parametrize(
    ("who", "form", "history", "odd"),
    [
        ("root", 403, 200, 200),  # who looks at the history and at the line
        ("alice", 403, 404, 403),
        ("gina", 403, 404, 403),
        ("carol", 403, 404, 403),
        ("bob", 302, 302, 302),
        ("erin", 302, 302, 302),
    ],
)
def test_nobody_writes_the_audit_log(two_courses, browser, who, form, history, odd):
    there, line = browser(who), AuditEntry.objects.first()
    row = f"{listing(AuditEntry)}{line.pk}"
    forged = {"actor": "somebody", "action": "nothing", "details": "{}", "at_0": "2020-01-01", "at_1": "00:00"}
    before = everything()
    for address in (listing(AuditEntry, "add"), f"{row}/change/", f"{row}/delete/", f"{row}/history/"):
        for said in ({}, forged, {**forged, "post": "yes", "_save": "Save"}, {**forged, "_saveasnew": "1"}):
            assert there.post(address, said).status_code == (history if address.endswith("history/") else form)
    for action in ("delete_selected", "delete_permanently", "move_to_trash", "verify", ""):
        for more in ({}, {"post": "yes", "confirmed": "yes", "select_across": "1"}):
            there.post(listing(AuditEntry), {"action": action, "_selected_action": [line.pk], **more})
    for method in ("put", "patch", "delete"):
        assert getattr(there, method)(f"{row}/change/").status_code == odd
    assert everything() == before


def test_audit_log_is_shown_without_anything_to_press(two_courses, browser):
    root, line = browser("root"), AuditEntry.objects.first()
    answer = root.get(listing(AuditEntry))
    assert answer.status_code == 200 and listing(AuditEntry, "add") not in answer.content.decode()
    assert not answer.context["cl"].model_admin.get_actions(answer.wsgi_request)
    page = root.get(f"{listing(AuditEntry)}{line.pk}/change/").content.decode()
    assert "_save" not in page and "deletelink" not in page and line.action in page
    assert root.get(listing(AuditEntry, "add")).status_code == 403
    assert root.get(f"{listing(AuditEntry)}{line.pk}/delete/").status_code == 403


def test_log_is_filtered_and_searched(two_courses, browser):
    root = browser("root")
    for query, actors in (
        ({"q": "carol"}, {"carol"}),
        ({"q": "Elsewhere"}, {"carol", "zoe"}),
        ({"action": "submit"}, {"bob", "zoe"}),
    ):
        found = root.get(listing(AuditEntry), query).context["cl"].result_list
        assert {line.actor for line in found} == actors
    tomorrow = str(timezone.now() + timedelta(days=1))
    assert not root.get(listing(AuditEntry), {"at__gte": tomorrow}).context["cl"].result_list


def test_what_others_wrote_is_text_on_every_page(two_courses, browser):
    """Names, paths and log lines come from people; none of them is markup."""
    attack = "<script>alert(1)</script>"
    course = Course.objects.create(name=attack.replace("/", "|"))
    cast.enrol(course, attack.replace("/", "|"), Role.STUDENT, first_name=attack, last_name=attack, section=attack)
    made = services.release(course, attack.replace("/", "|"), cast.upload({attack: b"x"}), by=cast.actor("root"))
    attempt = services.submit(made.assignment, cast.upload({attack: b"y"}), by=Actor.of(course.members.get()))[0]
    given = cast.return_feedback(attempt, "root")
    root = browser("root")
    addresses = [
        f"/admin/exchange/assignment/status/{course.pk}/",
        f"/admin/courses/course/{course.pk}/import/",
        "/admin/",
    ]
    for model in admin.site._registry:
        addresses += [listing(model), f"{listing(model)}?q={attack}"]
    for row in (course, made.assignment, made, attempt, given, attempt.file_set, course.members.get()):
        addresses += [f"{listing(type(row))}{row.pk}/{page}/" for page in ("change", "history")]
    addresses += [f"{listing(AuditEntry)}{line.pk}/change/" for line in AuditEntry.objects.all()[:3]]
    for address in addresses:
        page = root.get(address).content.decode()
        assert "<script>alert" not in page, address
