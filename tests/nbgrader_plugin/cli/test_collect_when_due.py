"""ngshare-course-management collect_when_due, at a real service."""

import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from nbgrader_plugin.cli import collect_when_due
from tests import servers
from tests.nbgrader_plugin.desk import call, make_desk

pytestmark = pytest.mark.live


def set_due(desk, course, due, **values):
    call(desk.service, "PATCH", f"courses/{course}/assignments/ps1/", json={"due": due.isoformat(), **values})


def collected(folder):
    return {path.parent.name for path in (folder / "submitted").glob("*/ps1")}


def in_seconds(seconds):
    return datetime.now(UTC) + timedelta(seconds=seconds)


@pytest.fixture
def at_once(monkeypatch):
    """This computer's clock is that of the service."""
    monkeypatch.setattr(collect_when_due, "AFTER", timedelta())


def test_cron_collects_when_it_is_due_and_not_before(desk, manage, folder, released, at_once):
    assert "ps1 has no due date." in manage("collect_when_due", released, "ps1", "--now-if-due", status=1).stderr
    set_due(desk, released, in_seconds(3600))
    assert "nothing was collected" in manage("collect_when_due", released, "ps1", "--now-if-due").stdout
    assert collected(folder) == set()
    set_due(desk, released, in_seconds(-60))
    assert f"Collected ps1 of '{released}'." in manage("collect_when_due", released, "ps1", "--now-if-due").stdout
    assert collected(folder) == {"bob", "carol"}
    assert "No newer submission" in manage("collect_when_due", released, "ps1", "--now-if-due").stderr


@pytest.mark.parametrize("values", [{"cut_off": "2101-01-01T00:00Z"}, {}])
def test_cut_off_and_the_latest_extension_are_waited_for(desk, manage, folder, released, at_once, values):
    set_due(desk, released, in_seconds(-60), **values)
    if not values:
        extension = {"student": "bob", "due": "2101-01-01T00:00Z"}
        path = f"courses/{released}/assignments/ps1/extensions/"
        call(desk.service, "POST", path, json={"extensions": [extension]})
    result = manage("collect_when_due", released, "ps1", "--now-if-due")
    assert "ps1 is due 2101-01-01 00:00 UTC: nothing was collected." in result.stdout
    assert collected(folder) == set()


def test_it_waits_collects_and_ends(desk, manage, folder, released, at_once):
    due = in_seconds(10)  # by then it waits, on a busy machine too
    set_due(desk, released, due)
    result = manage("collect_when_due", released, "ps1")
    assert datetime.now(UTC) > due
    assert "Waiting" in result.stderr and "Collecting submission: bob ps1" in result.stderr
    assert collected(folder) == {"bob", "carol"}


def test_due_date_that_is_moved_meanwhile_is_seen(desk, manage, folder, released, at_once, monkeypatch):
    monkeypatch.setattr(collect_when_due, "LOOK_AGAIN", 0.2)
    set_due(desk, released, in_seconds(3600))
    earlier = threading.Timer(2, lambda: set_due(desk, released, in_seconds(-1)))
    earlier.start()
    manage("collect_when_due", released, "ps1")
    earlier.join()
    assert collected(folder) == {"bob", "carol"}


def test_folder_of_another_course_is_refused(manage, courses, folder):
    assert courses[0] in manage("collect_when_due", courses[1], "ps1", status=1).stderr
    assert not (folder / "submitted").exists()


def test_interrupt_ends_it_quietly(desk, folder, released):
    set_due(desk, released, in_seconds(3600))
    command = [sys.executable, "-m", "nbgrader_plugin.cli.course_management", "collect_when_due", released, "ps1"]
    listens = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)  # also where the tests run in the background
    process = subprocess.Popen(command, env=desk.env, cwd=folder, stderr=subprocess.PIPE, text=True, preexec_fn=listens)
    assert "Waiting" in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    rest = process.communicate(timeout=300)[1]
    assert (process.returncode, rest) == (130, "Interrupted.\n")


def test_service_that_goes_away_and_comes_back_is_waited_for(tmp_path):
    data, port = tmp_path / "ngshare", servers.free_port()
    with servers.service(data, workers=1, port=port) as service:
        desk = make_desk(tmp_path / "alice", "alice", service)
        call(service, "POST", "courses/", json={"name": "NBG", "instructors": ["alice"]})
        config = desk.home / ".jupyter/nbgrader_config.py"
        config.write_text(config.read_text() + "c.CourseDirectory.course_id = 'NBG'\nc.NgshareClient.attempts = 1\n")
        (desk.home / "release/ps1").mkdir(parents=True)
        (desk.home / "release/ps1/a.txt").write_text("a")
        release = [sys.executable, "-m", "nbgrader", "release_assignment", "ps1"]
        subprocess.run(release, env=desk.env, cwd=desk.home, check=True, capture_output=True)
        set_due(desk, "NBG", in_seconds(3600))
        program = (
            "import sys; from nbgrader_plugin.cli import collect_when_due as c, course_management as m; "
            "c.LOOK_AGAIN = c.TRY_AGAIN = 0.2; sys.exit(m.main(['collect_when_due', 'NBG', 'ps1']))"
        )
        process = subprocess.Popen(
            [sys.executable, "-c", program], env=desk.env, cwd=desk.home, stderr=subprocess.PIPE, text=True
        )
        assert "Waiting" in process.stderr.readline()
    assert "Still waiting." in process.stderr.readline()
    time.sleep(1)
    assert process.poll() is None
    with servers.service(data, workers=1, port=port):
        set_due(desk, "NBG", in_seconds(-60))
        rest = process.communicate(timeout=300)[1]
    assert process.returncode == 0, rest
    assert "No submissions of 'ps1' for course 'NBG' to collect" in rest
