"""The commands of the chart's pods, run here with their own environment in a folder in place of the volume."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from tests import servers
from tests.deploy.charts import ON_A_VOLUME, containers, environment, pods, server

pytestmark = pytest.mark.deploy


@pytest.fixture
def volume(tmp_path):
    """The root of a volume that everybody may enter, as many provisioners make it."""
    folder = tmp_path / "volume"
    folder.mkdir()
    folder.chmod(0o777)
    return folder


class Machine:
    """Where the commands of the pods run."""

    def __init__(self, volume, courses):
        self.volume = volume
        (volume.parent / "courses.yaml").write_text(courses)

    def command(self, container):
        """Return the command and its environment."""
        places = {"/etc/ngshare": str(self.volume.parent), "/var/lib/ngshare": str(self.volume), "0.0.0.0": "127.0.0.1"}

        def place(text):
            for there, here in places.items():
                text = text.replace(there, here)
            return text

        kept = {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
        texts = {name: value for name, value in environment(container).items() if isinstance(value, str)}
        env = {**kept, **{name: place(value) for name, value in texts.items()}}
        return [place(part) for part in [*container["command"], *container.get("args", [])]], env

    def run(self, container):
        command, env = self.command(container)
        outcome = subprocess.run(
            command, env=env, cwd=servers.ROOT, capture_output=True, text=True, timeout=120, check=False
        )
        assert outcome.returncode == 0, f"{container['name']}: {outcome.stdout}{outcome.stderr}"
        return outcome.stdout


@pytest.mark.parametrize("chart", ["helm-4"], indirect=True)
def test_pods_do_their_work_in_the_order_of_an_install(chart, volume):
    port = servers.free_port()
    hosts = {"NGSHARE_ALLOWED_HOSTS": "hub.example.edu"}
    objects = chart.render(
        {**ON_A_VOLUME, "settings": hosts, "service": {"port": port}, "hub": {"url": "http://127.0.0.1:9"}}
    )
    machine = Machine(volume, objects["ConfigMap/ngshare-courses"]["data"]["courses.yaml"])

    [migrate] = objects["Deployment/ngshare"]["spec"]["template"]["spec"]["initContainers"]
    machine.run(migrate)
    assert (volume / "data").stat().st_mode & 0o777 == 0o700

    command, env = machine.command(server(objects))
    with servers.running(command, env=env, log=volume.parent / "log") as process:
        probes = [server(objects)[f"{name}Probe"]["httpGet"] for name in ("startup", "liveness", "readiness")]
        for probe in probes:  # the Hub cannot be reached, and the pod is ready all the same

            def answers(probe=probe):
                headers = {header["name"]: header["value"] for header in probe["httpHeaders"]}
                try:
                    return requests.get(f"http://127.0.0.1:{port}{probe['path']}", headers=headers, timeout=5).ok
                except requests.RequestException:
                    return False

            servers.wait_until(answers, process, volume.parent / "log")
        outputs = {
            container["name"]: machine.run(container)
            for name, spec, _ in pods(objects)
            if name.startswith(("Job/", "CronJob/"))
            for container in containers(spec)
        }
    assert "NBG 101: new; 4 created" in outputs["apply-courses"]
    assert "0 blobs" in outputs["sweep-blobs"]
    assert "0 blobs verified" in outputs["verify-blobs"]
    assert set(outputs) == {"wait-for-migration", "apply-courses", "sweep-blobs", "clear-sessions", "verify-blobs"}
