"""Make the pictures of the documentation: `python docs/pictures.py`, which needs Chromium.

A server in stand-alone mode has a course with deadlines, extensions and submissions. `--review FOLDER` makes pictures
of all pages that show or change deadlines instead: on a screen and on a phone, light and dark.
"""

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal
from unittest.mock import patch
from urllib.parse import quote

import django
from django.core.management import call_command
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

DOCS = Path(__file__).resolve().parent
sys.path.insert(0, str(DOCS.parent))
DATA = Path(tempfile.mkdtemp(prefix="ngshare-pictures-"))
os.environ |= {"NGSHARE_DATA": str(DATA), "NGSHARE_STANDALONE": "1", "NGSHARE_ADMINS": "root"}
os.environ |= {
    "DJANGO_SETTINGS_MODULE": "ngshare_site.settings",
    "DJANGO_ALLOW_ASYNC_UNSAFE": "1",
}  # Playwright has a loop
django.setup()

from courses.models import Course, Role, User  # noqa: E402
from exchange import services  # noqa: E402
from exchange.models import Assignment, Submission  # noqa: E402
from ngshare_site import data_folder  # noqa: E402
from tests import cast  # noqa: E402
from tests.browser.conftest import FLAGS  # noqa: E402
from tests.browser.world import solved  # noqa: E402
from tests.servers import service  # noqa: E402

COURSE = "NBG 101"
STUDENTS = (
    "Ada Lindqvist A, Ben Okafor B, Bob Baker A, Carol Cook B, Chen Wei A, Dave Dyer B, Elif Demir A, Femi Ade B, "
    "Gael Roux A, Hana Sato B, Ines Costa A, Jan Novak B, Kofi Mensah A, Lena Vogel B"
)
NAMES = [student.split()[0].lower() for student in STUDENTS.split(", ")]
TODAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
SCREEN: ViewportSize = {"width": 1280, "height": 400}  # pictures are as high as their pages
NARROW: ViewportSize = {"width": 960, "height": 400}
READING: ViewportSize = {"width": 960, "height": 900}  # documents are as high as the window
TABLET: ViewportSize = {"width": 900, "height": 800}
PHONE: ViewportSize = {"width": 390, "height": 844}
Scheme = Literal["light", "dark"]


def moment(days: float, hours: int = 0, minutes: int = 0) -> datetime:
    return TODAY + timedelta(days=days, hours=hours, minutes=minutes)


@contextmanager
def clock_at(time: datetime) -> Iterator[None]:
    with patch.object(timezone, "now", return_value=time):
        yield


# The course


def make_course() -> Course:
    for username in ("alice", "gina", "root"):
        User.objects.create(username=username)
    course = Course.objects.create(name=COURSE, timezone="Europe/Berlin", late_days=5)
    with clock_at(moment(-30)):
        cast.enrol(course, "alice", Role.INSTRUCTOR, first_name="Alice", last_name="Anders")
        cast.enrol(course, "gina", Role.GRADER, first_name="Gina", last_name="Greco")
        for student in STUDENTS.split(", "):
            first, last, section = student.split()
            cast.enrol(course, first.lower(), Role.STUDENT, first_name=first, last_name=last, section=section)
    return course


def release(course: Course, name: str, days: float, **deadlines: datetime | int) -> Assignment:
    with clock_at(moment(days, 9)):
        found = services.release(course, name, cast.upload(solved(name, 0)), by=cast.actor("alice")).assignment
        services.set_deadlines(found, deadlines, by=cast.actor("alice"))
    return found


def submit(assignment: Assignment, username: str, time: datetime) -> Submission:
    files = cast.upload(solved(assignment.name, Submission.objects.count()))  # others than those of any other attempt
    with clock_at(time):
        return services.submit(assignment, files, by=cast.actor(username))[0]


def extend(assignment: Assignment, **grant: object) -> None:
    services.grant_extensions(assignment, [services.Grant(**grant)], by=cast.actor("alice"))


def fill(course: Course) -> None:
    """Add an assignment that is over, one under way, and one that is still to be released."""
    over = release(course, "ps1", -12, due=moment(-4, 17), cut_off=moment(-2, 17))
    extend(over, student="bob", due=moment(-2, 17), reason="illness")
    solution = cast.upload({"ps1.ipynb": b'{"cells": ["the solution"]}'})
    services.set_solution(over, solution, by=cast.actor("alice"))
    first = [submit(over, name, moment(-9 + number * 0.42, number)) for number, name in enumerate(NAMES[:10])]
    last = [submit(over, name, moment(-4, 10 + 2 * number)) for number, name in enumerate(NAMES[8:13])]
    last.append(submit(over, "bob", moment(-3, 11, 20)))
    latest = {submission.student_id: submission for submission in [*first, *last]}.values()
    services.mark_collected(list(latest), by=cast.actor("alice"))
    for submission in list(latest)[:9]:
        cast.return_feedback(submission, "alice")
    current = release(course, "ps2", -6, due=moment(2, 22, 59), cut_off=moment(9, 22, 59), max_attempts=3)
    extend(current, student="bob", due=moment(5, 22, 59), reason="illness")
    extend(current, section="B", due=moment(3, 11), attempts=1, reason="the lab was closed")
    for number, name in enumerate(NAMES[1:11]):
        submit(current, name, moment(-1, 2 * number))
    submit(current, "bob", moment(-1, 21, 12))
    release(course, "ps3", -0.5, release_at=moment(6, 8), due=moment(13, 22, 59))


# The pages


class Visitor:
    """Somebody at a page."""

    def __init__(
        self, browser: Browser, url: str, username: str, size: ViewportSize, *, scheme: Scheme = "light", scale: int = 1
    ) -> None:
        self.url = url
        context = browser.new_context(viewport=size, color_scheme=scheme, device_scale_factor=scale)
        context.set_default_timeout(20_000)
        self.page: Page = context.new_page()
        self.page.goto(f"{url}/login/")
        self.page.fill("input[name=username]", username)
        self.page.click("main button")
        self.page.wait_for_load_state()

    def open(self, path: str) -> None:
        self.page.goto(f"{self.url}{path}")
        self.page.evaluate("localStorage.setItem('django.admin.navSidebarIsOpen', 'false')")
        if self.page.locator("#main.shifted").count() and self.page.locator("#toggle-nav-sidebar").is_visible():
            self.page.click("#toggle-nav-sidebar")

    def take(self, path: Path, *, height: int = 0) -> None:
        """Take a picture of the whole page, or of its upper part."""
        self.page.mouse.move(0, 0)
        self.page.wait_for_timeout(400)  # Django's admin fades
        width = self.page.viewport_size["width"] if self.page.viewport_size else 0
        whole = int(self.page.evaluate("document.documentElement.scrollHeight"))
        clip = {"x": 0, "y": 0, "width": width, "height": min(height or whole, whole)}
        self.page.screenshot(path=path, full_page=True, clip=clip)


def assignment_page(name: str) -> str:
    return f"/view/course/{quote(COURSE)}/{name}/"


def change_page(name: str, view: str = "exchange_assignment_change") -> str:
    return reverse(f"admin:{view}", args=[Assignment.objects.get(name=name).pk])


def submission_page(username: str, name: str) -> str:
    found = Submission.objects.filter(student__username=username, assignment__name=name).latest("created")
    return f"/view/submission/{found.pk}/"


def ask_for_another_due_date(alice: Visitor) -> None:
    """Lead to the page that shows whose submissions would become late."""
    alice.open(change_page("ps2"))
    alice.page.fill("input[name=due_0]", f"{moment(-2):%Y-%m-%d}")
    alice.page.click("input[name=_save]")
    alice.page.wait_for_selector("ul.states")


def import_extensions(alice: Visitor) -> None:
    """Lead to the page that shows what a CSV file of extensions does."""
    alice.open(change_page("ps2", "import_extensions"))
    lines = ["username,section,due,cut_off,attempts,reason", f"carol,,{moment(6, 22):%Y-%m-%dT%H:%M},,1,a conference"]
    lines.append(f",A,{moment(4, 12):%Y-%m-%dT%H:%M}+01:00,,,the lab was closed")
    content = {"name": "extensions.csv", "mimeType": "text/csv", "buffer": "\n".join(lines).encode()}
    alice.page.set_input_files("input[type=file]", [content])
    alice.page.click(".submit-row input[type=submit]")
    alice.page.wait_for_load_state()


def choose_in_roster(alice: Visitor) -> None:
    """Lead to the page that extends an assignment for members who were chosen in the roster."""
    alice.open("/admin/courses/membership/")
    for box in alice.page.locator("input.action-select").all()[2:5]:
        box.check()
    alice.page.select_option("select[name=action]", "extend")
    alice.page.click(".actions button")
    alice.page.wait_for_load_state()


def check_receipt(bob: Visitor) -> None:
    bob.open(submission_page("bob", "ps2"))
    with bob.page.expect_download() as download:
        bob.page.click("text=Download the receipt")
    bob.open("/view/receipt/")
    bob.page.set_input_files("input[type=file]", download.value.path())
    bob.page.click("main form button")
    bob.page.wait_for_load_state()


def choose_files(bob: Visitor) -> None:
    """Lead to the page that shows what will be sent."""
    bob.open(f"{assignment_page('ps2')}submit/")
    files = {"ps2.ipynb": solved("ps2", 9)["ps2.ipynb"], "notes.ipynb": solved("ps2", 8)["ps2.ipynb"]}
    bob.page.set_input_files(
        "#files", [{"name": name, "mimeType": "text/plain", "buffer": content} for name, content in files.items()]
    )
    bob.page.wait_for_selector("#review:not([hidden])")


def import_roster(alice: Visitor) -> None:
    """Lead to the preview of a roster."""
    alice.open(reverse("admin:import_roster", args=[Course.objects.get().pk]))
    lines = ["username,first_name,last_name,section", "bob,Robert,Baker,A", "nora,Nora,Newcomer,B", ",Nobody,,"]
    content = {"name": "roster.csv", "mimeType": "text/csv", "buffer": "\n".join(lines).encode()}
    alice.page.set_input_files("input[type=file]", [content])
    alice.page.click(".submit-row input[type=submit]")
    alice.page.wait_for_load_state()


def make_pictures(browser: Browser, url: str, folder: Path) -> None:
    bob, alice = Visitor(browser, url, "bob", NARROW), Visitor(browser, url, "alice", NARROW)
    bob.open("/")
    bob.take(folder / "student-home.png")
    bob.open(assignment_page("ps2"))
    bob.take(folder / "student-assignment.png")
    bob.open(submission_page("bob", "ps1"))
    bob.take(folder / "receipt.png")
    reader = Visitor(browser, url, "bob", READING)
    reader.open(f"{submission_page('bob', 'ps1')}file/ps1.ipynb")
    reader.page.frame_locator("iframe").locator("img").first.wait_for()
    reader.take(folder / "reading.png")
    choose_files(bob)
    bob.take(folder / "submit.png")
    check_receipt(bob)
    bob.take(folder / "receipt-check.png")
    alice.open(assignment_page("ps1"))
    alice.take(folder / "progress.png", height=1200)
    admin = Visitor(browser, url, "alice", SCREEN)
    admin.open(change_page("ps2"))
    admin.take(folder / "deadlines-admin.png")
    import_roster(admin)
    admin.take(folder / "admin-import.png")
    ask_for_another_due_date(admin)
    admin.take(folder / "deadlines-states.png")


def review(browser: Browser, url: str, folder: Path) -> None:
    pages = {
        "bob": {"home": "/", "ps1": assignment_page("ps1"), "ps2": assignment_page("ps2")},
        "dave": {"ps2": assignment_page("ps2")},
        "alice": {
            "home": "/",
            "ps1": assignment_page("ps1"),
            "ps3": assignment_page("ps3"),
            "status": reverse("admin:status", args=[Course.objects.get().pk]),
            "assignments": "/admin/exchange/assignment/",
            "change": change_page("ps2"),
            "course": reverse("admin:courses_course_change", args=[Course.objects.get().pk]),
            "import": change_page("ps2", "import_extensions"),
        },
        "gina": {"change": change_page("ps2")},
    }
    pages["bob"]["receipt"] = submission_page("bob", "ps1")
    ways = {"states": ask_for_another_due_date, "imported": import_extensions, "roster": choose_in_roster}
    folder.mkdir(parents=True, exist_ok=True)
    for size, where in ((SCREEN, "screen"), (TABLET, "tablet"), (PHONE, "phone")):
        schemes: tuple[Scheme, ...] = ("light", "dark")
        for scheme in schemes:
            for username, addresses in pages.items():
                visitor = Visitor(browser, url, username, size, scheme=scheme)
                for name, address in addresses.items():
                    visitor.open(address)
                    visitor.take(folder / f"{username}-{name}-{where}-{scheme}.png")
                for name, lead in (ways if username == "alice" else {}).items():
                    lead(visitor)
                    visitor.take(folder / f"{username}-{name}-{where}-{scheme}.png")
                if username == "bob":
                    check_receipt(visitor)
                    visitor.take(folder / f"bob-check-{where}-{scheme}.png")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--review", type=Path, metavar="FOLDER")
    folder = parser.parse_args().review
    data_folder.prepare()
    call_command("migrate", verbosity=0)
    fill(make_course())
    with service(DATA, workers=1) as started, sync_playwright() as playwright:
        chromium = shutil.which("chromium") or shutil.which("google-chrome")
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        if folder:
            review(browser, started.url, folder)
        else:
            make_pictures(browser, started.url, DOCS)
        browser.close()
    shutil.rmtree(DATA)


if __name__ == "__main__":
    main()
