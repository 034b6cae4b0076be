"""The table of ngshare-course-management status."""

import re

from nbgrader_plugin.cli.course_status import render_status


def test_status_has_a_column_for_each_assignment():
    last = "2026-11-24T14:33:56.123456Z"
    work = [
        {"assignment": "ps1", "state": "newer_than_collected", "attempts": 2, "last": last, "late": True},
        {"assignment": "ps2", "state": "feedback_returned", "attempts": 1, "last": last, "late": False},
    ]
    members = [
        {"username": "bob", "first_name": "Bob", "last_name": "B", "section": "2", "work": work},
        {"username": "carol", "first_name": None, "last_name": "", "section": "", "standing": "grader", "work": []},
    ]
    counts = {"sentence": "1 of 1 student"}
    assignments = [{"name": name, "status": "released", "due": None, "counts": counts} for name in ("ps1", "ps2")]
    pages = [{"course": "algebra", "assignments": assignments, "members": [member]} for member in members]
    lines = [re.split("  +", line) for line in render_status(pages).splitlines()]
    assert lines[0] == ["username", "name", "section", "ps1", "ps2"]
    assert lines[2] == [
        *("bob", "Bob B", "2"),
        "2026-11-24 14:33, late, newer than collected, 2 attempts",
        "2026-11-24 14:33, feedback returned",
    ]
    assert lines[3] == ["carol", "(grader)", "-", "-"]
    assert lines[4] == ["submitted", "1 of 1 student", "1 of 1 student"]
