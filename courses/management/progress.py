"""How far a command has come, and how fast it may go."""

import time
from collections.abc import Callable
from typing import TextIO

from courses.sizes import readable_size

WIDTH = 30  # characters of the bar
PAUSE = 0.2  # seconds between two updates of the bar in a terminal
LINES = 10  # lines of progress where there is no terminal


class Progress:
    """A bar in a terminal; elsewhere a line for each tenth."""

    def __init__(self, total: int, stream: TextIO, show: Callable[[int], str] = str) -> None:
        self.total, self.done, self.stream = total, 0, stream
        self._show = show
        self._is_terminal = stream.isatty()
        self._shown_at = 0.0

    def step(self, size: int = 1) -> None:
        before, self.done = self.done, self.done + size
        is_last = before < self.total <= self.done
        text = f"{self._show(self.done)} of {self._show(self.total)}"
        if self._is_terminal and (is_last or time.monotonic() - self._shown_at > PAUSE):
            self._shown_at = time.monotonic()
            filled = WIDTH * min(self.done, self.total) // max(self.total, 1)
            bar = "#" * filled + "." * (WIDTH - filled)
            self.stream.write(f"\r[{bar}] {text}\x1b[K" + "\n" * is_last)
        elif not self._is_terminal and (is_last or self._tenth(self.done) > self._tenth(before)):
            self.stream.write(f"{text}\n")
        self.stream.flush()

    def _tenth(self, done: int) -> int:
        return done // max(1, self.total // LINES)


class Pace:
    """Bounds a rate, by sleeping after each step that came too early."""

    def __init__(self, rate: int) -> None:
        self._rate = rate  # bytes per second
        self._free_at = 0.0

    def step(self, size: int) -> None:
        now = time.monotonic()
        self._free_at = max(self._free_at, now) + size / self._rate
        if self._free_at > now:
            time.sleep(self._free_at - now)


class Bar:
    """The progress of what says itself how many bytes are done, and of how many."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._progress: Progress | None = None

    def show(self, done: int, total: int) -> None:
        if self._progress is None or self._progress.total != total:
            self._progress = Progress(total, self._stream, readable_size)
        self._progress.step(done - self._progress.done)
