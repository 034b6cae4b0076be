"""What the commands of a take-over share: their flags, the progress bar, the report and the exit status."""

import sys
import time
from typing import Any, TextIO

from django.core.management import BaseCommand, CommandError, CommandParser

from exchange.importers.importing import ImportRun
from exchange.importers.report import ImportReport
from exchange.importers.sources import CannotRead, Source

WIDTH = 30  # characters of the bar
PAUSE = 0.2  # seconds between two looks of the bar in a terminal
LINES = 10  # lines of progress where there is no terminal


class Progress:
    """A bar in a terminal; elsewhere a line each tenth."""

    def __init__(self, total: int, stream: TextIO) -> None:
        self.total, self.done, self.stream = total, 0, stream
        self._is_terminal = stream.isatty()
        self._shown_at = 0.0

    def step(self) -> None:
        self.done += 1
        is_last = self.done >= self.total
        if self._is_terminal and (is_last or time.monotonic() - self._shown_at > PAUSE):
            self._shown_at = time.monotonic()
            filled = WIDTH * min(self.done, self.total) // max(self.total, 1)
            bar = "#" * filled + "." * (WIDTH - filled)
            self.stream.write(f"\r[{bar}] {self.done} of {self.total}" + "\n" * is_last)
        elif not self._is_terminal and (is_last or self.done % max(1, self.total // LINES) == 0):
            self.stream.write(f"{self.done} of {self.total}\n")
        self.stream.flush()


class ImportCommand(BaseCommand):
    """Exit status: 0 if everything was taken over, 1 if something is missing or broken, 2 if the source is none."""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="read and verify everything, write nothing")

    def source(self, report: ImportReport, **options: Any) -> Source:
        """Errors: CannotRead."""
        raise NotImplementedError

    def handle(self, *, dry_run: bool, **options: Any) -> None:
        report = ImportReport()
        try:
            source = self.source(report, **options)
            progress = Progress(source.count(), sys.stderr)
            ImportRun(report, is_dry=dry_run, step=progress.step).run(source)
        except CannotRead as error:
            self._tell(report, dry_run)
            raise CommandError(str(error), returncode=2) from error
        self._tell(report, dry_run)
        if report.problems:
            raise CommandError(f"{len(report.problems)} things are missing or broken, see above.", returncode=1)

    def _tell(self, report: ImportReport, is_dry: bool) -> None:
        for line in report.notes:
            self.stdout.write(f"Note: {line}")
        for line in report.problems:
            self.stdout.write(self.style.WARNING(f"Missing or broken: {line}"))
        if report.counts:
            self.stdout.write("\n".join(report.table()))
        if is_dry:
            self.stdout.write("This was a dry run: nothing was written.")
