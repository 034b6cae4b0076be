"""Rosters from the groups of a real Hub: at the first request, and all at once by `sync_groups`."""

import json
import os
import subprocess
import sys

import pytest

from tests.campus import SCOPE, Campus, started
from tests.servers import ROOT

pytestmark = pytest.mark.e2e
COURSE = "Grouped 1"


def put_into_groups(hub, groups):
    for group, names in groups.items():
        hub.ask("POST", f"groups/{group}")
        for name in names:
            hub.token_for(name)  # so that the Hub knows them
        hub.ask("POST", f"groups/{group}/users", json={"users": names})


def sync_groups(hub, *arguments):
    env = {
        "PATH": os.environ["PATH"],
        "NGSHARE_DATA": str(hub.folder / "ngshare"),
        "JUPYTERHUB_API_URL": f"http://127.0.0.1:{hub.ports[1]}{hub.base_url}hub/api",
        "JUPYTERHUB_API_TOKEN": hub.ngshare_token,
        "JUPYTERHUB_SERVICE_NAME": "ngshare",
    }
    command = [sys.executable, str(ROOT / "manage.py"), "sync_groups", *arguments]
    done = subprocess.run(command, env=env, capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr


def roster(campus):
    admin = campus.hub.token_for("admin", SCOPE)
    rows = campus.api("GET", f"courses/{COURSE}/members/", admin).json()["results"]
    return {row["username"]: row["role"] for row in rows}


def lines_to_add(output):
    """What the command prints to be put into jupyterhub_config.py."""
    start = output.index("c.JupyterHub.load_roles")
    return output[start : output.index("\n)", start) + 3]


def test_groups_join_people_at_their_first_request_and_all_at_once_by_command(tmp_path):
    more = tmp_path / "more.py"
    more.write_text("")
    variables = {"DEMO_NGSHARE_ENV": json.dumps({"NGSHARE_GROUPS": "1"}), "DEMO_MORE": str(more)}
    with started(tmp_path / "hub", variables=variables) as hub:
        campus = Campus(hub)
        put_into_groups(
            hub, {f"nbgrader-{COURSE}": ["bob", "carol"], f"formgrade-{COURSE}": ["alice"], "other": ["dave"]}
        )
        admin = hub.token_for("admin", SCOPE)
        assert campus.api("POST", "courses/", admin, json={"name": COURSE}).status_code == 201
        for name, courses in (("bob", [(COURSE, "student")]), ("alice", [(COURSE, "instructor")]), ("dave", [])):
            seen = campus.api("GET", "me/", hub.token_for(name, SCOPE)).json()["courses"]
            assert [(row["name"], row["role"]) for row in seen] == courses
        assert roster(campus) == {"alice": "instructor", "bob": "student"}

        status, _, output = sync_groups(hub)
        assert status == 1 and "list:groups" in output
        hub.stop()
        more.write_text(lines_to_add(output))
        hub.start()

        status, output, _ = sync_groups(hub, "--dry-run")
        assert status == 0 and "carol: created as student" in output
        assert roster(campus) == {"alice": "instructor", "bob": "student"}
        assert sync_groups(hub, COURSE)[0] == 0
        assert roster(campus) == {"alice": "instructor", "bob": "student", "carol": "student"}
