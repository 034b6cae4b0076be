"""The queue of those who write to SQLite, in this process and in others.

SQLite itself wakes nobody up: who finds the database locked sleeps, for longer each time, and asks again.
"""

import fcntl
import os
import threading
import time
from collections import defaultdict
from pathlib import Path

PAUSE = 0.0005  # seconds, between two looks of a process at the file

_of_process: defaultdict[Path, threading.Lock] = defaultdict(threading.Lock)


class Turn:
    """One writer's place in the queue of a file: first in that of its process, then of the processes.

    The end of a process ends its turn.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._among_threads = _of_process[path]
        self._file = -1  # which is locked while it is this one's turn

    def wait(self, timeout: float) -> bool:
        """Wait until it is this one's turn, and return whether it is. `timeout`: seconds."""
        deadline = time.monotonic() + timeout
        if not self._among_threads.acquire(timeout=timeout):
            return False
        try:
            self._file = _lock(self._path, deadline)
        finally:
            if self._file < 0:
                self._among_threads.release()
        return self._file >= 0

    def end(self) -> None:
        """Let the next one begin."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
            self._among_threads.release()


def _lock(path: Path, deadline: float) -> int:
    """Return the file, open and locked, or -1 if another process has it for too long. Errors: OSError."""
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                os.close(file)
                return -1
            time.sleep(PAUSE)
        else:
            return file
