"""JupyterLab's Assignment List in a real Jupyter server, by the requests that its JavaScript sends."""

import pytest
import requests

from tests import servers
from tests.nbgrader_plugin.desk import call, goes_on_during, jupyter_server, make_desk, stopped
from tests.nbgrader_plugin.people import notebook, write

pytestmark = pytest.mark.live

FILES = {"p1.ipynb": notebook()}


@pytest.fixture
def bob(exchange, tmp_path):
    return make_desk(tmp_path / "bob", "bob", exchange)


@pytest.fixture
def released(alice):
    alice.releases(files=FILES)


class Lab:
    """What JupyterLab asks of a Jupyter server."""

    def __init__(self, url, course=""):
        self.url, self.course = url, course

    def courses(self):
        return requests.get(f"{self.url}/courses", timeout=300).json()

    def assignments(self):
        return requests.get(f"{self.url}/assignments", params={"course_id": self.course}, timeout=300).json()

    def press(self, action, assignment="ps1"):
        fields = {"course_id": self.course, "assignment_id": assignment}
        return requests.post(f"{self.url}/assignments/{action}", json=fields, timeout=300).json()


def test_cycle_by_the_buttons_of_the_list(released, alice, bob):
    with jupyter_server(bob) as (url, _log):
        lab = Lab(url, alice.course)
        assert alice.course in lab.courses()["value"]
        assert [row["status"] for row in lab.assignments()["value"]] == ["released"]
        (fetched,) = lab.press("fetch")["value"]
        assert fetched == {
            "course_id": alice.course, "assignment_id": "ps1", "status": "fetched", "path": "ps1",
            "notebooks": [{"notebook_id": "p1", "path": "ps1/p1.ipynb"}],
        }  # fmt: skip
        _, submitted = lab.press("submit")["value"]
        ((attempt,),) = [submitted["submissions"]]
        assert (submitted["status"], attempt["has_exchange_feedback"]) == ("submitted", False)
        alice.gives_feedback("bob", attempt["timestamp"])
        alice.does("ExchangeReleaseFeedback", "ps1")
        ((attempt,),) = [lab.assignments()["value"][1]["submissions"]]
        assert attempt["has_exchange_feedback"], "at the click after it was released"
        ((attempt,),) = [lab.press("fetch_feedback")["value"][1]["submissions"]]
        assert attempt["local_feedback_path"] == f"ps1/feedback/{attempt['timestamp']}"
        assert (bob.home / attempt["local_feedback_path"] / "p1.html").is_file()


def test_late_submission_is_called_late(released, alice, bob):
    write(bob.home / "ps1", FILES)
    with jupyter_server(bob) as (url, _log):
        lab = Lab(url, alice.course)
        lab.press("submit")
        call(bob.service, "PATCH", f"courses/{alice.course}/assignments/ps1/", json={"due": "2101-01-01T00:00Z"})
        (in_time,) = lab.assignments()["value"][1]["submissions"]
        assert in_time["timestamp"].endswith(" UTC")
        call(bob.service, "PATCH", f"courses/{alice.course}/assignments/ps1/", json={"due": "2021-01-01T00:00Z"})
        late, again = lab.press("submit")["value"][1]["submissions"]
        assert late["timestamp"] == f"{in_time['timestamp']}, late" and again["timestamp"].endswith(" UTC, late")


def test_list_is_never_older_than_the_click(released, alice, bob):
    with jupyter_server(bob) as (url, _log):
        lab = Lab(url, alice.course)
        assert len(lab.assignments()["value"]) == 1
        alice.does("ExchangeList", "ps1", remove=True)
        assert lab.assignments()["value"] == []


def test_failure_is_told_in_one_sentence(released, alice, bob):
    with jupyter_server(bob) as (url, log):
        lab = Lab(url, alice.course)
        lab.press("fetch")
        alice.does("ExchangeList", "ps1", remove=True)
        unreleased = f"ps1 was unreleased by your instructor (course {alice.course})."
        assert lab.press("submit") == {"success": False, "value": unreleased}
        again = lab.press("fetch")
        assert again == {"success": False, "value": unreleased}
        call(bob.service, "DELETE", f"courses/{alice.course}/members/bob/")
        assert lab.press("submit")["value"].startswith("You do not have access to this course.")
        text = log.read_text()
    assert unreleased in text
    assert "Traceback" not in text


def test_assignments_are_in_the_folder_that_is_configured(released, alice, bob):
    (bob.home / "work").mkdir()
    with (bob.home / ".jupyter/nbgrader_config.py").open("a") as config:
        config.write(f"c.Exchange.assignment_dir = {str(bob.home / 'work')!r}\n")
    with jupyter_server(bob) as (url, _log):
        (fetched,) = Lab(url, alice.course).press("fetch")["value"]
        assert fetched["path"] == "work/ps1"
    assert (bob.home / "work/ps1/p1.ipynb").is_file()


def test_server_goes_on_while_the_exchange_does_not_answer(tmp_path):
    with servers.service(tmp_path / "ngshare", workers=1) as service:
        bob = make_desk(tmp_path / "bob", "bob", service, seconds=10)
        with jupyter_server(bob) as (url, _log):
            lab = Lab(url, "any")
            assert lab.courses() == {"success": True, "value": []}
            with stopped(service):
                answer = goes_on_during(url, lab.courses)
                assert answer == {"success": False, "value": "The exchange did not answer within 10 seconds."}
            servers.wait_until(lambda: lab.courses()["success"])  # when it answers again, so does the list


def test_submission_is_not_called_failed_if_the_list_after_it_fails(released, alice, bob):
    with (bob.home / ".jupyter/nbgrader_config.py").open("a") as config:
        config.write("c.NgshareClient.lab_timeout = 0.0\n")  # no list comes in time
    write(bob.home / "ps1", FILES)
    with jupyter_server(bob) as (url, _log):
        answer = Lab(url, alice.course).press("submit")
    assert answer["success"] and [row["status"] for row in answer["value"]] == ["submitted"]
    assert len(alice.submissions()) == 1


def test_without_ngshare_the_list_is_that_of_nbgrader(bob):
    folder = bob.home / "exchange"
    write(folder / "NBG/outbound/ps1", FILES)
    folder.chmod(0o777)
    (bob.home / ".jupyter/nbgrader_config.py").write_text(f"c = get_config()\nc.Exchange.root = {str(folder)!r}\n")
    with jupyter_server(bob) as (url, _log):
        assert Lab(url, "NBG").courses() == {"success": True, "value": ["NBG"]}
        (fetched,) = Lab(url, "NBG").press("fetch")["value"]
        assert fetched["status"] == "fetched"
