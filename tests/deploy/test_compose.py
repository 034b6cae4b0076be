"""The files of deploy/compose, unchanged, on a real Docker Engine: what docs/compose.md says."""

import json
import shutil
import time

import pytest

from tests import cast, fake_hub, servers
from tests.deploy import docker_engine
from tests.deploy.compose_hub import Administrator, Visitor, ask

pytestmark = pytest.mark.deploy

THIS_MACHINE = docker_engine.SUBNET.partition("/")[0]  # as containers see it
PATIENCE = 900  # seconds that a stack may take to start, or an update, on a busy machine


@pytest.fixture(scope="module")
def docker(service_image, singleuser_image, tmp_path_factory):
    with docker_engine.started(tmp_path_factory.mktemp("docker")) as docker:
        docker.make_stand_ins(tmp_path_factory.mktemp("images") / "stand_ins")
        docker.take(service_image, "ngshare-service")
        docker.take(singleuser_image, "ngshare-singleuser")
        yield docker


@pytest.fixture
def folder(docker, sources, request):
    """A folder of deploy/compose in a copy of the sources, with secrets of its own."""
    folder = sources / "deploy" / "compose" / request.param
    docker.run("sh", "../make-secrets.sh", cwd=folder)
    yield folder
    (folder / ".env").unlink()


beside_hub = pytest.mark.parametrize("folder", ["beside-hub"], indirect=True)
everything = pytest.mark.parametrize("folder", ["everything"], indirect=True)


def secrets_of(folder):
    return dict(line.split("=") for line in (folder / ".env").read_text().split())


@beside_hub
def test_secrets_are_made_once_and_for_their_owner(docker, folder):
    before = secrets_of(folder)
    with pytest.raises(RuntimeError, match="There is an .env already"):
        docker.run("sh", "../make-secrets.sh", cwd=folder)
    assert secrets_of(folder) == before
    assert (folder / ".env").stat().st_mode & 0o777 == 0o600


@beside_hub
def test_receipt_of_a_submission_beside_a_hub_is_valid_after_down_and_up(docker, folder):
    port = servers.free_port()
    where = {"NGSHARE_ADDRESS": f"127.0.0.1:{port}"}

    def ngshare(who, method, address, **request):
        return ask(who, method, f"http://127.0.0.1:{port}/services/ngshare{address}", **request).json()

    with fake_hub.running(address=THIS_MACHINE, token_is_name=True) as hub:
        hub_port = hub.url.rpartition(":")[2].partition("/")[0]
        example = (folder / "example.env").read_text()
        (folder / "ngshare.env").write_text(example.replace("your-name", "root").replace("8081", hub_port))
        docker("compose", "up", "--wait", cwd=folder, variables=where)
        ngshare("root", "POST", cast.v2("courses"), json={"name": cast.COURSE, "instructors": ["alice"]})
        bob = {"members": [{"username": "bob", "role": "student"}]}
        ngshare("alice", "POST", cast.v2("courses", cast.COURSE, "members", "bulk"), json=bob)
        ngshare("alice", "POST", cast.of_assignment("releases"), data=cast.bundle(cast.PS1))
        receipt = ngshare("bob", "POST", cast.of_assignment("submissions"), data=cast.bundle(cast.WORK))
        docker("compose", "down", cwd=folder)
        docker("compose", "up", "--wait", cwd=folder, variables=where)
        assert ngshare("bob", "POST", cast.v2("receipts", "verify"), json=receipt)["valid"]
        docker("compose", "down", "--volumes", cwd=folder)


@beside_hub
def test_beside_a_hub_in_a_container_no_port_is_published(docker, folder):
    shutil.copy(folder / "example.env", folder / "ngshare.env")
    files = ("--file=compose.yaml", "--file=hub-in-docker.yaml")
    network = {"HUB_NETWORK": "jupyterhub"}
    rendered = json.loads(docker("compose", *files, "config", "--format=json", cwd=folder, variables=network))
    assert not [name for name, service in rendered["services"].items() if service.get("ports")]
    assert set(rendered["services"]["ngshare"]["networks"]) == {"backend", "default", "hub"}
    assert rendered["networks"]["hub"] == {"name": "jupyterhub", "ipam": {}, "external": True}


@everything
def test_one_command_starts_a_hub_where_students_submit_while_a_replica_is_dead(docker, folder):
    address = f"127.0.0.1:{servers.free_port()}"
    docker("compose", "up", "--wait", cwd=folder, variables={"HUB_ADDRESS": address})
    ports = docker("ps", "--format={{.Ports}}").split("\n")
    assert [port for port in ports if "->" in port] == [f"{address}->8000/tcp"]
    admin = Administrator(f"http://{address}", "admin", secrets_of(folder)["HUB_ADMIN_PASSWORD"])
    admin.start_course()
    admin.start_server("bob")
    terminal = ("exec", "--workdir=/home/jovyan", "jupyter-bob", "nbgrader")
    docker(*terminal, "fetch_assignment", "ps1", f"--course={cast.COURSE}")
    replicas = docker("compose", "ps", "--quiet", "ngshare", cwd=folder).split()
    assert len(replicas) == 2
    docker("kill", replicas[0])
    docker(*terminal, "submit", "ps1", f"--course={cast.COURSE}")
    assert [submission["student"] for submission in admin.submissions()] == ["bob"]
    docker("rm", "--force", "jupyter-bob")
    docker("compose", "down", "--volumes", cwd=folder)


@everything
def test_swarm_replaces_replicas_one_by_one_while_submissions_arrive(docker, folder):
    port = str(servers.free_port())
    docker("swarm", "init", "--advertise-addr=127.0.0.1")
    docker("node", "update", "--label-add=ngshare.data=here", docker("node", "ls", "--quiet"))
    docker.run("sh", "make-swarm-secrets.sh", cwd=folder)
    docker("stack", "deploy", "--compose-file=stack.yaml", "ngshare", cwd=folder, variables={"HUB_PORT": port})
    wait_for(docker, all_tasks_run)
    url = f"http://127.0.0.1:{port}"
    admin = Administrator(url, "admin", secrets_of(folder)["HUB_ADMIN_PASSWORD"])
    admin.start_course()
    admin.start_server("carol")  # a container of the swarm, too
    docker("service", "rm", "jupyter-carol")
    bob = Visitor(url, "bob", secrets_of(folder)["HUB_PASSWORD"])
    receipts = []
    docker("service", "update", "--force", "--detach", "ngshare_ngshare")

    def submit_until_updated(docker):
        receipts.append(bob.ngshare("POST", cast.of_assignment("submissions"), data=cast.bundle(cast.WORK)).json())
        return (
            docker("service", "inspect", "--format={{with .UpdateStatus}}{{.State}}{{end}}", "ngshare_ngshare")
            == "completed"
        )

    wait_for(docker, submit_until_updated)
    assert {submission["id"] for submission in admin.submissions()} == {receipt["id"] for receipt in receipts}
    docker("stack", "rm", "ngshare")


def wait_for(docker, holds):
    deadline = time.monotonic() + PATIENCE
    while not holds(docker):
        assert time.monotonic() < deadline, docker("stack", "ps", "--no-trunc", "ngshare")
        time.sleep(2)


def all_tasks_run(docker):
    return all(len(set(row.split("/"))) == 1 for row in docker("service", "ls", "--format={{.Replicas}}").split())
