"""The requests that are measured, by name: what the plugin asks, the portal's pages and the admin's."""

import json
import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any
from urllib.parse import quote, urlencode

from django.contrib import admin
from django.db.models import Model
from django.http import HttpResponseBase
from django.test import Client
from django.urls import reverse

from benchmarks.campus import shape
from benchmarks.campus.shape import ASSIGNMENT, COURSE, CROWD
from benchmarks.native import TAR, member
from benchmarks.native import sha256 as hash_of
from courses.admin.lists import MAX_COUNT
from courses.models import Course, Membership, User
from exchange import receipts
from exchange.models import Assignment, Blob, Feedback, FileSet, Release, Submission

Probe = Callable[[], object]  # makes its requests, and raises an error where one is not answered as it should be

PAGE = {"page_size": "5000"}  # as the plugin asks
HOST = "localhost"
BUNDLE = 500  # blobs in one bundle, as the plugin asks
STAFF_PAGES: tuple[type[Model], ...] = (Course, Membership, Assignment, Release, Submission, Feedback)


def api(*parts: object, **query: str) -> str:
    path = "/api/v2/" + "".join(f"{quote(str(part), safe='')}/" for part in parts)
    return f"{path}?{urlencode(query)}" if query else path


class Person:
    """Somebody at their notebook server and at their browser."""

    def __init__(self, username: str) -> None:
        self.plugin = Client(headers={"Authorization": f"token {username}"}, SERVER_NAME=HOST)
        self.browser = Client(SERVER_NAME=HOST)
        self.browser.force_login(User.objects.get(username=username))

    def get(self, address: str) -> bytes:
        return content_of(self.plugin.get(address))

    def get_all(self, address: str) -> None:
        """Request a list page by page. Rows are not read, which would be the plugin's work."""
        while address:
            following = re.match(rb'{"next":"([^"]*)"', self.get(address))
            address = following[1].decode().removeprefix(f"http://{HOST}") if following else ""

    def post(self, address: str, body: object) -> bytes:
        return content_of(self.plugin.post(address, body, content_type="application/json"))

    def upload(self, address: str, body: bytes) -> bytes:
        return content_of(self.plugin.post(address, body, content_type=TAR))

    def look(self, address: str) -> bytes:
        return content_of(self.browser.get(address))


def content_of(response: HttpResponseBase) -> bytes:
    content = b"".join(response) if response.streaming else response.content  # type: ignore[attr-defined]
    if response.status_code not in (200, 201):
        raise RuntimeError(f"{response.status_code}: {content[:500]!r}")
    return bytes(content)


def probes() -> dict[str, Probe]:
    return {**dict(student()), **dict(staff()), **dict(pages()), **dict(admin_pages())}


def student() -> Iterator[tuple[str, Probe]]:
    person = Person(shape.STUDENT)
    own = Submission.objects.filter(student__username=shape.STUDENT, assignment__course__name=COURSE.name)
    submission = own.filter(assignment__name=ASSIGNMENT).select_related(
        "assignment__course", "student", "submitted_by", "release", "file_set"
    )[0]
    here = ("courses", COURSE.name, "assignments", ASSIGNMENT)
    yield "student: who am I", partial(person.get, api("me"))
    yield "student: list of assignments", partial(person.get_all, api("assignments", **PAGE, course="", assignment=""))
    yield (
        "student: list of assignments of a course",
        partial(person.get_all, api("assignments", **PAGE, course=COURSE.name, assignment="")),
    )
    yield (
        "student: list of own submissions",
        partial(person.get_all, api("submissions", **PAGE, course="", assignment="", mine="true")),
    )
    yield (
        "student: fetch feedback",
        partial(
            person.get_all,
            api("submissions", **PAGE, course=COURSE.name, assignment=ASSIGNMENT, student="", mine="true"),
        ),
    )
    yield "student: fetch (latest release)", partial(person.get, api(*here, "releases", "latest"))
    yield "student: which blobs are missing", partial(person.post, api("blobs", "missing"), {"files": work(submission)})
    yield "student: submit", partial(person.upload, api(*here, "submissions"), bundle(submission))
    yield "student: receipt again", partial(person.get, api("submissions", submission.pk, "receipt"))
    receipt = json.loads(json.dumps(receipts.receipt(submission)))
    yield "anybody: verify a receipt", partial(person.post, api("receipts", "verify"), receipt)


NOTEBOOK = b"what is submitted"


def work(submission: Submission) -> list[dict[str, object]]:
    """Return a manifest: another notebook, and the data of an earlier submission."""
    new = {"path": "problem.ipynb", "sha256": hash_of(NOTEBOOK), "size": len(NOTEBOOK)}
    entries = submission.file_set.entries.exclude(path="problem.ipynb").select_related("blob")
    return [new, *({"path": each.path, "sha256": each.blob.sha256, "size": each.blob.size} for each in entries)]


def bundle(submission: Submission) -> bytes:
    manifest = json.dumps({"files": work(submission)}).encode()
    return member("manifest.json", manifest) + member(hash_of(NOTEBOOK), NOTEBOOK) + bytes(1024)


def staff() -> Iterator[tuple[str, Probe]]:
    teacher, professor = Person(COURSE.instructor), Person(CROWD.instructor)
    of_one = {**PAGE, "course": COURSE.name, "assignment": ASSIGNMENT, "student": ""}
    yield "staff: list of submissions to an assignment", partial(teacher.get_all, api("submissions", **of_one))
    yield (
        "staff: list of submissions in a course",
        partial(teacher.get_all, api("submissions", **{**of_one, "assignment": ""})),
    )
    yield (
        "staff: list of submissions of 5,000",
        partial(professor.get_all, api("submissions", **PAGE, course=CROWD.name)),
    )
    yield "staff: status of a course of 300", partial(teacher.get, api("courses", COURSE.name, "status"))
    yield "staff: status of a course of 5,000", partial(professor.get, api("courses", CROWD.name, "status"))
    yield "staff: list of 300 members", partial(teacher.get_all, api("courses", COURSE.name, "members", **PAGE))
    yield "staff: list of 5,000 members", partial(professor.get_all, api("courses", CROWD.name, "members", **PAGE))
    yield (
        "staff: search of a member",
        partial(teacher.get_all, api("courses", COURSE.name, "members", search="first 12")),
    )
    yield "staff: roster as CSV", lambda: content_of(teacher.plugin.get(api("courses", COURSE.name, "roster")))
    yield "staff: list of courses", partial(teacher.get_all, api("courses", **PAGE))
    for person, course, assignment in ((teacher, COURSE, ASSIGNMENT), (professor, CROWD, CROWD.assignments[0])):
        chosen = Submission.objects.filter(
            assignment__course__name=course.name, assignment__name=assignment, trial=False
        )
        files = {**PAGE, "course": course.name, "assignment": assignment, "latest": "true", "files": "true"}
        name = f"staff: collect of {course.students:,}"
        yield f"{name}, list", partial(person.get_all, api("submissions", **files))
        yield f"{name}, bundles", partial(fetch_bundles, person, hashes_of(chosen))
        ids = sorted(chosen.values_list("pk", flat=True))
        yield f"{name}, mark", partial(person.post, api("submissions", "collected"), {"ids": ids})


def hashes_of(submissions: Any) -> list[str]:
    blobs = Blob.objects.filter(entries__file_set__submissions__in=submissions)
    return sorted(blobs.values_list("sha256", flat=True).distinct())


def fetch_bundles(person: Person, hashes: list[str]) -> None:
    for start in range(0, len(hashes), BUNDLE):
        person.post(api("blobs", "bundle"), {"sha256": hashes[start : start + BUNDLE]})


def pages() -> Iterator[tuple[str, Probe]]:
    own = Submission.objects.filter(student__username=shape.STUDENT, assignment__course__name=COURSE.name).first()
    assert own is not None
    page = reverse("assignment", args=(COURSE.name, ASSIGNMENT))
    for who, username in (("student", shape.STUDENT), ("staff", COURSE.instructor)):
        person = Person(username)
        yield f"portal: landing page, {who}", partial(person.look, reverse("home"))
        yield f"portal: assignment, {who}", partial(person.look, page)
        yield f"portal: submission, {who}", partial(person.look, reverse("submission", args=(own.pk,)))
    professor = Person(CROWD.instructor)
    yield "portal: landing page, staff of 5,000", partial(professor.look, reverse("home"))
    yield (
        "portal: assignment of 5,000, staff",
        partial(professor.look, reverse("assignment", args=(CROWD.name, CROWD.assignments[0]))),
    )


def admin_pages() -> Iterator[tuple[str, Probe]]:
    root, teacher = Person(shape.ADMINISTRATOR), Person(COURSE.instructor)
    course = Course.objects.get(name=COURSE.name)
    crowd = Course.objects.get(name=CROWD.name)
    yield "admin: front page", partial(root.look, reverse("admin:index"))
    yield "admin: overview", partial(root.look, reverse("admin:overview"))
    for model, page in admin.site._registry.items():
        name, address = model._meta.verbose_name_plural, listing(model)
        yield f"admin: {name}", partial(root.look, address)
        yield f"admin: {name}, search", partial(root.look, f"{address}?q={quote(searched(model))}")
        yield f"admin: {name}, search without result", partial(root.look, f"{address}?q=qqqq")
        last = -(-min(model._default_manager.count(), MAX_COUNT) // page.list_per_page) or 1
        yield f"admin: {name}, last page", partial(root.look, f"{address}?p={last}")
        if model in STAFF_PAGES:
            yield f"admin: {name}, staff", partial(teacher.look, address)
            yield f"admin: {name}, staff, search", partial(teacher.look, f"{address}?q={quote(searched(model))}")
    yield "admin: roster of 300", partial(teacher.look, f"{listing(Membership)}?course={course.pk}")
    yield "admin: roster of 5,000", partial(root.look, f"{listing(Membership)}?course={crowd.pk}")
    yield "admin: status of a course of 300", partial(teacher.look, f"{listing(Assignment)}status/{course.pk}/")
    yield "admin: status of a course of 5,000", partial(root.look, f"{listing(Assignment)}status/{crowd.pk}/")
    yield "admin: a course", partial(teacher.look, f"{listing(Course)}{course.pk}/change/")
    assignment = Assignment.objects.get(course=course, name=ASSIGNMENT)
    yield "admin: an assignment", partial(teacher.look, f"{listing(Assignment)}{assignment.pk}/change/")
    yield "admin: history of an assignment", partial(teacher.look, f"{listing(Assignment)}{assignment.pk}/history/")
    student = User.objects.get(username=shape.STUDENT)
    yield "admin: a person", partial(root.look, f"{listing(User)}{student.pk}/change/")
    submission = Submission.objects.filter(assignment=assignment, student=student)[0]
    yield "admin: a submission", partial(teacher.look, f"{listing(Submission)}{submission.pk}/change/")
    yield "admin: a file set", partial(root.look, f"{listing(FileSet)}{submission.file_set_id}/change/")
    blob = submission.file_set.entries.get(path="problem.ipynb").blob
    yield "admin: a blob", partial(root.look, f"{listing(Blob)}{blob.pk}/change/")


def listing(model: type[Model]) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


def searched(model: type[Model]) -> str:
    """Return what somebody looks for who knows what they look for."""
    blob = Blob.objects.filter(
        entries__path="problem.ipynb", entries__file_set__submissions__student__username=shape.STUDENT
    )
    return {
        Course: COURSE.name,
        Assignment: f"{COURSE.name} {ASSIGNMENT}",
        Release: f"{COURSE.name} {ASSIGNMENT}",
        Blob: blob.order_by("pk")[0].sha256 if model is Blob else "",
        FileSet: FileSet.objects.filter(submissions__student__username=shape.STUDENT).order_by("pk")[0].digest,
    }.get(model, shape.STUDENT)
