"""Every page that there is, as visits: where it is, and what is done there before it is looked at.

The pages of the admin come from its registry, and their addresses from the map of addresses: test_accessibility.py
compares them with that map, so a page that nobody visits fails.
"""

import csv
import io
import zipfile
from collections.abc import Callable, Collection
from dataclasses import dataclass

from django.contrib import admin
from django.urls import reverse
from playwright.sync_api import Page

from courses.admin.person_actions import PERSON_ACTIONS
from tests.browser.world import COURSE, CURRENT, FEEDBACK, NAMES, OVER, PICTURE, TO_COME, UNRELEASED, moment, solved

OF_FILES = ("release", "submission", "feedback", "fileset")
# Addresses that are no pages: what they answer is read by programs, is downloaded, or leads to another page at once.
NO_PAGES = {
    *("healthz", "readyz", "metrics", "admin:autocomplete", "admin:jsi18n", "set-language"),
    *("course-archive", "own-submissions", "release-zip", "solution", "receipt", "files", "assignment-submissions"),
    *("assignment-csv", "assignment-reminder-txt", "assignment-reminder-csv", "assignment-pseudonyms"),
    *("admin:export_roster", "admin:export_for_nbgrader", "admin:export_extensions", "admin:status_csv"),
    *(f"admin:exchange_{model}_{act}" for model in OF_FILES for act in ("open", "download", "zip")),
    *("assignment-pages", "latest-feedback", "admin:login", "admin:logout", "admin:view_on_site"),
    *("admin:password_change", "admin:password_change_done"),  # a Hub has the passwords: there is nothing
    *("admin:<path:object_id>/", "admin:(?P<url>.*)$"),  # of any other path below the admin
    "oauth-callback",  # with a Hub alone; it has a test of its own
}


WHO_RELEASE = ("instructor", "administrator")
ROOT = ("administrator",)


@dataclass(frozen=True)
class Visit:
    name: str  # of the picture that is taken
    address: str
    steps: Callable[[Page], None] | None = None  # what is done on the page, to see another one
    is_document: bool = False  # a document that somebody else wrote, in a sandbox of its own
    only: Collection[str] = ()  # the roles that can take the steps; empty for all


def file(name, content, kind="application/octet-stream"):
    return {"name": name, "mimeType": kind, "buffer": content}


def csv_file(*rows):
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return file("file.csv", out.getvalue().encode(), "text/csv")


def zip_file(files):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for path, content in files.items():
            archive.writestr(path, content)
    return file("file.zip", out.getvalue(), "application/zip")


def send(page, selector):
    """Click what sends a form, and wait for the page that answers."""
    with page.expect_navigation():
        page.click(selector)


def upload(selector, content, button="main form button"):
    def steps(page):
        page.set_input_files(selector, content)
        send(page, button)

    return steps


def upload_in_admin(content, more=None):
    def steps(page):
        page.set_input_files("input[type=file]", content)
        if more:
            more(page)
        send(page, ".submit-row input[type=submit]")

    return steps


def act(name, count=2):
    """Choose the first rows of a list of the admin and an action."""

    def steps(page):
        for box in page.locator("input.action-select").all()[:count]:
            box.check()
        page.select_option("select[name=action]", name)
        send(page, ".actions button")

    return steps


def fill(values, button):
    def steps(page):
        for selector, value in values.items():
            page.fill(selector, value)
        send(page, button)

    return steps


def choose_files(page):
    files = [file(path.rpartition("/")[2], content) for path, content in solved(TO_COME, 1).items()]
    page.set_input_files("#files", files)
    page.wait_for_selector("#review:not([hidden])")
    page.click("#review summary")


ROSTER = [
    ["username", "first_name", "last_name", "email", "section"],
    ["bob", "Robert", "Baker", "bob@example.edu", "A"],
    ["newcomer", "Nora", "Newcomer", "nora@example.edu", "B"],
    ["", "Nobody", "", "", ""],
]
UNCLEAR = [["Student", "SIS Login ID", "Section"], ["Baker, Bob", "bob", "A"], ["Cook, Carol", "carol", "B"]]
EXTENSIONS = [
    ["username", "section", "due", "cut_off", "attempts", "reason"],
    ["dave", "", f"{moment(6):%Y-%m-%dT%H:%M}", "", "1", "a conference"],
]


def portal_visits(rows):
    submission, before = rows["exchange.Submission"], rows["of bob before"]

    def of(name, assignment=CURRENT, *more):
        return reverse(name, args=[COURSE, assignment, *more])

    def read(name, pk, path):
        return Visit(f"{name}-{path.rpartition('.')[2]}", reverse(name, args=[pk, path]))

    def document(name, pk, path):
        address = f"{reverse(name, args=[pk, path])}?as=document"
        return Visit(f"{name}-document-{path.rpartition('.')[2]}", address, is_document=True)

    due = {"input[name=due_0]": f"{moment(-2):%Y-%m-%d}", "input[name=due_1]": "12:00:00"}
    grant = {"input[name=students]": "dave, ada", "form[action] input[name=due_0]": f"{moment(8):%Y-%m-%d}"}
    grant |= {"form[action] input[name=due_1]": "12:00:00", "input[name=reason]": "illness"}
    to_grant = 'form[action="#grant"] button'
    zipped = zip_file({f"feedback/{name}/{OVER}/{OVER}.html": FEEDBACK + name.encode() for name in NAMES[9:14]})
    return [
        Visit("home", reverse("home")),
        Visit("notices", reverse("notices")),
        Visit("history", reverse("history")),
        Visit("receipt-check", reverse("receipt-check")),
        Visit("receipt-verdict", reverse("receipt-check"), fill({"textarea": "0000-0000-0000"}, "#check button")),
        Visit("assignment-current", of("assignment")),
        Visit("assignment-over", of("assignment", OVER)),
        Visit("assignment-to-come", of("assignment", TO_COME)),
        Visit("assignment-unreleased", of("assignment", UNRELEASED)),
        Visit("own-assignment", reverse("own-assignment", args=[rows["over"]])),
        Visit("submit", of("submit")),
        Visit("submit-chosen", of("submit"), choose_files),
        Visit("submit-closed", of("submit", OVER)),
        Visit("submission", reverse("submission", args=[submission])),
        Visit("submission-before", reverse("submission", args=[before])),
        Visit("submission-submitted", reverse("submission", args=[submission]) + "?submitted"),
        Visit("changes", reverse("changes", args=[submission])),
        Visit("changes-release", reverse("changes", args=[submission]) + "?with=release"),
        Visit("release", reverse("release", args=[rows["exchange.Release"]])),
        read("release-file", rows["exchange.Release"], f"{OVER}.ipynb"),
        read("submission-file", submission, f"{OVER}.ipynb"),
        read("submission-file", submission, "plot.png"),
        read("submission-file", submission, "tools/clean.py"),
        read("feedback", submission, f"{OVER}.html"),
        document("release-file", rows["exchange.Release"], f"{OVER}.ipynb"),
        document("submission-file", submission, f"{OVER}.ipynb"),
        document("submission-file", submission, "tools/clean.py"),
        document("feedback", submission, f"{OVER}.html"),
        Visit("staff-reminder", of("assignment-reminder")),
        Visit("staff-unrelease", of("assignment-unrelease")),
        Visit("staff-release", of("assignment-restore", UNRELEASED)),
        Visit("staff-deadlines", of("assignment-deadlines")),
        Visit("staff-deadlines-errors", of("assignment-deadlines"), fill({}, to_grant), only=WHO_RELEASE),
        Visit(
            "staff-deadlines-confirm",
            of("assignment-deadlines"),
            fill(due, "form.entry button >> nth=0"),
            only=WHO_RELEASE,
        ),
        Visit("staff-extension-confirm", of("assignment-deadlines"), fill(grant, to_grant), only=WHO_RELEASE),
        Visit("staff-withdraw", of("assignment-extension-withdraw", CURRENT, rows["exchange.Extension"])),
        Visit("staff-feedback", of("assignment-feedback", OVER)),
        Visit("staff-feedback-confirm", of("assignment-feedback", OVER), upload("#id_file", zipped)),
        Visit("staff-student", of("assignment-student", OVER, "bob")),
        Visit("staff-student-without", of("assignment-student", CURRENT, "zoe")),
        Visit("nothing-here", reverse("home") + "view/nothing/"),
    ]


def admin_visits(rows):
    yield Visit("admin-index", reverse("admin:index"))
    yield Visit("admin-overview", reverse("admin:overview"))
    for label in ("courses", "exchange", "notices"):
        yield Visit(f"admin-app-{label}", reverse("admin:app_list", args=[label]))
    for model in admin.site._registry:
        name, pk = model._meta.model_name, rows[model._meta.label]
        base = f"admin:{model._meta.app_label}_{name}"
        yield Visit(f"admin-{name}-list", reverse(f"{base}_changelist"))
        yield Visit(f"admin-{name}-add", reverse(f"{base}_add"))
        for part in ("change", "delete", "history"):
            yield Visit(f"admin-{name}-{part}", reverse(f"{base}_{part}", args=[pk]))
    for name in PERSON_ACTIONS:
        yield Visit(f"admin-person-{name}", reverse("admin:person_act", args=[rows["courses.User"], name]))
    yield from special_admin_visits(rows)


def special_admin_visits(rows):
    """The pages that are reached by a form."""
    roster = reverse("admin:import_roster", args=[rows["courses.Course"]])
    extensions = reverse("admin:import_extensions", args=[rows["exchange.Assignment"]])
    assignments = reverse("admin:exchange_assignment_changelist")
    course = reverse("admin:courses_course_change", args=[rows["courses.Course"]])
    change = reverse("admin:exchange_assignment_change", args=[rows["exchange.Assignment"]])
    return [
        Visit("admin-status", reverse("admin:status", args=[rows["courses.Course"]])),
        Visit("admin-import", roster),
        Visit("admin-import-columns", roster, upload_in_admin(csv_file(*UNCLEAR))),
        Visit("admin-import-preview", roster, upload_in_admin(csv_file(*ROSTER))),
        Visit(
            "admin-import-removal",
            roster,
            upload_in_admin(csv_file(["username"], ["bob"]), lambda page: page.check("#id_remove_others")),
        ),
        Visit("admin-import-error", roster, upload_in_admin(file("photo.png", PICTURE))),
        Visit("admin-extensions-import", extensions),
        Visit("admin-extensions-preview", extensions, upload_in_admin(csv_file(*EXTENSIONS))),
        Visit("admin-extensions-error", extensions, upload_in_admin(csv_file(["username"], ["bob"]))),
        Visit("admin-course-error", reverse("admin:courses_course_add"), fill({}, "input[name=_save]")),
        Visit("admin-course-saved", course, fill({}, "input[name=_continue]")),
        Visit("admin-course-trash", reverse("admin:courses_course_changelist"), act("move_to_trash"), only=ROOT),
        Visit(
            "admin-assignment-delete-action",
            f"{assignments}?state=unreleased",
            act("delete_permanently", 1),
            only=ROOT,
        ),
        Visit(
            "admin-states",
            change,
            fill({"input[name=due_0]": f"{moment(-2):%Y-%m-%d}"}, "input[name=_save]"),
            only=WHO_RELEASE,
        ),
        Visit("admin-roster-extend", reverse("admin:courses_membership_changelist"), act("extend"), only=WHO_RELEASE),
        Visit("admin-webhook-secret", reverse("admin:notices_webhook_changelist"), act("make_new_secret", 1)),
        Visit("admin-search-nothing", f"{reverse('admin:exchange_submission_changelist')}?q=nothing-like-it"),
        Visit("admin-nothing-here", reverse("admin:index") + "nothing/"),
    ]


def visits(rows, role):
    """All pages for each role, but of the admin: graders have fewer of the same pages there, and see its lists."""
    of_admin = [each for each in admin_visits(rows) if role != "grader" or each.name.endswith(("-index", "-list"))]
    log_out = Visit("logged-out", reverse("receipt-check"), fill({}, "header form button"))
    found = [*portal_visits(rows), *of_admin, log_out]
    return [visit for visit in found if not visit.only or role in visit.only]


def of_nobody():
    """The pages of who is not logged in."""

    def send_to_the_admin(page):
        page.evaluate("document.querySelector('main form').action = '/admin/courses/course/add/'")
        page.fill("input[name=username]", "bob")
        send(page, "main form button")

    login = reverse("login")
    return [
        Visit("login", login),
        Visit("login-error", login, fill({"input[name=username]": " "}, "main form button")),
        Visit("session-ended", login, send_to_the_admin),
        Visit("nothing-for-nobody", reverse("home") + "view/nothing/"),
    ]
