"""The servers side by side, each on loopback with an empty store: ngshare on SQLite, on PostgreSQL, and ngshare 0.6.

ngshare 0.6 comes from the package index into a virtual environment of its own, with the versions of its libraries
that it needs to store anything.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from benchmarks import measure
from benchmarks.api_v1 import ApiV1
from benchmarks.client import Client
from benchmarks.http import Http, Refused
from benchmarks.native import Native
from tests.servers import free_port, postgres, running, service, wait_until

OLD = ("ngshare==0.6.0", "sqlalchemy==1.4.54", "alembic==1.16.5", "jupyterhub==5.5.4")
WORKERS = 2


@dataclass(frozen=True)
class Server:
    name: str
    url: str
    client: Callable[[Http], Client]
    processes: Callable[[], list[int]]  # all that work for it, its database's too
    own: Callable[[], list[int]]  # without the database's
    files: Path  # where it keeps what was submitted


@contextmanager
def hub(folder: Path) -> Iterator[str]:
    """The address of the stand-in's API."""
    port, log = free_port(), folder / "hub.log"
    with running([sys.executable, "-m", "benchmarks.hub", str(port)], env=dict(os.environ), log=log) as process:
        ask = Http(f"http://127.0.0.1:{port}/hub/api")
        wait_until(lambda: _answers(ask, "/"), process, log)
        yield ask.url


@contextmanager
def ours(folder: Path, hub_url: str, database: str = "") -> Iterator[Server]:
    with service(
        folder, workers=WORKERS, NGSHARE_STANDALONE="0", JUPYTERHUB_API_URL=hub_url, DATABASE_URL=database
    ) as running_service:
        leader = running_service.process.pid
        yield Server(
            name="ngshare on PostgreSQL" if database else "ngshare on SQLite",
            url=running_service.url,
            client=Native,
            processes=lambda: measure.group(leader) + (_postmaster(database) if database else []),
            own=lambda: measure.group(leader),
            files=folder / "blobs",
        )


def _postmaster(database: str) -> list[int]:
    """PostgreSQL's processes: the socket's folder is its data folder too."""
    (folder,) = parse_qs(urlsplit(database).query)["host"]
    return measure.family(int((Path(folder) / "postmaster.pid").read_text().split()[0]))


@contextmanager
def old(folder: Path, hub_url: str, python: str) -> Iterator[Server]:
    folder.mkdir()
    port, files, log = free_port(), folder / "files", folder / "log"
    files.mkdir()
    command = [python, "-m", "ngshare", "--vngshare", "--host", "127.0.0.1", "--port", str(port), "--admins", "root"]
    command += ["--database", f"sqlite:///{folder}/ngshare.db", "--storage", str(files)]
    hub_says = {"API_URL": hub_url, "API_TOKEN": "-", "CLIENT_ID": "service-ngshare", "SERVICE_PREFIX": "/api/"}
    env = {**os.environ, **{f"JUPYTERHUB_{name}": value for name, value in hub_says.items()}}
    with running(command, env=env, log=log, cwd=folder) as process:
        ask = Http(f"http://127.0.0.1:{port}")
        wait_until(lambda: _answers(ask, "/healthz"), process, log)
        yield Server(
            name="ngshare 0.6",
            url=ask.url,
            client=ApiV1,
            processes=lambda: measure.group(process.pid),
            own=lambda: measure.group(process.pid),
            files=files,
        )


def _answers(ask: Http, path: str) -> bool:
    try:
        ask("GET", path)
    except Refused:
        return False
    return True


def install_old(folder: Path) -> str:
    """The Python of a new virtual environment that has ngshare 0.6. Errors: subprocess.CalledProcessError."""
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    python = str(folder / "bin" / "python")
    subprocess.run([python, "-m", "pip", "install", "-qqq", *OLD], check=True, stdout=sys.stderr)
    return python


@contextmanager
def side_by_side(folder: Path, *, with_old: bool) -> Iterator[list[Server]]:
    with ExitStack() as stack:
        folder.mkdir()
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        hub_url = stack.enter_context(hub(folder))
        found = [stack.enter_context(ours(folder / "sqlite", hub_url))]
        found.append(stack.enter_context(ours(folder / "postgres", hub_url, stack.enter_context(postgres()))))
        if with_old:
            found.append(stack.enter_context(old(folder / "old", hub_url, install_old(folder / "venv"))))
        yield found
