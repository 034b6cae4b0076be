"""The whole cycle on a real JupyterHub, by commands inside the users' own servers, with their own tokens."""

import json
import shutil
import sqlite3

import pytest

pytestmark = pytest.mark.e2e

ASSIGNMENT = "around"  # of its own: the browser tests use the same course


@pytest.fixture(scope="module")
def servers(each_campus):
    for username in ("alice", "bob", "carol"):
        each_campus.hub.start_server(username)
    return each_campus


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
    shutil.copytree(course / "source" / "ps1", course / "source" / ASSIGNMENT)
    run("alice", "generate_assignment", ASSIGNMENT)
    assert f"Released as: NBG 101 {ASSIGNMENT}" in run("alice", "release_assignment", ASSIGNMENT)
    assert f"NBG 101 {ASSIGNMENT}" in run("bob", "list")
    for student in ("bob", "carol"):
        assert f"Fetched as: NBG 101 {ASSIGNMENT}" in run(
            student, "fetch_assignment", ASSIGNMENT, "--course", "NBG 101"
        )
    answer_notebook(hub.home("bob") / ASSIGNMENT / "problem1.ipynb")
    for student in ("bob", "carol"):
        assert f"Submitted as: NBG 101 {ASSIGNMENT}" in run(student, "submit", ASSIGNMENT, "--course", "NBG 101")
    inbound = run("alice", "list", "--inbound")
    assert f"NBG 101 bob {ASSIGNMENT}" in inbound and f"NBG 101 carol {ASSIGNMENT}" in inbound
    run("alice", "collect", ASSIGNMENT)
    assert sorted(path.name for path in (course / "submitted").iterdir()) == ["bob", "carol"]
    assert (course / f"submitted/bob/{ASSIGNMENT}/timestamp.txt").read_text().strip().endswith("UTC")
    run("alice", "autograde", ASSIGNMENT)
    run("alice", "generate_feedback", ASSIGNMENT)
    run("alice", "release_feedback", ASSIGNMENT)
    run("bob", "fetch_feedback", ASSIGNMENT, "--course", "NBG 101")
    (feedback,) = (hub.home("bob") / ASSIGNMENT / "feedback").glob("*/problem1.html")
    assert "<html" in feedback.read_text()
    assert "feedback already fetched" in run("bob", "list", "--cached")
    graded = """select count(*) from submitted_assignment join assignment on assignment.id = assignment_id
                where assignment.name = ?"""
    assert sqlite3.connect(course / "gradebook.db").execute(graded, [ASSIGNMENT]).fetchone() == (2,)


def test_receipt_of_a_real_submission_verifies(servers):
    campus = servers
    token = campus.hub.environment_of_server("bob")["JUPYTERHUB_API_TOKEN"]
    rows = campus.api("GET", f"submissions/?mine=true&assignment={ASSIGNMENT}", token).json()["results"]
    receipt = campus.api("GET", f"submissions/{rows[0]['id']}/receipt/", token).json()
    assert receipt["student"] == "bob"
    assert campus.api("POST", "receipts/verify/", token, json=receipt).json()["valid"] is True


def test_emptied_home_loses_nothing(servers):
    campus, home = servers, servers.hub.home("bob")
    before = campus.nbgrader("bob", "list", "--cached", "--course", "NBG 101")
    for folder in (ASSIGNMENT, ".local"):
        (home / folder).rename(home / f"{folder}-gone") if (home / folder).exists() else None
    after = campus.nbgrader("bob", "list", "--cached", "--course", "NBG 101")
    assert f"NBG 101 bob {ASSIGNMENT}" in before and f"NBG 101 bob {ASSIGNMENT}" in after
    campus.nbgrader("bob", "fetch_feedback", ASSIGNMENT, "--course", "NBG 101")
    assert list((home / ASSIGNMENT / "feedback").glob("*/problem1.html"))
