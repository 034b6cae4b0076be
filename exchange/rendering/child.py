"""The process that renders, and the one that starts it for each document.

The *starter* has loaded all code and waits. It knows no secret: its environment is empty, and Django is not loaded. For
each document it forks a process that has limits, can open nothing, neither a file nor a connection, starts no program,
and ends with its document. So nothing of one document is left for the next. sandbox.py starts the starter.
"""

import contextlib
import json
import os
import resource
import signal
import socket
import sys
import time
from collections.abc import Callable, Mapping

BEGUN, DONE, UNREADABLE = b".", b"+", b"?"  # what the starter tells, and the process at its end, unless it is ended
NICENESS = 5
FIRST_TO_END = "1000"  # where memory runs out, before the server
NOBODY = 65534  # the user and the group of nobody on Linux
IDLE_SECONDS = 300  # after which the starter ends
Task = Callable[[bytes, dict[str, str]], bytes]


def serve(tasks: Mapping[str, Task], seconds: int, patience: int, memory: int, output: int) -> None:
    """Fork a process for each three descriptors that arrive: of its input, its output, and where it tells its end.

    The input is a line of JSON with the task and its options, and the content. The limits are of each document: seconds
    of processor time, and of time; bytes of memory, beyond what is loaded, and of output. Ends when its parent does.
    """
    parent = socket.socket(fileno=os.dup(0))
    nowhere = os.open(os.devnull, os.O_RDWR)
    running: dict[int, float] = {}  # by process id: when it is killed, by the monotonic clock
    last = time.monotonic()
    parent.settimeout(1)
    while running or time.monotonic() < last + IDLE_SECONDS:
        _end_overdue(running)
        try:
            message, descriptors, _, _ = socket.recv_fds(parent, 1, 3)
        except TimeoutError:
            continue
        if not message:
            return
        last = time.monotonic()
        with contextlib.suppress(BrokenPipeError):  # nobody waits for it any more
            os.write(descriptors[2], BEGUN)
            if pid := os.fork():
                running[pid] = last + patience
            else:
                parent.close()
                _replace_standard_descriptors(*descriptors[:2], nowhere)
                limit(seconds, memory, output)
                _render(tasks, descriptors[2])
        for descriptor in descriptors:
            os.close(descriptor)


def _end_overdue(running: dict[int, float]) -> None:
    with contextlib.suppress(ChildProcessError):
        while pid := os.waitpid(-1, os.WNOHANG)[0]:
            del running[pid]
    for pid, until in running.items():
        if time.monotonic() > until:
            os.kill(pid, signal.SIGKILL)


def _replace_standard_descriptors(*descriptors: int) -> None:
    for number, descriptor in enumerate(descriptors):
        os.dup2(descriptor, number)


def limit(seconds: int, memory: int, output: int) -> None:
    """Set limits that the process cannot raise again. No descriptor is left to be had, so nothing can be opened."""
    os.nice(NICENESS)
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:
        file.write(FIRST_TO_END)
    with open("/proc/self/statm") as file:
        loaded = int(file.read().split()[0]) * resource.getpagesize()
    if os.getuid() == 0:
        _become_nobody()
    for name, most in (
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_AS, loaded + memory),
        (resource.RLIMIT_FSIZE, output),
        (resource.RLIMIT_NPROC, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 0),
    ):
        with contextlib.suppress(ValueError):  # the system has a lower one
            resource.setrlimit(name, (most, most))


def _become_nobody() -> None:
    """Give up what root may do, among it to raise limits. A container may know no other user than root."""
    with contextlib.suppress(OSError):
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)


def _render(tasks: Mapping[str, Task], end: int) -> None:
    """Do the task, and end the process without what Python does at its end."""
    try:
        options = json.loads(sys.stdin.buffer.readline())
        rendered = tasks[options.pop("task")](sys.stdin.buffer.read(), options)
        sys.stdout.buffer.write(rendered)
        sys.stdout.buffer.flush()
        os.write(end, DONE)
    except (ValueError, AttributeError, KeyError, TypeError):  # whatever nbformat meets in what is no notebook
        os.write(end, UNREADABLE)
    finally:
        os._exit(0)
