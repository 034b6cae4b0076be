"""What the import commands share: their flags, the report and the exit status."""

import sys
from typing import Any

from django.core.management import BaseCommand, CommandError, CommandParser
from django.utils.translation import ngettext

from courses.management.progress import Progress
from exchange.importers.importing import ImportRun
from exchange.importers.report import ImportReport
from exchange.importers.sources import CannotRead, Source


class ImportCommand(BaseCommand):
    """Exit status: 0 if everything was imported, 1 if something is missing or broken, 2 without a source."""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="read and verify everything, write nothing")

    def source(self, report: ImportReport, **options: Any) -> Source:
        """Return the source that the options name. Errors: CannotRead."""
        raise NotImplementedError

    def handle(self, *, dry_run: bool, **options: Any) -> None:
        report = ImportReport()
        try:
            source = self.source(report, **options)
            progress = Progress(source.count(), sys.stderr)
            ImportRun(report, is_dry=dry_run, step=progress.step).run(source)
        except CannotRead as error:
            self._write(report, dry_run)
            raise CommandError(str(error), returncode=2) from error
        self._write(report, dry_run)
        if report.problems:
            count = len(report.problems)
            texts = ("%d thing is missing or broken, see above.", "%d things are missing or broken, see above.")
            raise CommandError(ngettext(*texts, count) % count, returncode=1)

    def _write(self, report: ImportReport, is_dry: bool) -> None:
        for note in report.notes:
            self.stdout.write(f"Note: {note}")
        for problem in report.problems:
            self.stdout.write(self.style.WARNING(f"Missing or broken: {problem}"))
        if report.counts:
            self.stdout.write("\n".join(report.table()))
        if is_dry:
            self.stdout.write("This was a dry run: nothing was written.")
