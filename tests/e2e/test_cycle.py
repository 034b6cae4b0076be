"""The whole cycle on a real JupyterHub, by commands inside the users' own servers, with their own tokens."""

import json
import sqlite3

import pytest

pytestmark = pytest.mark.e2e

FETCHED = "Successfully fetched"


@pytest.fixture(scope="module")
def servers(campus):
    for username in ("alice", "bob", "carol"):
        campus.hub.start_server(username)
    return campus


def answer_notebook(path):
    notebook = json.loads(path.read_text())
    for cell in notebook["cells"]:
        if "YOUR CODE HERE" in "".join(cell["source"]):
            cell["source"] = "def squares(n):\n    return [i ** 2 for i in range(1, n + 1)]"
            break
    path.write_text(json.dumps(notebook))


def test_assignment_goes_all_the_way_round(servers):
    campus, hub = servers, servers.hub
    course = hub.home("alice") / "nbg101"
    run = campus.nbgrader
    run("alice", "generate_assignment", "ps1")
    assert "Released as: NBG 101 ps1" in run("alice", "release_assignment", "ps1")
    assert "NBG 101 ps1" in run("bob", "list")
    for student in ("bob", "carol"):
        assert "Fetched as: NBG 101 ps1" in run(student, "fetch_assignment", "ps1", "--course", "NBG 101")
    answer_notebook(hub.home("bob") / "ps1" / "problem1.ipynb")
    for student in ("bob", "carol"):
        assert "Submitted as: NBG 101 ps1" in run(student, "submit", "ps1", "--course", "NBG 101")
    inbound = run("alice", "list", "--inbound")
    assert "NBG 101 bob ps1" in inbound and "NBG 101 carol ps1" in inbound
    run("alice", "collect", "ps1")
    assert sorted(path.name for path in (course / "submitted").iterdir()) == ["bob", "carol"]
    assert (course / "submitted/bob/ps1/timestamp.txt").read_text().strip().endswith("UTC")
    run("alice", "autograde", "ps1")
    run("alice", "generate_feedback", "ps1")
    run("alice", "release_feedback", "ps1")
    run("bob", "fetch_feedback", "ps1", "--course", "NBG 101")
    (feedback,) = (hub.home("bob") / "ps1" / "feedback").glob("*/problem1.html")
    assert "<html" in feedback.read_text()
    assert "feedback already fetched" in run("bob", "list", "--cached")
    grades = sqlite3.connect(course / "gradebook.db").execute("select count(*) from submitted_assignment").fetchone()
    assert grades == (2,)


def test_receipt_of_a_real_hand_in_verifies(servers):
    campus = servers
    token = campus.hub.environment_of_server("bob")["JUPYTERHUB_API_TOKEN"]
    rows = campus.api("GET", "submissions/?mine=true", token).json()["results"]
    receipt = campus.api("GET", f"submissions/{rows[0]['id']}/receipt/", token).json()
    assert receipt["student"] == "bob"
    assert campus.api("POST", "receipts/verify/", token, json=receipt).json()["valid"] is True


def test_emptied_home_loses_nothing(servers):
    campus, home = servers, servers.hub.home("bob")
    before = campus.nbgrader("bob", "list", "--cached", "--course", "NBG 101")
    for folder in ("ps1", ".local"):
        (home / folder).rename(home / f"{folder}-gone") if (home / folder).exists() else None
    after = campus.nbgrader("bob", "list", "--cached", "--course", "NBG 101")
    assert "NBG 101 bob ps1" in before and "NBG 101 bob ps1" in after
    campus.nbgrader("bob", "fetch_feedback", "ps1", "--course", "NBG 101")
    assert list((home / "ps1" / "feedback").glob("*/problem1.html"))
