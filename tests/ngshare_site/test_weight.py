"""What each page weighs in a course of 300: with its styles and scripts, as a proxy that compresses sends them."""

import gzip
import re
from datetime import timedelta

import pytest
from django.utils import timezone

from courses.models import Membership, Role, User
from exchange import services
from exchange.models import Assignment, Extension, Feedback, Submission
from tests.cast import COURSE, actor, submit

STUDENTS, ASSIGNMENTS = 300, 12
MAX_WEIGHT = 100_000  # bytes
HERE = f"/view/course/{COURSE}/ps1/"
PARTS = re.compile(r'<link [^>]*rel="stylesheet"[^>]*>|<script [^>]*src=[^>]*>')
ADDRESS = re.compile(r'(?:href|src)="([^"]+)"')
PAGES = {
    "bob": ["/", "/view/history/", "/view/notices/", "/view/receipt/", HERE, f"{HERE}submit/", "{submission}"],
    "alice": [
        *("/", HERE, f"{HERE}?show=late", f"{HERE}deadlines/", f"{HERE}reminder/", f"{HERE}feedback/"),
        *(f"{HERE}student/bob", "/admin/", "/admin/courses/course/{course}/change/"),
        *("/admin/courses/membership/", "/admin/exchange/assignment/", "/admin/exchange/assignment/status/{course}/"),
        *("/admin/exchange/assignment/{assignment}/change/", "/admin/exchange/submission/"),
    ],
    "root": [
        *("/", "/admin/", "/admin/overview/", "/admin/courses/course/", "/admin/courses/user/"),
        *("/admin/courses/auditentry/", "/admin/exchange/submission/", "/admin/exchange/blob/"),
        *("/admin/exchange/feedback/", "/admin/exchange/fileset/"),
    ],
}


@pytest.fixture
def addresses(submission):
    """The pages of a course in which 300 students have submitted each of 12 assignments, and got feedback on one."""
    now, first = timezone.now(), submission.assignment
    due = {"due": now - timedelta(hours=1), "cut_off": now + timedelta(days=9), "max_attempts": 9}
    services.set_deadlines(first, due, by=actor("alice"))
    people = User.objects.bulk_create(User(username=f"student{number:03}") for number in range(STUDENTS))
    names = {"first_name": "Christiane", "last_name": "Beispiel-Mustermann"}
    Membership.objects.bulk_create(
        Membership(
            **{"course": first.course, "user": user, "role": Role.STUDENT, "section": f"group {user.pk % 9}", **names},
            email=f"{user.username}@students.example.edu",
        )
        for user in people
    )
    others = Assignment.objects.bulk_create(
        Assignment(course=first.course, name=f"problem set {number}", due=now + timedelta(days=number))
        for number in range(2, ASSIGNMENTS + 1)
    )
    made = Submission.objects.bulk_create(
        Submission(assignment=assignment, student=user, created=now, file_set=submission.file_set)
        for assignment in (first, *others)
        for user in people
    )
    Feedback.objects.bulk_create(
        Feedback(submission=each, file_set=each.file_set, created=now)
        for each in made
        if each.assignment_id == first.pk
    )
    for number in range(3):
        submit(first, "bob", more=b"%d" % number)
    Extension.objects.bulk_create(
        Extension(assignment=first, user=user, due=now + timedelta(days=3), reason="illness", created=now)
        for user in people[:60]
    )
    places = {
        "course": first.course_id,
        "assignment": first.pk,
        "submission": f"/view/submission/{submission.pk}/",
    }
    return {who: [page.format(**places) for page in pages] for who, pages in PAGES.items()}


def fetch(browser, address):
    reply = browser.get(address)
    assert reply.status_code == 200, address
    return b"".join(reply.streaming_content) if reply.streaming else reply.content


def weight_of(browser, address):
    page = fetch(browser, address)
    parts = {ADDRESS.search(tag)[1] for tag in PARTS.findall(page.decode())}
    return sum(len(gzip.compress(content)) for content in (page, *(fetch(browser, part) for part in parts)))


@pytest.mark.parametrize("who", PAGES)
def test_every_page_of_a_large_course_is_light(addresses, browse, who):
    weights = {address: weight_of(browse(who), address) for address in addresses[who]}
    assert {address: weight for address, weight in weights.items() if weight > MAX_WEIGHT} == {}
