"""Every kind of page in German has nothing of its English self but names, numbers and code."""

import re
from datetime import timedelta
from html.parser import HTMLParser

import pytest
from django.contrib import admin
from django.urls import reverse
from django.utils import timezone

from courses.models import Course, Membership
from exchange import services
from exchange.models import Assignment, Release
from exchange.services import Grant
from tests import cast
from tests.cast import COURSE, actor

HERE = f"/view/course/{COURSE}/ps1/"
READ = ("aria-label", "alt", "title", "placeholder", "data-label", "data-copied")  # attributes that people read
NO_PROSE = ("script", "style", "code", "pre", "textarea")
# What is the same in both languages: names of the cast and of the service, and words that German has, too.
SAME = frozenset(
    """
    ngshare English Deutsch JupyterHub Hub JupyterLab Nbgrader Assignment List JSON CSV API Blob Blobs Cache SQLite
    Token Name Code Start Version Text Person Status ID UTC Notebook Notebooks Webhook Webhooks Filter True False SHA
    MD kB MB GB TB in bob dave Dave gina alice root erin carol Elsewhere illness backup line
    ForgivingFileCache unrelease
    """.split()
)
WORD = re.compile(r"[A-Za-zÄÖÜäöüß]{2,}")
# Names of courses and assignments, zones, paths, settings, addresses, digests, versions
FIXED = re.compile(
    r"(?<!\w)(NBG \d+|ps\d\S*|[A-Z]\w+/[\w/-]+|/\S+|\w+_\w+|https?:\S+|\S+@\S+|example\.edu|[a-f0-9]{12,}|"
    r"\d\S*dev\d|[\w./-]+\.(ipynb|csv|txt|html|py|md|json))"
)


class Prose(HTMLParser):
    """What a page says: its texts, and the attributes that people read. What is marked as English is left out."""

    def __init__(self, page):
        super().__init__()
        self.texts, self._inside = [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        if tag in NO_PROSE or (tag != "html" and dict(attrs).get("lang") == "en"):
            self._inside.append(tag)
        self.texts += [value for name, value in attrs if name in READ and value]

    def handle_endtag(self, tag):
        if self._inside and self._inside[-1] == tag:
            self._inside.pop()

    def handle_data(self, data):
        if text := " ".join(data.split()):
            self.texts += [] if self._inside else [text]


def left_in_english(browser, address):
    """Return the texts of a page that are the same in both languages and have words in them."""
    pages = []
    for language in ("en", "de"):
        reply = browser.get(address, headers={"accept-language": language})
        assert reply.status_code in (200, 400, 403, 404, 503) and "text/html" in reply["Content-Type"]
        pages.append(Prose(reply.content.decode()).texts)
    english, german = pages
    return [text for text in dict.fromkeys(german) if text in english and has_words(text)]


def has_words(text):
    if re.search(r" \(id \d+\)$", text):
        return False  # as it is in the audit log
    return any(word not in SAME for word in WORD.findall(FIXED.sub("", text)))


@pytest.fixture
def busy_course(submission, settings):
    """An assignment about which there is much to say: bob was late, dave is extended, gina tried it."""
    settings.NGSHARE_MAIL = ["feedback_returned", "due_soon"]
    assignment = submission.assignment
    Course.objects.filter(pk=assignment.course_id).update(late_days=3)
    Membership.objects.filter(user__username="dave").update(section="A", first_name="Dave", email="dave@example.edu")
    assignment.refresh_from_db()
    times = {
        "due": timezone.now() - timedelta(days=2),
        "cut_off": timezone.now() + timedelta(days=9),
        "max_attempts": 4,
    }
    services.set_deadlines(assignment, times, by=actor("alice"))
    later = {"due": timezone.now() + timedelta(days=5), "attempts": 2, "reason": "illness"}
    services.grant_extensions(assignment, [Grant("dave", **later), Grant(section="A", **later)], by=actor("alice"))
    cast.return_feedback(submission, "alice")
    cast.submit(assignment, "bob", more=b"1")
    cast.submit(assignment, "gina")
    services.release(assignment.course, "ps2", cast.upload(cast.PS1), by=actor("alice"))
    services.unrelease(Assignment.objects.get(name="ps2"), by=actor("alice"))
    return assignment


def test_pages_of_students_are_in_german(busy_course, submission, browse):
    bob, release = browse("bob"), Release.objects.filter(assignment=busy_course).last()
    page = f"/view/submission/{submission.pk}/"
    addresses = ["/", "/view/history/", "/view/notices/", "/view/receipt/", "/view/nowhere/", HERE, f"{HERE}submit/"]
    addresses += [page, f"{page}?submitted", f"{page}?again", f"{page}changes/", f"{page}changes/?with=release"]
    addresses += [f"{page}file/ps1.ipynb", f"{page}feedback/ps1.html", f"/view/release/{release.pk}/"]
    addresses += [f"/view/release/{release.pk}/file/data/numbers.csv", "/admin/login/"]
    assert {address: left for address in addresses if (left := left_in_english(bob, address))} == {}


def test_pages_of_staff_are_in_german(busy_course, browse):
    alice = browse("alice")
    extension = busy_course.extensions.first()
    names = ("", "reminder/", "unrelease/", "release/", "deadlines/", "feedback/", "student/bob", "student/dave")
    addresses = ["/", *(HERE + name for name in names), f"{HERE}extensions/{extension.pk}/withdraw/"]
    addresses += [f"{HERE}?show=late", f"/view/course/{COURSE}/ps2/"]
    assert {address: left for address in addresses if (left := left_in_english(alice, address))} == {}


def test_pages_for_everybody_are_in_german(course, client):
    assert left_in_english(client, "/login/") == []  # no Hub is known here
    assert left_in_english(client, "/oauth_callback") == []


def test_admin_is_in_german(busy_course, browse):
    root = browse("root")
    addresses = [reverse("admin:index"), reverse("admin:overview")]
    for model, page in admin.site._registry.items():
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        addresses.append(reverse(f"{name}_changelist"))
        if page.has_add_permission(root.get("/admin/").wsgi_request):
            addresses.append(reverse(f"{name}_add"))
        if (row := model._default_manager.first()) is not None:
            addresses.append(reverse(f"{name}_change", args=[row.pk]))
    assert {address: left for address in addresses if (left := left_in_english(root, address))} == {}
