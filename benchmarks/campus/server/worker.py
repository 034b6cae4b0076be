"""Answers, over a pipe, what a request costs in one university."""

import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from django.db import connection, transaction

from benchmarks.campus.server.probes import Probe, probes


@dataclass
class Statements:
    """The statements that a request sends, with their parameters."""

    sent: list[tuple[str, Any]] = field(default_factory=list)

    def __call__(self, execute: Any, sql: str, parameters: Any, many: bool, context: Any) -> Any:
        self.sent.append((sql, parameters))
        return execute(sql, parameters, many, context)


@contextmanager
def undone() -> Iterator[None]:
    """Leave the university as it was."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


class Worker:
    def __init__(self) -> None:
        self.probes: dict[str, Probe] = probes()
        self._backend = 0
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_backend_pid()")
                self._backend = cursor.fetchone()[0]

    def count(self, name: str) -> int:
        """Return how many statements the request sends. It also warms what is kept in memory."""
        with undone(), connection.execute_wrapper(statements := Statements()):
            self.probes[name]()
        return len(statements.sent)

    def measure(self, name: str) -> tuple[float, float]:
        """Return how long the request takes, and the CPU time of it and of its connection to PostgreSQL: seconds."""
        with undone():
            cpu, start = self._cpu(), time.perf_counter()
            self.probes[name]()
            return time.perf_counter() - start, self._cpu() - cpu

    def _cpu(self) -> float:
        own = resource.getrusage(resource.RUSAGE_SELF)
        return own.ru_utime + own.ru_stime + self._backend_cpu()

    def _backend_cpu(self) -> float:
        """Return the CPU time of the process of PostgreSQL; see proc(5) on schedstat."""
        if not self._backend:
            return 0.0
        return int(Path(f"/proc/{self._backend}/schedstat").read_text().split()[0]) / 1e9

    def plans(self, name: str) -> list[tuple[float, str, str]]:
        """Return what a request reads, the slowest first: milliseconds, the statement, the database's plan."""
        with undone(), connection.execute_wrapper(statements := Statements()):
            self.probes[name]()
            found = [self._plan(*sent) for sent in statements.sent if sent[0].startswith("SELECT")]
        return sorted(found, reverse=True)

    def _plan(self, sql: str, parameters: Any) -> tuple[float, str, str]:
        explain = "EXPLAIN (ANALYZE, BUFFERS)" if self._backend else "EXPLAIN QUERY PLAN"
        with connection.cursor() as cursor:
            start = time.perf_counter()
            cursor.execute(sql, parameters)
            cursor.fetchall()
            seconds = time.perf_counter() - start
            cursor.execute(f"{explain} {sql}", parameters)
            return seconds * 1000, sql, "\n".join(str(row[-1]) for row in cursor.fetchall())


def serve(control: Connection) -> None:
    """Send the names of the probes, then answer (a method of Worker, the name of a probe) until there is no more."""
    worker = Worker()
    control.send(list(worker.probes))
    while message := control.recv():
        method, name = message
        control.send(getattr(worker, method)(name))
