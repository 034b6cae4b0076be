"""What a server costs: CPU seconds and peak memory, from Linux's /proc; and how long its health check takes."""

import multiprocessing
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path

from benchmarks.crowd import connect, read_response
from benchmarks.http import raw_request

PAUSE = 0.02  # seconds between two health checks
PATIENCE = 5  # seconds after which a health check has failed
TICK = os.sysconf("SC_CLK_TCK")


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat from the third on; see proc(5)."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def group(leader: int) -> list[int]:
    """The processes of a process group."""
    return [pid for pid in _all() if _field(pid, 2) == leader]


def family(parent: int) -> list[int]:
    """A process and its children."""
    return [parent, *(pid for pid in _all() if _field(pid, 1) == parent)]


def children_named(name: str) -> list[int]:
    """Return this process's children that run a program of this name."""
    return [pid for pid in _all() if _field(pid, 1) == os.getpid() and _name(pid) == name]


def _name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except (FileNotFoundError, ProcessLookupError):
        return ""  # it ended meanwhile


def _all() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def _field(pid: int, place: int) -> int:
    try:
        return int(_stat(pid)[place])
    except (FileNotFoundError, ProcessLookupError):
        return 0  # it ended meanwhile


def cpu_seconds(pids: list[int]) -> float:
    """User and system time that these processes have used so far."""
    return sum(_field(pid, 11) + _field(pid, 12) for pid in pids) / TICK


def _status(pid: int, name: str) -> int:
    """Bytes, of a line of /proc/PID/status that is in kB."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0  # it ended meanwhile
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:")), 0)


def forget_peak(pids: list[int]) -> int:
    """Let the peak of memory start anew, and say how much the processes hold now, in bytes."""
    for pid in pids:
        Path(f"/proc/{pid}/clear_refs").write_text("5")  # resets VmHWM
    return sum(_status(pid, "VmRSS") for pid in pids)


def peak(pids: list[int]) -> int:
    """The most memory, in bytes, that the processes held since forget_peak."""
    return sum(_status(pid, "VmHWM") for pid in pids)


def disk(folder: Path) -> int:
    """Bytes of all files in a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


class Latencies(list[float]):
    """Seconds of each health check; PATIENCE for one that failed."""

    @property
    def p99(self) -> float:
        return sorted(self)[int(len(self) * 0.99)] if self else float("nan")


@contextmanager
def health_checks(netloc: str, path: str) -> Iterator[Latencies]:
    """Ask for a server's health all the time, from a process of its own. The list is filled at the end."""
    found = Latencies()
    ours, theirs = multiprocessing.Pipe()
    prober = multiprocessing.get_context("fork").Process(target=_probe, args=(netloc, path, theirs))
    prober.start()
    ours.recv()  # it is up
    try:
        yield found
    finally:
        ours.send("stop")
        found += ours.recv()
        prober.join()


def _probe(netloc: str, path: str, control: Connection) -> None:
    control.send("up")
    request = raw_request("GET", path, {"Connection": "close"})
    taken: list[float] = []
    while not control.poll(PAUSE):
        start = time.perf_counter()
        try:
            with connect(netloc, PATIENCE) as connection:
                connection.sendall(request)
                status, _, _ = read_response(connection)
            succeeded = status < 500  # nbexchange has no health check: any answer will do
        except (OSError, ValueError):
            succeeded = False
        taken.append(time.perf_counter() - start if succeeded else PATIENCE)
    control.send(taken)
