"""Runs what renders in processes of their own (child.py), a few at once, while the request holds no place."""

import json
import os
import select
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext as _

from courses.errors import Invalid, TooLarge, TryAgain
from courses.places import waiting
from exchange.rendering.child import BEGUN, DONE, UNREADABLE

ROOT = Path(__file__).parents[2]
START = "import sys; sys.path.append(sys.argv[1]); from exchange.rendering.starter import main; main()"
START_SECONDS = 30  # in which the starter loads its code, on a busy machine
PATIENCE = 3  # times its processor time, in which a document must be rendered
QUEUE_SECONDS = 15  # for which a document waits for its turn
WAITING_PER_TURN = 16  # documents that may wait, for each that is rendered
MOST_OF_A_PERSON = 2  # documents at once, in a process
MAX_OUTPUT = 15_000_000  # bytes


class Busy(TryAgain):
    """Too much is being rendered just now."""


class Unreadable(Invalid):
    """A file is not what its name says."""

    def __init__(self) -> None:
        super().__init__(_("This file is not what its name says, or it is damaged."))


class TooCostly(TooLarge):
    """Rendering a document took too long, too much memory, or made too much."""

    def __init__(self) -> None:
        super().__init__(_("This file is too large or too deeply nested to be shown here."))


class Sandbox:
    """The starter of this server process, and who waits for it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._starter: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._turns = threading.BoundedSemaphore(settings.NGSHARE_RENDERERS)
        self._queue = threading.BoundedSemaphore(settings.NGSHARE_RENDERERS * (1 + WAITING_PER_TURN))
        self._people: Counter[str] = Counter()

    def run(self, content: Iterable[bytes], person: str, **options: str) -> bytes:
        """Return what the task that `options` names makes of the content, for this person.

        Errors: Busy, Unreadable, TooCostly, those of the content.
        """
        with self._turn(person), tempfile.TemporaryFile() as source, tempfile.TemporaryFile() as output:
            source.write(json.dumps(options).encode() + b"\n")
            source.writelines(content)
            source.seek(0)
            files, began = (source.fileno(), output.fileno()), time.monotonic()
            told = self._render(*files) or self._render(*files)  # a starter may end before it begins
            was_overdue = told == BEGUN and time.monotonic() > began + PATIENCE * settings.NGSHARE_RENDERING_SECONDS
            if not told or was_overdue:  # not the document, but the machine is at fault: it may be tried again
                raise _busy()
            if told == BEGUN + UNREADABLE:
                raise Unreadable
            if told != BEGUN + DONE:
                raise TooCostly
            output.seek(0)
            return output.read(MAX_OUTPUT)

    def count_of(self, person: str) -> int:
        """Return how many documents are being rendered for a person, or wait for their turn."""
        return self._people[person]

    @contextmanager
    def _turn(self, person: str) -> Iterator[None]:
        with self._lock:
            if self._people[person] >= MOST_OF_A_PERSON or not self._queue.acquire(blocking=False):
                raise _busy()
            self._people[person] += 1
        try:
            with waiting():
                if not self._turns.acquire(timeout=QUEUE_SECONDS):
                    raise _busy()
                try:
                    yield
                finally:
                    self._turns.release()
        finally:
            self._queue.release()
            with self._lock:
                self._people[person] -= 1
                if not self._people[person]:
                    del self._people[person]

    def _render(self, source: int, output: int) -> bytes:
        """Return what the starter and its process tell. Errors: Busy."""
        status, end = os.pipe()
        try:
            with self._lock:
                self._send([source, output, end])
        finally:
            os.close(end)
        with open(status, "rb", buffering=0) as pipe:
            return _read_until_its_end(pipe, START_SECONDS + PATIENCE * settings.NGSHARE_RENDERING_SECONDS)

    def _send(self, descriptors: list[int]) -> None:
        try:
            socket.send_fds(self._starter or self._start(), [b"!"], descriptors)
        except OSError:  # it has ended
            self.stop()
            socket.send_fds(self._start(), [b"!"], descriptors)

    def _start(self) -> socket.socket:
        self._starter, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        seconds = settings.NGSHARE_RENDERING_SECONDS
        limits = (seconds, PATIENCE * seconds, settings.NGSHARE_RENDERING_MEMORY, MAX_OUTPUT)
        command = [sys.executable, "-I", "-X", "utf8", "-c", START, str(ROOT), *map(str, limits)]
        with theirs:
            self._process = subprocess.Popen(
                command, stdin=theirs.fileno(), stdout=subprocess.DEVNULL, cwd="/", env={"HOME": "/nonexistent"}
            )
        return self._starter

    def stop(self) -> None:
        """End the starter. The next document starts another one."""
        if self._starter is not None and self._process is not None:
            self._starter.close()
            self._process.wait(START_SECONDS)
        self._starter = self._process = None


def _read_until_its_end(pipe: FileIO, seconds: float) -> bytes:
    """Errors: Busy, if it takes longer."""
    told, until = b"", time.monotonic() + seconds
    poll = select.poll()
    poll.register(pipe, select.POLLIN)
    while poll.poll(1000 * max(0, until - time.monotonic())):
        if not (more := pipe.read(10)):
            return told
        told += more
    raise _busy()  # the whole machine is


def _busy() -> Busy:
    return Busy(_("Many documents are being opened just now. Try again in a moment."))
