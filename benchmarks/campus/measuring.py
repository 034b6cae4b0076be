"""Measures every request in all universities, in turn: what else the machine does hits each size alike."""

import importlib
import multiprocessing
import os
import re
import statistics
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

from benchmarks.campus.databases import Environment

ROUNDS = 5
LONG = 1.0  # seconds; what takes longer is measured in FEW rounds
FEW = 3


@dataclass
class Row:
    """What one request costs, by the size of the university in per cent."""

    name: str
    queries: dict[int, int]
    milliseconds: dict[int, float]
    cpu_milliseconds: dict[int, float]

    @property
    def ratio(self) -> float:
        """How much CPU time grows from the smallest to the largest."""
        return self.cpu_milliseconds[max(self.cpu_milliseconds)] / self.cpu_milliseconds[min(self.cpu_milliseconds)]

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "queries": max(self.queries.values()),
            "ms": {str(percent): round(value, 2) for percent, value in self.milliseconds.items()},
            "cpu_ms": {str(percent): round(value, 2) for percent, value in self.cpu_milliseconds.items()},
            "ratio": round(self.ratio, 2),
        }


class Universities:
    """The workers of all universities."""

    def __init__(self, workers: dict[int, Connection]) -> None:
        self.workers = workers
        (self.names, *_) = [worker.recv() for worker in workers.values()]

    def ask(self, percent: int, method: str, name: str) -> Any:
        self.workers[percent].send((method, name))
        return self.workers[percent].recv()

    def measure(self, name: str) -> Row:
        queries = {percent: self.ask(percent, "count", name) for percent in self.workers}
        taken: dict[int, list[tuple[float, float]]] = {percent: [] for percent in self.workers}
        for round_ in range(ROUNDS):
            for percent, values in taken.items():
                values.append(self.ask(percent, "measure", name))
            if round_ + 1 >= FEW and max(max(values) for values in taken.values())[0] > LONG:
                break
        medians = {
            percent: [statistics.median(column) * 1000 for column in zip(*values, strict=True)]
            for percent, values in taken.items()
        }
        return Row(
            name,
            queries,
            {percent: wall for percent, (wall, _) in medians.items()},
            {percent: cpu for percent, (_, cpu) in medians.items()},
        )


@contextmanager
def opened(environments: dict[int, Environment]) -> Iterator[Universities]:
    """Start a worker for each university, and end them."""
    spawn = multiprocessing.get_context("spawn")
    with ExitStack() as stack:
        workers = {}
        for percent, environment in environments.items():
            ours, theirs = spawn.Pipe()
            process = spawn.Process(target=work, args=(environment, theirs))
            process.start()
            theirs.close()
            stack.callback(process.join)
            stack.callback(ours.send, None)
            workers[percent] = ours
        yield Universities(workers)


def work(environment: Environment, control: Connection) -> None:
    """Be a worker: the settings are read from its environment when its module is imported."""
    os.environ.clear()
    os.environ.update({**environment, "NGSHARE_MAX_SUBMISSIONS_PER_HOUR": "0", "NGSHARE_LOG_LEVEL": "ERROR"})
    importlib.import_module("benchmarks.campus.server.worker").serve(control)


def measure(environments: dict[int, Environment], pattern: str = "") -> list[Row]:
    """Measure the requests whose names match."""
    rows = []
    with opened(environments) as universities:
        for name in universities.names:
            if re.search(pattern, name):
                rows.append(universities.measure(name))
                print(line(rows[-1]), file=sys.stderr, flush=True)
    return rows


def line(row: Row) -> str:
    times = " | ".join(f"{value:,.1f}" for value in row.milliseconds.values())
    cpu = " | ".join(f"{value:,.1f}" for value in row.cpu_milliseconds.values())
    queries = "/".join(map(str, sorted(set(row.queries.values()))))
    return f"| {row.name} | {queries} | {times} | {cpu} | {row.ratio:.2f} |"


def table(database: str, rows: list[Row]) -> str:
    percents = list(rows[0].milliseconds)
    headings = [f"{percent} %" for percent in percents]
    times, cpu = (" | ".join(f"{kind}, {heading}" for heading in headings) for kind in ("ms", "CPU ms"))
    head = [f"| {database} | queries | {times} | {cpu} | growth |", "|---|" + "---:|" * (2 + 2 * len(percents))]
    return "\n".join([*head, *map(line, rows)])


def print_plans(environments: dict[int, Environment], pattern: str) -> None:
    """Print the statements of the requests whose names match, with their plans, in the largest university."""
    largest = max(environments)
    with opened({largest: environments[largest]}) as universities:
        for name in universities.names:
            if re.search(pattern, name):
                print(f"== {name}")
                for milliseconds, sql, plan in universities.ask(largest, "plans", name):
                    print(f"-- {milliseconds:.1f} ms: {sql}\n{plan}\n")
