"""ngshare's servers side by side, each on loopback with an empty store. The others are in peers.py.

A server that cannot be installed or started is reported, and the others are measured.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import boto3
from django.core.management.utils import get_random_secret_key

from benchmarks import measure, peers
from benchmarks.http import Http, Refused
from benchmarks.native import Native
from benchmarks.server import Server, answers
from tests.servers import free_port, postgres, redis, running, s3, service, wait_until

WORKERS = 2
FAILURES = (Refused, RuntimeError, OSError, subprocess.SubprocessError, ValueError, LookupError)
SQLITE, POSTGRES, ONE, TWO = (
    "ngshare on SQLite",
    "ngshare on PostgreSQL",
    "ngshare on PostgreSQL, S3, Redis",
    "two instances of it",
)


@dataclass
class Servers:
    running: list[Server] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)  # why a server could not be started, by name


@contextmanager
def side_by_side(folder: Path, only: list[str], nbexchange: Path | None) -> Iterator[Servers]:
    """Start those servers whose names are in `only`, or all of them."""
    found = Servers()
    with ExitStack() as stack:
        folder.mkdir()
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        hub_url = stack.enter_context(hub(folder))
        starts: dict[str, Callable[[], AbstractContextManager[Server]]] = {
            SQLITE: lambda: on_sqlite(folder / "sqlite", hub_url),
            POSTGRES: lambda: on_postgres(folder / "postgres", hub_url),
            ONE: lambda: on_s3(ONE, 1, folder / "one", hub_url),
            TWO: lambda: on_s3(TWO, 2, folder / "two", hub_url),
            peers.OLD: lambda: peers.old(folder / "old", hub_url),
            peers.LIMIT: lambda: peers.limit(folder / "limit"),
        }
        if nbexchange:
            starts[peers.NBEXCHANGE] = lambda: peers.nbexchange(folder / "nbexchange", nbexchange)
        for name, start in starts.items():
            if only and name not in only:
                continue
            try:
                found.running.append(stack.enter_context(start()))
            except FAILURES as error:
                found.failed[name] = f"{type(error).__name__}: {error}"[:2000]
        yield found


@contextmanager
def hub(folder: Path) -> Iterator[str]:
    """The address of the stand-in's API."""
    port, log = free_port(), folder / "hub.log"
    with running([sys.executable, "-m", "benchmarks.hub", str(port)], env=dict(os.environ), log=log) as process:
        ask = Http(f"http://127.0.0.1:{port}/hub/api")
        wait_until(lambda: answers(ask, "/"), process, log)
        yield ask.url


@contextmanager
def on_sqlite(folder: Path, hub_url: str) -> Iterator[Server]:
    with ngshare(folder, hub_url) as (url, leader):
        own = lambda: measure.group(leader)  # noqa: E731
        yield Server(SQLITE, (url,), Native, own, own, lambda: measure.disk(folder / "blobs"))


@contextmanager
def on_postgres(folder: Path, hub_url: str) -> Iterator[Server]:
    with postgres() as database, ngshare(folder, hub_url, DATABASE_URL=database) as (url, leader):
        yield Server(
            POSTGRES,
            (url,),
            Native,
            processes=lambda: measure.group(leader) + postmaster(database),
            own=lambda: measure.group(leader),
            stored=lambda: measure.disk(folder / "blobs"),
        )


@contextmanager
def on_s3(name: str, instances: int, folder: Path, hub_url: str) -> Iterator[Server]:
    """Instances that share nothing but the database, the store and the cache."""
    with ExitStack() as stack:
        database = stack.enter_context(postgres())
        cache, redis_process = stack.enter_context(redis())
        store = stack.enter_context(s3())
        weed = measure.children_named("weed")[-1]
        shared = {
            "DATABASE_URL": database,
            "NGSHARE_CACHE": cache,
            "NGSHARE_STORAGE": store,
            "NGSHARE_SECRET_KEY": get_random_secret_key(),
        }
        found = [stack.enter_context(ngshare(folder / str(i), hub_url, **shared)) for i in range(instances)]

        def own() -> list[int]:
            return [pid for _, leader in found for pid in measure.group(leader)]

        # Made now: the variables with the keys are those of the store that was started last.
        client = boto3.Session().client("s3", endpoint_url=parse_qs(urlsplit(store).query)["endpoint_url"][0])
        yield Server(
            name,
            tuple(url for url, _ in found),
            Native,
            processes=lambda: [*own(), *postmaster(database), redis_process.pid, weed],
            own=own,
            stored=lambda: sum(
                row["Size"]
                for page in client.get_paginator("list_objects_v2").paginate(Bucket="ngshare")
                for row in page.get("Contents", [])
            ),
        )


@contextmanager
def ngshare(folder: Path, hub_url: str, **variables: str) -> Iterator[tuple[str, int]]:
    """The address of an instance, and the leader of its group of processes."""
    settings = {"NGSHARE_STANDALONE": "0", "JUPYTERHUB_API_URL": hub_url, **variables}
    with service(folder, workers=WORKERS, **settings) as found:  # type: ignore[arg-type]
        yield found.url, found.process.pid


def postmaster(database: str) -> list[int]:
    """PostgreSQL's processes: the socket's folder is its data folder too."""
    (folder,) = parse_qs(urlsplit(database).query)["host"]
    return measure.family(int((Path(folder) / "postmaster.pid").read_text().split()[0]))
