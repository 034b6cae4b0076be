"""A Docker Engine of the tests' own, which leaves the firewall alone, with Compose and images of others' programs.

The engine is the machine's. The command and Compose come from packages of Debian, so that they are the same everywhere.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.deploy import debian, engine
from tests.servers import running, wait_until

BASE = "python:3.13-slim-trixie"  # as the project's Dockerfiles call it
SUBNET = "10.87.0.1/24"
POOL = "base=10.88.0.0/16,size=24"  # for further networks
STAND_INS = {
    "postgres": "postgres:17",
    "redis": "redis:8",
    "haproxy": "haproxy:3.0",
    "seaweedfs": "chrislusf/seaweedfs:4.48",
}
PROGRAMS = ("postgresql-17", "redis-server", "haproxy", "wget")
NOT_NEEDED = ("perl", "libperl", "libllvm", "libz3", "locales", "libc-l10n", "postgresql-common-dev")


def is_complete() -> bool:
    """An engine that this machine runs already would have the same bridges."""
    has_none = not Path("/var/run/docker.sock").exists()
    return has_none and debian.is_complete() and engine.is_complete() and bool(shutil.which("dockerd"))


class Docker:
    """The command `docker` on one engine."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.socket = folder / "docker.sock"
        self.log = folder / "dockerd.log"
        client = debian.unpack("docker", "docker-cli", "docker-compose")
        plugins = folder / "client" / "cli-plugins"
        plugins.mkdir(parents=True)
        (plugins / "docker-compose").symlink_to(client / "usr/libexec/docker/cli-plugins/docker-compose")
        self.environment = {
            **engine.environment(),
            "DOCKER_HOST": f"unix://{self.socket}",
            "DOCKER_SOCKET": str(self.socket),
            "DOCKER_CONFIG": str(folder / "client"),
            "COMPOSE_PROGRESS": "plain",
            "PATH": f"{client / 'usr/bin'}:{os.environ['PATH']}",
        }

    def __call__(self, *arguments: str | Path, **options) -> str:
        """Run docker, and return what it wrote."""
        return self.run("docker", *arguments, **options)

    def run(self, *command: str | Path, check: bool = True, variables: dict[str, str] | None = None, **options) -> str:
        """Run a command that finds this engine's docker, and return what it wrote; a failure shows it all."""
        environment = {**self.environment, **(variables or {})}
        outcome = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, **options)
        if check and outcome.returncode:
            said = f"{outcome.stdout}\n{outcome.stderr}"
            raise RuntimeError(f"{' '.join(map(str, command))} ended with {outcome.returncode}:\n{said}")
        return outcome.stdout.strip()

    def take(self, image: str, name: str) -> None:
        """Get an image from where it was built."""
        saved = subprocess.Popen(
            [engine.builder(), "save", image], env=engine.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        loaded = self("load", stdin=saved.stdout)
        if saved.wait():
            raise RuntimeError(saved.stderr.read().decode())
        self("tag", loaded.rpartition("Loaded image: ")[2], name)

    def make_stand_ins(self, folder: Path) -> None:
        """Build the images of others' programs, under the others' names."""
        shutil.copytree(Path(__file__).with_name("stand_ins"), folder)
        (folder / "packages").mkdir()
        for package in debian.download_onto_base("programs", *PROGRAMS).glob("*.deb"):
            if not package.name.startswith(NOT_NEEDED):
                (folder / "packages" / package.name).hardlink_to(package)
        shutil.copy(Path(sys.executable).with_name("weed"), folder)
        for target, name in STAND_INS.items():
            self("build", "--quiet", "--build-arg", f"BASE={BASE}", "--target", target, "--tag", name, folder)


@contextmanager
def cleaning_up_after(folder: Path, interfaces: set[str]) -> Iterator[None]:
    """Remove what an engine leaves behind when it has ended: the mounts of its networks, and its bridges."""
    try:
        yield
    finally:
        for name in (folder / "exec-root" / "netns").glob("*"):
            subprocess.run(["umount", "--lazy", name], capture_output=True, check=False)
        for name in set(os.listdir("/sys/class/net")) - interfaces:
            if name.startswith(("docker", "br-")):
                subprocess.run(["ip", "link", "delete", name], capture_output=True, check=False)


@contextmanager
def started(folder: Path) -> Iterator[Docker]:
    """An engine that knows the base image, on a socket of its own."""
    docker = Docker(folder)
    state = [f"--{name}={folder / name}" for name in ("data-root", "exec-root", "pidfile")]
    network = ["--iptables=false", f"--bip={SUBNET}", f"--default-address-pool={POOL}"]
    command = ["dockerd", f"--host=unix://{docker.socket}", *state, *network]
    before = set(os.listdir("/sys/class/net"))
    with cleaning_up_after(folder, before), running(command, env=docker.environment, log=docker.log) as process:
        wait_until(lambda: bool(docker("version", "--format={{.Server.Version}}", check=False)), process, docker.log)
        try:
            engine.base_of(debian.SUITE)
            docker("import", engine.CACHE / f"{debian.SUITE}.tar", BASE)
            yield docker
        finally:
            docker("swarm", "leave", "--force", check=False)
            if containers := docker("ps", "--all", "--quiet").split():
                docker("rm", "--force", "--volumes", *containers, check=False)  # the swarm is removing some, too
