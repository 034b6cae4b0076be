"""Deadlines that instructors set in formgrader, the gradebook and the admin: students see them wherever they look."""

import json
import re
import shutil
import subprocess

import pytest
from playwright.sync_api import expect

from tests.campus import SCOPE

pytestmark = pytest.mark.browser

COURSE = "NBG 101"
# What an instructor runs in the folder of their course.
GRANT = """
import sys
from nbgrader.api import Gradebook
with Gradebook("sqlite:///gradebook.db") as gradebook:
    gradebook.grant_extension(sys.argv[1], "carol", weeks=5000)
"""


@pytest.fixture
def release(campus):
    """Have alice release an assignment of this name, which has no due date yet."""

    def release(name):
        for username in ("alice", "carol"):
            campus.hub.start_server(username)
        course = campus.hub.home("alice") / "nbg101"
        shutil.copytree(course / "source/ps1", course / f"source/{name}")
        for command in ("generate_assignment", "release_assignment"):
            campus.nbgrader("alice", command, name)
        return name

    return release


def set_due_date(alice, name, due):
    """Fill in formgrader's own dialog and save it; return the dialog."""
    alice.row(name).locator(".edit a").click()
    dialog = alice.page.locator("#edit-assignment-modal")
    dialog.locator("input.modal-duedate").fill(due)
    dialog.get_by_role("button", name="Save").click()
    return dialog


def run(campus, username, *command):
    """Run a command in the user's folder of the course."""
    env, folder = campus.hub.environment_of_server(username), campus.hub.home(username) / "nbg101"
    done = subprocess.run([campus.hub.python, *command], cwd=folder, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def listed(campus, name):
    """What `nbgrader list` tells carol about the assignment."""
    return campus.nbgrader("carol", "list", name, "--course", COURSE)


def receipts(campus, name):
    """The receipts that carol's submissions left in her home, oldest first."""
    cache = campus.hub.home("carol") / ".local/share/jupyter/nbgrader_cache" / COURSE
    return [json.loads(path.read_text()) for path in sorted(cache.glob(f"carol+{name}+*/receipt.json"))]


def open_page(person, username, name):
    someone = person(username)
    someone.log_in(f"{someone.campus.hub.ngshare}/view/course/{COURSE}/{name}/")
    return someone


def test_due_date_that_is_set_in_formgrader_after_the_release_reaches_students(release, campus, person):
    name = release("later")
    assert "due" not in listed(campus, name)
    alice = person("alice")
    alice.open_formgrader()
    expect(set_due_date(alice, name, "2101-01-31T12:00")).to_have_count(0)
    expect(alice.row(name).locator(".duedate")).to_contain_text("2101-01-31 12:00")
    alice.picture("formgrader-5-due-date")
    assert f"{COURSE} {name}, due 2101-01-31 " in listed(campus, name)
    place, admin = f"courses/NBG%20101/assignments/{name}/", campus.hub.token_for("admin", SCOPE)
    assert campus.api("PATCH", place, admin, json={"cut_off": "2101-02-01T12:00Z"}).status_code == 200
    messages = []
    alice.page.once("dialog", lambda alert: (messages.append(alert.message), alert.accept()))
    expect(set_due_date(alice, name, "2101-03-01T12:00")).to_have_count(0)
    assert messages[0].startswith(f"The due date of {name} was not changed. The cut-off, 2101-02-01 12:00 UTC")
    expect(alice.row(name).locator(".duedate")).to_contain_text("2101-01-31 12:00")


def test_student_follows_the_due_date_and_the_extensions(release, campus, person):
    name = release("longer")
    alice = person("alice")
    alice.open_formgrader()
    set_due_date(alice, name, "2020-01-31T12:00")
    expect(alice.row(name).locator(".duedate")).to_contain_text("2020-01-31 12:00")

    assert f"{COURSE} {name}, due 2020-01-31 " in listed(campus, name)
    campus.nbgrader("carol", "fetch_assignment", name, "--course", COURSE)
    assert "It is late: it was due 2020-01-31 " in campus.nbgrader("carol", "submit", name, "--course", COURSE)
    (late,) = receipts(campus, name)
    assert late["due"] == "2020-01-31T12:00:00.000000Z"
    carol = open_page(person, "carol", name)
    facts, attempts = carol.page.locator("dl.facts"), carol.page.locator("table")
    expect(facts).to_contain_text("2020-01-31 12:00 UTC")
    expect(attempts).to_contain_text("late")

    for command in ("collect", "autograde"):
        campus.nbgrader("alice", command, name)
    run(campus, "alice", "-c", GRANT, name)
    manage = "-m", "nbgrader_plugin.cli.course_management"
    assert "sync_deadlines" in run(campus, "alice", *manage, "deadlines", COURSE, name)
    assert "carol" in run(campus, "alice", *manage, "sync_deadlines", COURSE, "--yes")
    assert "sync_deadlines" not in run(campus, "alice", *manage, "deadlines", COURSE, name)
    assert re.search(rf"{COURSE} {name} .*, due 2115-11-29 .*\(extended\)", listed(campus, name))
    carol.page.reload()
    expect(facts).to_contain_text(re.compile(r"2115-11-29 12:00 UTC in \d+ years extended"))
    expect(attempts).not_to_contain_text("late")
    carol.picture("pages-student-extended")

    alice.page.goto(f"{campus.hub.ngshare}/view/course/{COURSE}/{name}/")
    expect(alice.row("carol")).to_contain_text(re.compile("extended *due 2115-11-29 12:00 UTC"))
    alice.page.locator("dl.facts a", has_text="1").click()
    alice.page.get_by_role("link", name="Many extensions as a CSV file").click()
    alice.page.fill("#id_extensions-0-due_0", "2120-05-06")
    alice.page.fill("#id_extensions-0-reason", "illness")
    alice.page.get_by_role("button", name="Save", exact=True).click()
    expect(alice.page.locator(".messagelist .success")).to_be_visible()
    assert re.search(rf"{COURSE} {name} .*, due 2120-05-06 .*\(extended\)", listed(campus, name))
    carol.page.reload()
    expect(facts).to_contain_text(re.compile(r"2120-05-06 12:00 UTC in \d+ years extended"))
    expect(carol.page.locator("main")).not_to_contain_text("illness")

    assert "It is late" not in campus.nbgrader("carol", "submit", name, "--course", COURSE)
    assert [receipt["due"] for receipt in receipts(campus, name)] == [late["due"], "2120-05-06T12:00:00.000000Z"]
    for receipt in receipts(campus, name):
        carol.page.goto(f"{campus.hub.ngshare}/view/submission/{receipt['id']}/")
        expect(facts).to_contain_text(f"Due then{receipt['due'][:10]} 12:00:00 UTC")
        expect(facts).to_contain_text(receipt["code"])
