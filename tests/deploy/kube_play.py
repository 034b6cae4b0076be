"""The pods of the chart, run by `podman kube play`: a kubelet's work without a cluster.

Deployments, Jobs and CronJobs are played as the pods that they make, each under the name of what makes it: under this
name the other pods reach it, as by a Service.
"""

import base64
import copy
import json
import shutil
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import yaml

from tests.deploy import engine
from tests.deploy.charts import containers, pods

PROBES = ("startupProbe", "livenessProbe", "readinessProbe")


def is_possible() -> bool:
    """Whether podman is here, and catatonit, of which it makes what holds a pod together."""
    return engine.is_complete() and engine.builder() == "podman" and bool(shutil.which("catatonit"))


class Pod:
    """A pod that is played."""

    def __init__(self, file: Path, spec: dict, name: str, network: str) -> None:
        self.file = file
        self.spec = spec
        self.name = name
        self.network = network

    def start(self) -> None:
        engine.call("kube", "play", "--network", self.network, self.file)

    def stop(self) -> None:
        engine.call("kube", "down", self.file)

    def container(self, name: str) -> engine.Container:
        return engine.Container(f"{self.name}-{name}")

    @property
    def address(self) -> str:
        infra = engine.call("pod", "inspect", self.name, "--format", "{{.InfraContainerID}}").stdout.strip()
        template = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}"
        return engine.call("inspect", infra, "--format", template).stdout.strip()

    def wait(self, seconds: float) -> dict[str, str]:
        """Return what each container said, once all of them have ended well."""
        said = {}
        for name in (container["name"] for container in self.spec["containers"]):
            container = self.container(name)
            status = container.wait(seconds)
            assert status == 0, f"{self.name}/{name} ended with {status}: {container.logs()}"
            said[name] = container.logs()
        return said


class Node:
    """A network of the test's own, which leads nowhere else, and what is played in it."""

    def __init__(self, folder: Path, network: str) -> None:
        self.folder = folder
        self.network = network
        self.cleanup = ExitStack()
        engine.call("network", "create", "--internal", network)
        self.cleanup.callback(engine.call, "network", "rm", "--force", network)
        found = json.loads(engine.call("network", "inspect", network).stdout)[0]
        self.gateway = found["subnets"][0]["gateway"]  # the address of this machine; it has it while a pod runs
        self.secrets: list[dict] = []

    def add_secret(self, name: str, values: dict[str, str]) -> None:
        data = {key: base64.b64encode(value.encode()).decode() for key, value in values.items()}
        if _major() >= 5:
            self.secrets.append({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "data": data})
            return
        file = self.folder / "secret.json"
        file.write_text(json.dumps(data))
        engine.call("secret", "create", name, file)
        self.cleanup.callback(engine.call, "secret", "rm", name)

    @contextmanager
    def play(self, objects: dict, name: str, *more: str) -> Iterator[Pod]:
        """Run the pod of an object, and create other objects (`Kind/name`) with it."""
        [(_, spec, metadata)] = pods({name: objects[name]})
        spec = copy.deepcopy(spec)
        if spec.get("restartPolicy", "Always") == "Always":
            spec["restartPolicy"] = "OnFailure"
        for container in containers(spec):
            for probe in PROBES:  # podman would run curl in the container
                container.pop(probe, None)
        pod = Pod(self.folder / f"{uuid.uuid4().hex}.yaml", spec, name.partition("/")[2], self.network)
        metadata = {"name": pod.name, "labels": metadata["labels"]}
        played = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}
        pod.file.write_text(yaml.safe_dump_all([*self.secrets, *(objects[one] for one in more), played]))
        try:
            pod.start()
            yield pod
        finally:
            pod.stop()
            for one in more:  # podman makes a volume of a ConfigMap, and leaves it
                engine.call("volume", "rm", "--force", one.partition("/")[2], check=False)

    def provide(self, claim: dict) -> None:
        """Make the volume of a claim, which outlives the pods that use it."""
        file = self.folder / "claim.yaml"
        file.write_text(yaml.safe_dump(claim))
        engine.call("kube", "play", file)
        self.cleanup.callback(engine.call, "volume", "rm", claim["metadata"]["name"])


def _major() -> int:
    return int(engine.call("version", "--format", "{{.Client.Version}}").stdout.partition(".")[0])
