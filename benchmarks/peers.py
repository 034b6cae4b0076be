"""What ngshare is measured against: its predecessor, nbexchange, and the machine's own limit.

ngshare 0.6 comes from the package index, with the versions of its libraries that it needs to store anything. nbexchange
is not on the package index: it is installed from a checkout. Each has a virtual environment of its own, in .cache.
"""

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

from benchmarks import measure
from benchmarks.api_v1 import ApiV1
from benchmarks.client import Client
from benchmarks.http import Http
from benchmarks.native import Native
from benchmarks.nbexchange import PREFIX, NbExchange, configuration
from benchmarks.server import Server, answers
from tests.servers import ROOT, free_port, running, wait_until

OLD, NBEXCHANGE, LIMIT = "ngshare 0.6", "nbexchange", "the machine’s limit"
OLD_PACKAGES = ("ngshare==0.6.0", "sqlalchemy==1.4.54", "alembic==1.16.5", "jupyterhub==5.5.4")
START = "from nbexchange.app import NbExchange; NbExchange.launch_instance()"


@contextmanager
def old(folder: Path, hub_url: str) -> Iterator[Server]:
    folder.mkdir()
    python = install("ngshare-0.6", *OLD_PACKAGES)
    port, files = free_port(), folder / "files"
    files.mkdir()
    command = [python, "-m", "ngshare", "--vngshare", "--host", "127.0.0.1", "--port", str(port), "--admins", "root"]
    command += ["--database", f"sqlite:///{folder}/ngshare.db", "--storage", str(files)]
    hub_says = {"API_URL": hub_url, "API_TOKEN": "-", "CLIENT_ID": "service-ngshare", "SERVICE_PREFIX": "/api/"}
    variables = {f"JUPYTERHUB_{name}": value for name, value in hub_says.items()}
    with process(command, port, folder, "/healthz", **variables) as leader:
        yield _server(OLD, port, ApiV1, leader, files)


@contextmanager
def nbexchange(folder: Path, checkout: Path) -> Iterator[Server]:
    folder.mkdir()
    python = install("nbexchange", str(checkout.resolve()))
    port, files, database = free_port(), folder / "files", f"sqlite:///{folder}/nbexchange.sqlite"
    files.mkdir()
    (folder / "nbexchange_config.py").write_text(configuration(port, database, files))
    command = [python, "-c", START, f"--NbExchange.config_file={folder}/nbexchange_config.py"]
    path = str(Path(python).parent) + os.pathsep + os.environ["PATH"]  # for alembic
    with process(command, port, folder, "", NBEX_DB_URL=database, PATH=path) as leader:
        yield replace(_server(NBEXCHANGE, port, NbExchange, leader, files), health=PREFIX)


@contextmanager
def limit(folder: Path) -> Iterator[Server]:
    """What the machine can do at best: see limit.py. It gets the requests that ngshare's plugin sends."""
    files, port = folder / "files", free_port()
    files.mkdir(parents=True)
    command = [sys.executable, "-m", "benchmarks.limit", str(port), str(files)]
    with process(command, port, folder, "/healthz") as leader:
        yield replace(_server(LIMIT, port, Native, leader, files), keeps_submissions=False)


def _server(name: str, port: int, client: Callable[[Http], Client], leader: int, files: Path) -> Server:
    pids = partial(measure.group, leader)
    return Server(name, (f"http://127.0.0.1:{port}",), client, pids, pids, partial(measure.disk, files))


@contextmanager
def process(command: list[str], port: int, folder: Path, ready: str, **variables: str) -> Iterator[int]:
    """Start a server; yield the leader of its group when it answers at `ready`, or listens if that is empty."""
    log, cwd = folder / "log", ROOT if command[0] == sys.executable else folder
    with running(command, env={**os.environ, **variables}, log=log, cwd=cwd) as found:
        ask = Http(f"http://127.0.0.1:{port}")
        wait_until(lambda: answers(ask, ready) if ready else listens(port), found, log)
        yield found.pid


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def install(name: str, *packages: str) -> str:
    """Return the Python of a virtual environment that has these; the next run finds it again.

    Errors: subprocess.CalledProcessError.
    """
    folder = ROOT / ".cache/benchmarks" / name
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    python = str(folder / "bin" / "python")
    subprocess.run([python, "-m", "pip", "install", "-qqq", *packages], check=True, stdout=sys.stderr)
    return python
