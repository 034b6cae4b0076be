"""The table of ngshare-course-management status."""

from nbgrader_plugin.cli.course_status import render_status


def test_status_has_a_column_for_each_assignment():
    last = "2026-11-24T14:33:56.123456Z"
    work = [
        {"assignment": "ps1", "attempts": 2, "last": last, "late": True, "collected": None, "feedback": None},
        {"assignment": "ps2", "attempts": 1, "last": last, "late": False, "collected": True, "feedback": True},
    ]
    members = [
        {"username": "bob", "first_name": "Bob", "last_name": "B", "section": "2", "work": work},
        {"username": "carol", "first_name": None, "last_name": "", "section": "", "work": []},
    ]
    assignments = [{"name": name, "status": "released", "due": None} for name in ("ps1", "ps2")]
    lines = render_status({"course": "algebra", "assignments": assignments, "members": members}).splitlines()
    assert lines[0].split() == ["student", "name", "section", "ps1", "ps2"]
    assert lines[2].split() == ["bob", "Bob", "B", "2", "submitted", "(2", "times,", "late)", "feedback"]
    assert lines[3].split() == ["carol", "–", "–"]
