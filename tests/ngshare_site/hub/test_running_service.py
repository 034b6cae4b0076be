"""`check_hub` finds the service that runs here, and checks with its environment: nobody else has its token."""

import os
import subprocess
from pathlib import Path

import pytest
from django.core.management import CommandError

from ngshare_site.hub import running_service
from ngshare_site.hub.running_service import Service, running_services
from ngshare_site.management.commands.check_hub import choose
from tests.ngshare_site.commands import run

pytestmark = pytest.mark.skipif(not Path("/proc").exists(), reason="only Linux shows environments of processes")
WAIT = "echo; read line"  # until the test ends it
NOBODY = 65534


@pytest.fixture
def start():
    """Start a process that is called as the service is."""
    processes = []

    def start(*arguments, user=None, **environment):
        command = ["/bin/sh", "-c", WAIT, "/opt/ngshare/bin/ngshare", *(arguments or ("serve", "--workers", "2"))]
        process = subprocess.Popen(
            command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, user=user, cwd="/"
        )
        processes.append(process)
        process.stdout.readline()  # it runs: its environment is its own
        return process.pid

    yield start
    for process in processes:
        process.kill()
        process.communicate()


def found(pid):
    return [service for service in running_services() if service.pid == pid]


def test_service_is_found_with_its_environment(start):
    pid = start(JUPYTERHUB_API_URL="http://127.0.0.1:9/hub/api", NGSHARE_ADMINS="root")
    [service] = found(pid)
    assert (
        service.environment.items()
        >= {"JUPYTERHUB_API_URL": "http://127.0.0.1:9/hub/api", "NGSHARE_ADMINS": "root"}.items()
    )


@pytest.mark.parametrize(
    ("arguments", "environment"),
    [((), {}), (("migrate",), {"JUPYTERHUB_API_URL": "http://hub"}), ((), {"JUPYTERHUB_API_URL": " "})],
    ids=["without a Hub", "another command", "with an empty address"],
)
def test_other_processes_are_not(start, arguments, environment):
    assert found(start(*arguments, **environment)) == []


def test_processes_of_one_service_are_one(start):
    own = f"http://hub-of-{os.getpid()}"  # of no service of other tests, beside these
    pids = [start(JUPYTERHUB_API_URL=own), start(JUPYTERHUB_API_URL=own)]
    assert sorted(pid for pid in pids if found(pid)) == [min(pids)]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may start a process of another user")
def test_environment_of_another_user_is_not_read_even_by_root(start):
    """Who wrote it could send root's tokens elsewhere, or have root run a program of theirs."""
    pid = start(user=NOBODY, JUPYTERHUB_API_URL="http://hub")
    assert running_service._service(pid) == Service(pid, "nobody", None)


def test_check_hub_goes_on_with_the_environment_of_the_service(start, hub, tmp_path):
    token = hub.user("a-secret-of-the-service", "ngshare", kind="service")
    pid = start(
        JUPYTERHUB_API_URL=hub.url,
        JUPYTERHUB_API_TOKEN=token,
        JUPYTERHUB_SERVICE_PREFIX="/services/ngshare/",
        NGSHARE_ADMINS="root",
    )
    done = run("check_hub", "--pid", str(pid), cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"(process {pid})" in done.stdout and "The Hub knows this service as ngshare." in done.stdout
    assert token not in done.stdout + done.stderr


def test_process_that_is_no_service_is_refused(tmp_path):
    done = run("check_hub", "--pid", "1", cwd=tmp_path)
    assert done.returncode == 1 and "--pid: process 1 is no service" in done.stderr and "Traceback" not in done.stderr


ONE, OTHER = (Service(pid, "ngshare", {"JUPYTERHUB_API_URL": "http://hub"}) for pid in (11, 12))
FOREIGN = Service(13, "somebody", None)


def test_the_only_service_whose_environment_can_be_read_is_chosen():
    assert choose([ONE, FOREIGN], None) == ONE and choose([FOREIGN], None) is None


def test_of_several_services_one_must_be_named():
    with pytest.raises(CommandError, match=r"Several services run here: choose one with --pid \(11, 12\)"):
        choose([ONE, OTHER], None)
    assert choose([ONE, OTHER], 12) == OTHER
