"""The whole way round with the real `nbgrader` command line, between two people who share no folder."""

import json
import shutil
import sys

import pytest
from nbgrader.api import Gradebook

from tests.environments import CannotInstall, older_python
from tests.nbgrader_plugin.asked import asked_meanwhile
from tests.nbgrader_plugin.home import Home
from tests.nbgrader_plugin.people import notebook, write

pytestmark = pytest.mark.nbgrader


@pytest.fixture(scope="module", params=["newest", "oldest"])
def python(request):
    """One with the newest nbgrader, and one with the oldest that the plugin takes."""
    if request.param == "newest":
        return sys.executable
    try:
        return older_python()
    except CannotInstall as error:
        pytest.skip(f"the oldest nbgrader cannot be installed here: {error}")


@pytest.fixture
def homes(exchange, course, tmp_path, python):
    """A course of the test's own, with alice who teaches and bob who takes it: (course, alice, bob)."""
    return course, *(Home(exchange, tmp_path / name, name, python) for name in ("alice", "bob"))


def quickstart(alice, course):
    """nbgrader's own example course, pointed at this exchange."""
    alice.nbgrader("quickstart", "course")
    folder = alice.folder / "course"
    config = folder / "nbgrader_config.py"
    config.write_text(f"{config.read_text()}\nc.CourseDirectory.course_id = {course!r}\n")
    return folder


def solve(path):
    notebook = json.loads(path.read_text())
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code" and "YOUR CODE HERE" in "".join(cell["source"]):
            cell["source"] = "def squares(n):\n    return [i ** 2 for i in range(1, n + 1)]"
            break
    path.write_text(json.dumps(notebook))


def test_assignment_goes_all_the_way_round(homes):
    course, alice, bob = homes
    folder = quickstart(alice, course)

    def teach(*arguments):
        return alice.nbgrader(*arguments, cwd=folder)

    teach("generate_assignment", "ps1")
    assert f"Released as: {course} ps1" in teach("release_assignment", "ps1")
    assert "already exists, add --force" in alice.nbgrader("release_assignment", "ps1", cwd=folder, fails=True)
    assert f"{course} ps1" in teach("list")

    assert f"[INFO] {course} ps1" in bob.nbgrader("list").replace("[ListApp | INFO]", "[INFO]")
    assert f"{course} ps1" in bob.nbgrader("list", "--course", "*")
    assert f"{course} ps1" in bob.nbgrader("list", "--course", course)
    bob.nbgrader("fetch_assignment", "ps1", "--course", course)
    assert "(already downloaded)" in bob.nbgrader("list", "--course", course)
    solve(bob.folder / "ps1" / "problem1.ipynb")
    output = bob.nbgrader("submit", "ps1", "--course", course)
    assert f"Submitted as: {course} ps1" in output and "Receipt" in output
    assert f"{course} bob ps1" in bob.nbgrader("list", "--cached", "--course", "*")

    assert f"{course} bob ps1" in teach("list", "--inbound")
    assert "Collecting submission: bob ps1" in teach("collect", "ps1")
    assert "already exists, use --update" in teach("collect", "ps1")
    assert (folder / "submitted/bob/ps1/problem1.ipynb").read_text() == (bob.folder / "ps1/problem1.ipynb").read_text()
    teach("autograde", "ps1")
    teach("generate_feedback", "ps1")
    teach("release_feedback", "ps1")

    assert "feedback ready to be fetched" in bob.nbgrader("list", "--cached", "--course", course)
    bob.nbgrader("fetch_feedback", "ps1", "--course", course)
    (page,) = (bob.folder / "ps1/feedback").glob("*/problem1.html")
    assert page.read_bytes() == (folder / "feedback/bob/ps1/problem1.html").read_bytes()
    assert "feedback already fetched" in bob.nbgrader("list", "--cached", "--course", course)

    bob.nbgrader("submit", "ps1", "--course", course)
    assert "Updating submission: bob ps1" in teach("collect", "ps1", "--update")
    teach("list", "--remove")
    assert f"{course} ps1" not in bob.nbgrader("list")
    assert f"{course} bob ps1" in teach("list", "--inbound")
    assert f"Released as: {course} ps1" in teach("release_assignment", "ps1")
    assert f"{course} bob ps1" in teach("list", "--inbound")


def test_extension_is_in_the_gradebook_before_autograde_looks_for_it(homes):
    course, alice, bob = homes
    folder = quickstart(alice, course)
    for command in ("generate_assignment", "release_assignment"):
        alice.nbgrader(command, "ps1", cwd=folder)
    bob.nbgrader("fetch_assignment", "ps1", "--course", course)
    solve(bob.folder / "ps1" / "problem1.ipynb")
    bob.nbgrader("submit", "ps1", "--course", course)
    alice.manage("set_due", course, "ps1", "--due", "2021-07-01T12:00Z", "--yes", cwd=folder)
    alice.nbgrader("collect", "ps1", cwd=folder)
    alice.manage("extend", course, "ps1", "--student", "bob", "--due", "2101-07-01T12:00Z", "--yes", cwd=folder)
    assert "seconds late" not in alice.nbgrader("autograde", "ps1", cwd=folder)
    with Gradebook(f"sqlite:///{folder}/gradebook.db", course) as gradebook:
        submission = gradebook.find_submission("ps1", "bob")
        assert submission.total_seconds_late == 0
        assert submission.score > 0
    alice.manage("extend", course, "ps1", "--student", "bob", "--withdraw", "--yes", cwd=folder)
    assert "seconds late" in alice.nbgrader("autograde", "ps1", "--force", cwd=folder)


def test_failures_end_with_the_servers_sentence_and_exit_status(homes):
    course, alice, bob = homes
    assert "Assignment not found" in bob.nbgrader("fetch_assignment", "ps9", "--course", course, fails=True)
    outsider = Home(bob.service, bob.folder.parent / "erin", "erin", bob.python)
    (outsider.folder / "ps1").mkdir()
    output = outsider.nbgrader("submit", "ps1", "--course", course, fails=True)
    assert "You do not have access to this course. You are not a member of" in output
    away = Home(bob.service, bob.folder.parent / "carol", "carol", bob.python)
    away.service = type(bob.service)("http://127.0.0.1:9", *list(vars(bob.service).values())[1:])
    output = away.nbgrader("list", fails=True)
    assert "cannot be reached" in output and "Traceback" not in output


def test_commands_send_no_more_requests_than_they_need(homes):
    course, alice, bob = homes
    folder = write(alice.folder / "course", {"release/ps1/p1.ipynb": notebook()})
    latest, deadline, submit, bundle = (
        "GET assignments/ps1/releases/latest/",
        "GET assignments/ps1/",
        "POST assignments/ps1/submissions/",
        "POST blobs/bundle/",
    )

    def of(home, *command, cwd=None):
        def act():
            home.nbgrader(*command, "--course", course, cwd=cwd)

        return asked_meanwhile(home.service, home.username, act, course)

    assert of(alice, "release_assignment", "ps1", cwd=folder) == [
        "GET assignments/ps1/", "POST assignments/ps1/releases/"
    ]  # fmt: skip
    assert of(bob, "list") == ["GET assignments/"]
    assert of(bob, "fetch_assignment", "ps1") == [latest, bundle]
    assert of(bob, "submit", "ps1") == [deadline, submit]
    shutil.rmtree(bob.folder / ".local/share/jupyter/nbgrader_cache")
    assert of(bob, "submit", "ps1") == [latest, deadline, submit]
    assert of(bob, "list", "--cached") == ["GET submissions/"]
    assert of(alice, "collect", "ps1", cwd=folder) == [
        "GET submissions/", "GET ", "GET submissions/", bundle, "POST submissions/collected/"
    ]  # fmt: skip  # is alice staff (asked where there is one submission alone, which might be her own); trials


def test_student_reads_german(exchange, course, alice, tmp_path):
    alice.releases("ps1")
    bob = Home(exchange, tmp_path / "bob", "bob")
    bob.language = "de"
    assert f"Abgerufen als: {course} ps1" in bob.nbgrader("fetch_assignment", "ps1", "--course", course)
    listed = bob.nbgrader("list", "--course", course)
    assert "Freigegebene Aufgaben:" in listed
    assert f"{course} ps1 (schon abgerufen)" in listed
    assert f"Abgegeben als: {course} ps1" in bob.nbgrader("submit", "ps1", "--course", course)
    assert '"status": "fetched"' in bob.nbgrader("list", "--json", "--course", course)
    assert "Aufgabe nicht gefunden: " in bob.nbgrader("submit", "ps9", "--course", course, fails=True)
