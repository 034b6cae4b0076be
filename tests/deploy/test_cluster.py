"""The chart on a real cluster: install, `helm test`, a regular task, upgrade, rollback, uninstall with the claim kept.

Collected only with KUBECONFIG. NGSHARE_TEST_IMAGE is the service's image, which the nodes can pull:

    KUBECONFIG=~/.kube/config NGSHARE_TEST_IMAGE=registry.example.edu/ngshare-service:1.0 \
        .venv/bin/python -m pytest tests/deploy/test_cluster.py

Everything happens in a namespace of its own, which enforces the standard *restricted* and is deleted at the end.
"""

import json
import os
import secrets
import subprocess
from pathlib import Path

import pytest

from tests.deploy.binaries import PACKAGES, unpack_binaries
from tests.deploy.charts import FOLDER

pytestmark = pytest.mark.deploy

REPOSITORY, _, TAG = os.environ.get("NGSHARE_TEST_IMAGE", "ngshare-service").partition(":")
PATIENCE = "5m"
VALUES = {
    "image": {"repository": REPOSITORY, "tag": TAG},
    "hub": {"proxyUrl": ""},
    "settings": {"NGSHARE_HUB_ADMINS": "1"},
    "persistence": {"size": "1Gi"},
}
COURSES = {"courses": {"Trial course": {"instructors": ["alice"], "students": ["bob"]}}}


class Cluster:
    """A namespace of the test's own."""

    def __init__(self, tools: Path, namespace: str):
        self.tools = tools
        self.namespace = namespace

    def run(self, tool, *arguments, text=None):
        command = [self.tools / tool, "--namespace", self.namespace, *arguments]
        outcome = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
        assert outcome.returncode == 0, f"{tool} {' '.join(arguments)}:\n{outcome.stdout}{outcome.stderr}"
        return outcome.stdout

    def install(self, values):
        arguments = ("upgrade", "--install", "ngshare", str(FOLDER), "--wait", "--timeout", PATIENCE, "--values", "-")
        self.run("helm", *arguments, text=json.dumps(values))

    def ngshare(self, *arguments):
        """Run a command of the service in the server's pod."""
        return self.run("kubectl", "exec", "deploy/ngshare", "--", "ngshare", *arguments)

    def read(self, path):
        return self.run("kubectl", "exec", "deploy/ngshare", "--", "cat", path)


@pytest.fixture
def cluster():
    tools = unpack_binaries(*PACKAGES["helm-4"])
    cluster = Cluster(tools, f"ngshare-test-{secrets.token_hex(4)}")
    cluster.run("kubectl", "create", "namespace", cluster.namespace)
    try:
        restricted = "pod-security.kubernetes.io/enforce=restricted"
        cluster.run("kubectl", "label", "namespace", cluster.namespace, restricted)
        stand_in = Path(__file__).with_name("stand_in_hub.yaml").read_text()
        stand_in = stand_in.replace("TOKEN", secrets.token_hex(16)).replace("IMAGE", os.environ["NGSHARE_TEST_IMAGE"])
        cluster.run("kubectl", "apply", "--filename", "-", text=stand_in)
        yield cluster
    finally:
        cluster.run("kubectl", "delete", "namespace", cluster.namespace, "--wait=false")


def test_life_of_a_release(cluster):
    cluster.install({**VALUES, **COURSES})
    assert "The Hub knows this service as ngshare." in cluster.run("helm", "test", "ngshare", "--logs")
    assert "bob" in cluster.ngshare("course_status", "Trial course")
    key = cluster.read("/var/lib/ngshare/data/ngshare_secret_key")

    cluster.run("kubectl", "create", "job", "sweep", "--from=cronjob/ngshare-sweep-blobs")
    cluster.run("kubectl", "wait", "job/sweep", "--for=condition=complete", f"--timeout={PATIENCE}")
    assert "0 blobs" in cluster.run("kubectl", "logs", "job/sweep")

    cluster.install({**VALUES, "server": {"threads": 4}})
    arguments = ("get", "deploy/ngshare", "--output", "jsonpath={.spec.template.spec.containers[0].args}")
    assert "--threads=4" in cluster.run("kubectl", *arguments)
    assert cluster.read("/var/lib/ngshare/data/ngshare_secret_key") == key

    cluster.run("helm", "rollback", "ngshare", "1", "--wait", "--timeout", PATIENCE)
    assert "--threads=8" in cluster.run("kubectl", *arguments)
    assert "bob" in cluster.ngshare("course_status", "Trial course")

    cluster.run("helm", "uninstall", "ngshare", "--wait")
    assert "ngshare-data" in cluster.run("kubectl", "get", "persistentvolumeclaim")
    cluster.install(VALUES)
    assert "bob" in cluster.ngshare("course_status", "Trial course")
    assert cluster.read("/var/lib/ngshare/data/ngshare_secret_key") == key
