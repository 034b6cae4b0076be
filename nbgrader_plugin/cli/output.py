"""What the plugin's commands have in common: nbgrader's settings, lines in colour, tables, and the exit status."""

import logging
import os
import sys
import unicodedata
from collections.abc import Callable, Sequence
from typing import TextIO

from nbgrader.apps.baseapp import NbGrader
from nbgrader.exchange import ExchangeError

from ..client.paths import BadPath
from ..client.printing import printable, printable_line
from ..translation import gettext as _
from ..translation import ngettext

RED, GREEN, YELLOW = 31, 32, 33  # ECMA-48, "select graphic rendition"
FAILED, INTERRUPTED = 1, 130


class CommandFailed(Exception):
    """The command cannot go on, or has not done everything; the text is for the person who typed it."""


def load_nbgrader() -> NbGrader:
    """Return nbgrader as it is configured for the current folder."""
    app = NbGrader(log_level=logging.ERROR)
    app.initialize([])
    return app


def print_success(text: str) -> None:
    _print(text, GREEN, sys.stdout)


def print_warning(text: str) -> None:
    _print(text, YELLOW, sys.stderr)


def print_error(text: str) -> None:
    _print(text, RED, sys.stderr)


def _print(text: str, colour: int, stream: TextIO) -> None:
    text = printable(text)
    if stream.isatty() and "NO_COLOR" not in os.environ:  # https://no-color.org
        text = f"\033[{colour}m{text}\033[0m"
    print(text, file=stream, flush=True)


def render_made(changes: int) -> str:
    return ngettext("%(count)s change was made.", "%(count)s changes were made.", changes) % {"count": changes}


def render_table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return columns side by side, each as wide as its widest cell.

    >>> print(render_table(["name", "role"], [["bob", "student"]]))
    name  role
    ----  -------
    bob   student
    """
    cells = [[printable_line(str(cell)) for cell in row] for row in [header, *rows]]
    widths = [max(map(_width, column)) for column in zip(*cells, strict=True)]
    cells.insert(1, ["-" * width for width in widths])
    lines = (
        "  ".join(cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True)) for row in cells
    )
    return "\n".join(line.rstrip() for line in lines)


def _width(text: str) -> int:
    """Return how many columns the text takes in a terminal (Unicode Standard Annex 11)."""
    return sum(0 if unicodedata.combining(char) else 1 + (unicodedata.east_asian_width(char) in "WF") for char in text)


def sentence_of(error: Exception) -> str:
    """Return what a foreseen error says.

    >>> sentence_of(FileNotFoundError(2, "No such file or directory", "receipt.json"))
    'receipt.json: No such file or directory.'
    """
    if isinstance(error, OSError) and error.strerror and error.filename:
        return f"{error.filename}: {error.strerror}."
    return str(error)


def run_command(command: Callable[[], None]) -> int:
    """Return the exit status of a command; a foreseen error is printed as a sentence."""
    try:
        command()
    except (CommandFailed, ExchangeError, BadPath, OSError) as error:
        print_error(sentence_of(error))
        return FAILED
    except KeyboardInterrupt:
        print_error(_("Interrupted."))
        return INTERRUPTED
    return 0
