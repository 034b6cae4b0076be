"""A namespace of a real cluster, for tests that are given one by KUBECONFIG.

KUBECONFIG=~/.kube/config NGSHARE_TEST_IMAGE=registry.example.edu/ngshare-service:1.0 \
    NGSHARE_TEST_USERS_IMAGE=registry.example.edu/ngshare-singleuser:1.0 NGSHARE_TEST_HUB_CHART=jupyterhub/jupyterhub \
    .venv/bin/python -m pytest -m deploy -k cluster tests/deploy

The nodes must be able to pull the images. NGSHARE_TEST_HUB_CHART is the chart of Zero to JupyterHub, as Helm knows it
or as an archive; without it and the users' image, what needs a whole Hub is not collected.
"""

import json
import os
import secrets
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from tests.deploy.binaries import PACKAGES, unpack_binaries
from tests.deploy.charts import FOLDER

IMAGE = os.environ.get("NGSHARE_TEST_IMAGE", "ngshare-service")
USERS_IMAGE = os.environ.get("NGSHARE_TEST_USERS_IMAGE", "")
HUB_CHART = os.environ.get("NGSHARE_TEST_HUB_CHART", "")
PATIENCE = "5m"


def split(image: str) -> tuple[str, str]:
    """Return the repository and the tag of an image; a registry may have a port.

    >>> split("localhost:5000/ngshare-service:1.0"), split("localhost:5000/ngshare-service")
    (('localhost:5000/ngshare-service', '1.0'), ('localhost:5000/ngshare-service', ''))
    """
    folder, slash, name = image.rpartition("/")
    name, _, tag = name.partition(":")
    return f"{folder}{slash}{name}", tag


class Cluster:
    """A namespace of the test's own."""

    def __init__(self, namespace: str) -> None:
        self.tools = unpack_binaries(*PACKAGES["helm-4"])
        self.namespace = namespace

    def run(self, tool: str, *arguments: str, text: str | None = None) -> str:
        command = [self.tools / tool, "--namespace", self.namespace, *arguments]
        outcome = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
        assert outcome.returncode == 0, f"{tool} {' '.join(arguments)}:\n{outcome.stdout}{outcome.stderr}"
        return outcome.stdout

    def install(self, values: dict, *options: str, name: str = "ngshare", chart: str = str(FOLDER)) -> None:
        arguments = ("upgrade", "--install", name, chart, "--wait", "--timeout", PATIENCE, "--values", "-", *options)
        self.run("helm", *arguments, text=json.dumps(values))

    def execute(self, where: str, *command: str) -> str:
        """Run a command in a pod."""
        return self.run("kubectl", "exec", where, "--", *command)

    def ngshare(self, *arguments: str) -> str:
        """Run a command of the service in the server's pod."""
        return self.execute("deploy/ngshare", "ngshare", *arguments)

    def wait(self, what: str, condition: str) -> None:
        self.run("kubectl", "wait", what, f"--for={condition}", f"--timeout={PATIENCE}")


@contextmanager
def namespace(**labels: str) -> Iterator[Cluster]:
    """A namespace, which is deleted at the end."""
    cluster = Cluster(f"ngshare-test-{secrets.token_hex(4)}")
    cluster.run("kubectl", "create", "namespace", cluster.namespace)
    try:
        for label, value in labels.items():
            cluster.run("kubectl", "label", "namespace", cluster.namespace, f"{label}={value}")
        yield cluster
    finally:
        cluster.run("kubectl", "delete", "namespace", cluster.namespace, "--wait=false")
