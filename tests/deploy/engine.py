"""Podman or Docker on this machine, images of Debian with Python to build on, and what is built on them.

Nothing here asks a registry of images: `mmdebstrap` makes the bases from packages of Debian. Where a registry can be
reached, NGSHARE_TEST_BASES names other bases, such as "python:3.13-slim-trixie", separated by commas.
"""

import fcntl
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from tests.servers import ROOT

BASES = os.environ.get("NGSHARE_TEST_BASES", "").split(",") if os.environ.get("NGSHARE_TEST_BASES") else []
SUITES = ("trixie", "bookworm")  # of Debian: Python 3.13 and 3.11
CACHE = ROOT / ".cache" / "images"
# Low limits, and parts that need neither systemd nor cgroups v2: podman also runs inside a container.
CONTAINERS_CONF = """\
[containers]
default_ulimits = ["nofile=8192:8192", "nproc=8192:8192"]
[network]
network_backend = "netavark"
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
"""


@cache
def builder() -> str:
    """Return "podman" or "docker", whichever works here, or ""; NGSHARE_TEST_BUILDER chooses one."""
    if chosen := os.environ.get("NGSHARE_TEST_BUILDER"):
        return chosen
    if shutil.which("podman") and shutil.which("runc"):
        return "podman"
    has_docker = shutil.which("docker") and not subprocess.run(["docker", "info"], capture_output=True).returncode
    return "docker" if has_docker else ""


@cache
def why_incomplete() -> str:
    """Return why no containers can be tested here, or ""; a container was run once to know it."""
    if not builder():
        return "there is neither podman with runc nor a running Docker"
    if not BASES and not shutil.which("mmdebstrap"):
        return "mmdebstrap is not there, which makes the images to build on"
    known = CACHE / f"{builder()}-runs"
    if not known.exists():
        if reason := _why_no_container_runs():
            return f"{builder()} runs no container: {reason}"
        known.touch()
    return ""


def is_complete() -> bool:
    return not why_incomplete()


def has_networks_of_this_machine() -> bool:
    """Return whether a process here can listen at a network's gateway: not with an ordinary user's podman."""
    return builder() == "docker" or os.geteuid() == 0


def _why_no_container_runs() -> str:
    """Run this machine's `true` in a container on a network of its own, and return the error, if there is one."""
    name = f"ngshare-test-{uuid.uuid4().hex[:12]}"
    CACHE.mkdir(parents=True, exist_ok=True)
    archive = CACHE / f"{name}.tar"
    try:
        libraries = re.findall(r"/\S+", _run(["ldd", "/bin/true"], cwd=ROOT).stdout)
        with tarfile.open(archive, "w", dereference=True) as tar:
            for path in ("/bin/true", *libraries):
                tar.add(path)
        call("import", archive, f"localhost/{name}")
        call("network", "create", "--internal", name)
        call("run", "--rm", f"--network={name}", f"localhost/{name}", "/bin/true")
    except RuntimeError as error:
        return str(error).strip().splitlines()[-1]
    finally:
        call("network", "rm", name, check=False)
        call("rmi", "--force", f"localhost/{name}", check=False)
        archive.unlink(missing_ok=True)
    return ""


def environment() -> dict[str, str]:
    """What the builder's command needs in its environment."""
    CACHE.mkdir(parents=True, exist_ok=True)
    file = CACHE / "containers.conf"
    if not file.exists() or file.read_text() != CONTAINERS_CONF:
        with tempfile.NamedTemporaryFile("w", dir=CACHE, delete=False) as draft:
            draft.write(CONTAINERS_CONF)
        os.replace(draft.name, file)  # whole at each moment: others read it meanwhile
    return {**os.environ, "CONTAINERS_CONF": str(file)}


def call(*arguments: str | Path, cwd: Path = ROOT, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run podman or docker; a failure shows what it said."""
    return _run([builder(), *map(str, arguments)], cwd=cwd, check=check)


def make(*arguments: str, cwd: Path) -> str:
    """Run one of the Makefile's targets in a copy of the sources, with the programs of this environment."""
    return _run(["make", "-o", ".venv/installed", f"BUILDER={builder()}", *arguments], cwd=cwd).stdout


def _run(command: list[str], *, cwd: Path, check: bool = True) -> subprocess.CompletedProcess[str]:
    outcome = subprocess.run(command, cwd=cwd, env=environment(), capture_output=True, text=True, check=False)
    if check and outcome.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {outcome.returncode}:\n{outcome.stdout}\n{outcome.stderr}")
    return outcome


def copy_sources(target: Path) -> Path:
    """Copy what Git has, or would have, so that a build finds nothing else; with this environment as its .venv."""
    listed = ["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    for name in subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0"):
        if name and (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)
    (target / ".venv").symlink_to(Path(sys.prefix))
    return target


def bases() -> list[str]:
    """The images to build on; Debian's are made here, once, and at the same time."""
    with ThreadPoolExecutor() as pool:
        return BASES or list(pool.map(base_of, SUITES))


def base_of(suite: str) -> str:
    """Return the name of an image of Debian with Python. It takes about 75 seconds to make; it is kept in .cache."""
    name = f"localhost/ngshare-test-base:{suite}"
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / f"{suite}.lock").open("w") as lock:  # several processes may want it at once
        fcntl.flock(lock, fcntl.LOCK_EX)
        archive = CACHE / f"{suite}.tar"
        if not archive.exists():
            _make_debian(suite, archive)
        if call("image", "inspect", name, check=False).returncode:
            call("import", archive, name)
    return name


def _make_debian(suite: str, archive: Path) -> None:
    without = [f"--dpkgopt=path-exclude=/usr/share/{folder}/*" for folder in ("doc", "man", "locale")]
    draft = archive.with_suffix(".draft.tar")
    command = [
        "mmdebstrap", "--quiet", "--variant=minbase", f"--mode={'root' if os.geteuid() == 0 else 'unshare'}",
        "--include=python3-venv,ca-certificates", *without,
        '--customize-hook=rm -rf "$1"/var/lib/apt/lists/* "$1"/etc/apt/sources.list*',
        suite, str(draft), mirror(),
    ]  # fmt: skip
    _run(command, cwd=CACHE)
    draft.rename(archive)


def mirror() -> str:
    """Return where this machine gets Debian's packages, if it is a Debian."""
    sources = [Path("/etc/apt/sources.list"), *sorted(Path("/etc/apt/sources.list.d").glob("*"))]
    for path in sources:
        if path.is_file() and (
            found := re.search(r"^(?:deb|URIs:)[^#\n]*?(https?://\S+/debian/?)\s", path.read_text(), re.M)
        ):
            return found[1]
    raise RuntimeError("This machine names no mirror of Debian: set NGSHARE_TEST_BASES.")


def options_for_downloads() -> str:
    """Let pip in a container reach the index as pip reaches it here."""
    variables = [f"-e {name}" for name in ("PIP_INDEX_URL", "PIP_CERT", "SSL_CERT_FILE") if name in os.environ]
    folders = [f"-v {path}:{path}:ro" for path in ("/etc/ssl/certs", "/etc/pip.conf") if os.path.exists(path)]
    return " ".join(["--network host", *variables, *folders])


def offline() -> str:
    """Options of a build without a network; podman's own format would leave out the health check."""
    return "--network none" + (" --format docker" if builder() == "podman" else "")


class Container:
    """A container that runs in the background."""

    def __init__(self, name: str) -> None:
        self.name = name

    def state(self, template: str) -> str:
        return call("inspect", "--format", template, self.name).stdout.strip()

    @property
    def is_running(self) -> bool:
        return self.state("{{.State.Running}}") == "true"

    @property
    def exit_code(self) -> int:
        return int(self.state("{{.State.ExitCode}}"))

    def execute(self, *command: str) -> subprocess.CompletedProcess[str]:
        return call("exec", self.name, *command, check=False)

    def start(self) -> None:
        """Start it again after it has ended, on the same volume and at the same address."""
        call("start", self.name)

    def send(self, signal: str) -> None:
        call("kill", "--signal", signal, self.name)

    def wait(self, seconds: float) -> int:
        """Return the exit status once it has ended."""
        deadline = time.monotonic() + seconds
        while self.is_running:
            if time.monotonic() > deadline:
                raise RuntimeError(f"it still runs: {self.logs()}")
            time.sleep(0.1)
        return self.exit_code

    def logs(self) -> str:
        outcome = call("logs", self.name, check=False)
        return outcome.stdout + outcome.stderr


@contextmanager
def running(image: str, *command: str, options: list[str], network: str = "host") -> Iterator[Container]:
    """A container of an image, as hardened as the chart's: it is removed afterwards."""
    name = f"ngshare-test-{uuid.uuid4().hex[:12]}"
    hardened = ["--read-only", "--cap-drop=all", "--security-opt=no-new-privileges", "--tmpfs=/tmp"]
    call("run", "--detach", f"--name={name}", f"--network={network}", *hardened, *options, image, *command)
    try:
        yield Container(name)
    finally:
        call("kill", name, check=False)
        call("rm", "--force", name, check=False)


def inspect(image: str) -> dict:
    return json.loads(call("image", "inspect", image).stdout)[0]
