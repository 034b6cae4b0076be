"""`manage.py import_roster COURSE FILE`: make a roster match a CSV file. See docs/rosters.md."""

import sys
from pathlib import Path

from django.core.management import BaseCommand, CommandError, CommandParser
from django.utils.translation import ngettext

from courses.importers import csv_file
from courses.importers.roster_columns import COLUMN_NAMES, ColumnChoice
from courses.importers.tables import UnclearColumns
from courses.management.output import format_counts, get_course, report_errors, write_change
from courses.permissions import SERVER
from courses.roster import Result


class Command(BaseCommand):
    help = "Make a course's roster match a CSV file. A repeat changes nothing; staff are never demoted."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("course")
        parser.add_argument("file", help="a CSV file, or - for standard input")
        parser.add_argument(
            "--column",
            action="append",
            default=[],
            metavar="FIELD=COLUMN",
            help="read a field from this column of the file, as in --column username='SIS Login ID', or from none, as "
            f"in --column section=; may be given several times. Fields: {', '.join(COLUMN_NAMES)}",
        )
        parser.add_argument(
            "--before-at", action="store_true", help="user names are what comes before the @ in their column"
        )
        parser.add_argument("--dry-run", action="store_true", help="show what would change, and change nothing")
        parser.add_argument("--remove-others", action="store_true", help="remove students whom the file does not name")

    def handle(
        self,
        *,
        course: str,
        file: str,
        column: list[str],
        before_at: bool,
        dry_run: bool,
        remove_others: bool,
        **options: object,
    ) -> None:
        existing = get_course(course)
        try:
            content = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
        except OSError as error:
            raise CommandError(f"{file} cannot be read: {error.strerror}.") from error
        with report_errors():
            sheet = self._read(content, ColumnChoice.parse(column, before_at=before_at))
            report, outcomes = csv_file.import_roster(
                existing, sheet, by=SERVER, remove_others=remove_others, dry_run=dry_run
            )
        if sheet.ignored:
            self.stderr.write(f"columns that are not imported: {', '.join(sheet.ignored)}")
        for line, what in sheet.left_out:
            self.stderr.write(f"line {line}: left out ({what})")
        for outcome in outcomes:
            refused = outcome.row.result == Result.REFUSED
            write_change(self.stderr if refused else self.stdout, outcome.row, outcome.line)
        self.stdout.write(
            f"{existing.name}: {format_counts(report)}{' (dry run: nothing was done)' if dry_run else ''}"
        )
        if count := report.count(Result.REFUSED):
            raise CommandError(ngettext("%d line was refused.", "%d lines were refused.", count) % count)

    def _read(self, content: bytes, choice: ColumnChoice) -> csv_file.RosterFile:
        try:
            return csv_file.read(content, choice)
        except UnclearColumns as error:
            raise CommandError(
                f"{error.message} Name the column with --column, as in --column username='SIS Login ID'."
            ) from error
