"""Several machines that share nothing but PostgreSQL, an object store and Redis: each request reaches any of them, as
behind a load balancer. One is killed, and an older version goes on while a newer one migrates."""

import subprocess
import tarfile
from contextlib import ExitStack
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from django.core.management.utils import get_random_secret_key

from tests import cast, fake_hub, servers
from tests.faults.rush import rush_of

pytestmark = pytest.mark.faults

HUB = {
    "NGSHARE_STANDALONE": "0",
    "JUPYTERHUB_API_TOKEN": "service-token",
    "JUPYTERHUB_SERVICE_PREFIX": "/",
    "JUPYTERHUB_OAUTH_CALLBACK_URL": "/oauth_callback",
}


@pytest.fixture
def hub():
    with fake_hub.running(token_is_name=True) as running:
        yield running


@pytest.fixture
def shared(hub):
    """The variables that all machines have in common."""
    with ExitStack() as stack:
        yield {
            "DATABASE_URL": stack.enter_context(servers.postgres()),
            "NGSHARE_STORAGE": stack.enter_context(servers.s3()),
            "NGSHARE_CACHE": stack.enter_context(servers.redis())[0],
            "NGSHARE_SECRET_KEY": get_random_secret_key(),
            "JUPYTERHUB_API_URL": hub.url,
            **HUB,
        }


def test_a_rush_on_three_machines_of_which_one_is_killed(supervise, shared):
    machines = [supervise(f"machine{number}", workers=1, **shared) for number in range(3)]
    with rush_of([one.url for one in machines]) as rush:
        for machine in machines:
            rush.wait_for(10)
            machine.kill_all()
            rush.wait_for(10)
            machine.start()
    assert all(machine.data.is_dir() and not list(machine.data.glob("blobs/??/*")) for machine in machines)


def test_the_whole_cycle_and_a_log_in_with_each_request_at_another_machine(supervise, shared, hub):
    machines = [supervise(f"machine{number}", workers=1, **shared) for number in range(2)]
    urls = [one.url for one in machines]
    with rush_of(urls, students=2) as rush:
        pass
    done = rush.acknowledged[0]
    html = b"<b>well done</b>"
    item = {"submission": done.receipt["id"], "files": cast.manifest({"ps1.html": html})}
    body = cast.tar([("manifest.json", cast.json_of({"feedback": [item]})), (cast.sha256(html), html)])
    assert rush.ask("alice", "POST", cast.of_assignment("feedback"), data=body, server=0).status_code in (200, 201)
    mine = rush.ask(done.student, "GET", cast.v2("submissions"), params={"mine": "true"}, server=1).json()["results"]
    feedback = next(row["feedback"] for row in mine if row["id"] == done.receipt["id"])
    fetched = rush.ask(done.student, "GET", cast.v2("blobs", feedback["files"][0]["sha256"]), server=1)
    assert fetched.content == html

    hub.codes["code-of-alice"] = hub.user("token-of-alice", "alice", *fake_hub.SERVER_SCOPES, fake_hub.ACCESS)
    browser = requests.Session()
    begun = browser.get(f"{urls[0]}/login/", allow_redirects=False, timeout=30)
    state = parse_qs(urlsplit(begun.headers["Location"]).query)["state"][0]
    answer = {"code": "code-of-alice", "state": state}
    # Cookies are for a host whatever its port, as behind a load balancer.
    back = browser.get(f"{urls[1]}/oauth_callback", params=answer, allow_redirects=False, timeout=30)
    assert back.status_code == 302, back.text
    home = browser.get(f"{urls[0]}/", timeout=30)
    assert cast.COURSE in home.text


def commit_before_the_newest_migration():
    """Return the newest commit without the newest migrations, or "" where the history is not here.

    What was merged counts as one step: a commit in the middle of it is no version.
    """
    found = git("log", "--format=%H", "--first-parent", "-m", "--diff-filter=A", "-n1", "--", "*/migrations/0*.py")
    return git("rev-parse", "--verify", "--quiet", f"{found}^") if found else ""


def git(*arguments):
    command = ["git", "-c", "safe.directory=*", *arguments]
    outcome = subprocess.run(command, cwd=servers.ROOT, capture_output=True, text=True, check=False)
    return outcome.stdout.strip() if outcome.returncode == 0 else ""


# An older version finds no package of the newer one, which is installed from its sources.
WITHOUT_EDITABLE = """\
import sys

sys.meta_path[:] = [finder for finder in sys.meta_path if "editable" not in finder.__module__]
"""


if commit_before_the_newest_migration():

    def test_an_older_version_goes_on_while_a_newer_one_migrates(supervise, shared, tmp_path):
        checkout = tmp_path / "older"
        archive = tmp_path / "older.tar"
        git("archive", f"--output={archive}", commit_before_the_newest_migration())
        with tarfile.open(archive) as packed:
            packed.extractall(checkout, filter="data")
        (checkout / "sitecustomize.py").write_text(WITHOUT_EDITABLE)
        ours = {**shared, "PYTHONPATH": str(checkout)}
        older = [supervise(f"older{number}", workers=1, checkout=checkout, **ours) for number in range(2)]
        with rush_of([one.url for one in older]) as rush:
            newer = supervise("newer", workers=1, **shared)  # it migrates before it serves
            rush.urls.append(newer.url)
            rush.wait_for(20)
            for one in older:
                rush.urls.remove(one.url)
                one.close()
                rush.wait_for(10)
