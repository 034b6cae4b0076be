"""Progress of a long transfer: a bar in a terminal, elsewhere a line in the log now and then.

A transfer that takes less than two seconds shows nothing.
"""

import logging
import sys
import threading
import time
from typing import TextIO

from ..translation import gettext as _
from ..translation import ngettext

QUIET = 2.0  # seconds before anything is shown
REDRAW = 0.2  # seconds between two states of the bar
REPEAT = 10.0  # seconds between two lines of the log
WIDTH = 30  # characters of the bar


class Progress:
    """A transfer of `total` bytes; `advance` may be called from several threads, with less than 0 to go back."""

    def __init__(self, label: str, total: int, log: logging.Logger, terminal: TextIO | None = None) -> None:
        self.label, self.total, self.done = label, total, 0
        self._log = log
        self._terminal = sys.stderr if terminal is None else terminal
        self._is_terminal = self._terminal.isatty()
        self._started = time.monotonic()
        self._next = self._started + QUIET
        self._drawn = False
        self._lock = threading.Lock()

    def advance(self, count: int) -> None:
        with self._lock:
            self.done += count
            now = time.monotonic()
            if now >= self._next:
                self._next = now + (REDRAW if self._is_terminal else REPEAT)
                self._show()

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, *error: object) -> None:
        if self._drawn:
            self._terminal.write("\n")

    def _show(self) -> None:
        share = min(self.done / self.total, 1.0) if self.total else 1.0
        amount = _("%(done)s of %(total)s") % {
            "done": size_text(min(self.done, self.total)),
            "total": size_text(self.total),
        }
        if not self._is_terminal:
            self._log.info("%s: %s (%d %%)", self.label, amount, 100 * share)
            return
        bar = "#" * round(WIDTH * share)
        self._terminal.write(f"\r{self.label} [{bar:<{WIDTH}}] {amount} ")
        self._terminal.flush()
        self._drawn = True


def size_text(size: int) -> str:
    """Return a number of bytes as people read it: `980 bytes`, `4.2 MB`."""
    if size < 1000:
        return _("%(size)s bytes") % {"size": size}
    value, unit = size / 1000, "kB"
    for larger in ("MB", "GB"):
        if value < 1000:
            break
        value, unit = value / 1000, larger
    return f"{value:.1f} {unit}"


def files_text(count: int) -> str:
    return ngettext("%(count)s file", "%(count)s files", count) % {"count": count}
