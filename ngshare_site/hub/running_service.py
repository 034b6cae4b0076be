"""The environment of the service that runs on this machine.

A Hub that starts the service itself makes a new token each time, and nobody but the service's process has it. Linux
shows a process's environment, in `/proc`, to the user that the process belongs to. So whoever may run commands as the
service's user can check with it; nobody else can, and nothing secret is written anywhere.
"""

import os
import pwd
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

PROC = Path("/proc")
PROGRAMS = {"ngshare", "manage.py", "ngshare_site", "__main__.py"}  # how the command line is called


@dataclass(frozen=True)
class Service:
    """A process that serves. `environment` is None where it cannot be read: it is another user's, or in a container."""

    pid: int
    username: str
    environment: dict[str, str] | None


def running_services() -> list[Service]:
    """Return the services that run here, one of the processes of each; first those whose environment can be read."""
    services = [service for pid in sorted(_pids()) if (service := _service(pid))]
    each = {str(service.environment or service.username): service for service in reversed(services)}
    return sorted(each.values(), key=lambda service: (service.environment is None, service.pid))


def _pids() -> Iterator[int]:
    return (int(entry.name) for entry in (PROC.iterdir() if PROC.exists() else ()) if entry.name.isdigit())


def _service(pid: int) -> Service | None:
    folder = PROC / str(pid)
    try:
        words = (folder / "cmdline").read_bytes().decode(errors="replace").split("\0")
        owner = folder.stat().st_uid
    except OSError:  # it has ended
        return None
    if not any(Path(program).name in PROGRAMS and word == "serve" for program, word in pairwise(words)):
        return None
    environment = _read_environment(folder) if owner == os.geteuid() else None
    if environment is not None and not environment.get("JUPYTERHUB_API_URL", "").strip():
        return None  # it has no Hub, or is another project's
    return Service(pid, _username(owner), environment)


def _read_environment(folder: Path) -> dict[str, str] | None:
    """Return the variables that a process was started with, unless it is in a container: its root is not ours."""
    try:
        if (folder / "ns" / "pid").readlink() != Path("/proc/self/ns/pid").readlink():
            return None
        pairs = (folder / "environ").read_bytes().split(b"\0")
    except OSError:
        return None
    return dict(os.fsdecode(pair).split("=", 1) for pair in pairs if b"=" in pair)


def _username(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
