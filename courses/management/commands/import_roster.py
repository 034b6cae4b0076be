"""`manage.py import_roster COURSE FILE`: bring a roster to what a CSV file says. See docs/rosters.md."""

import sys
from pathlib import Path
from typing import Any

from django.core.management import BaseCommand, CommandError, CommandParser

from courses.importers import csv_file
from courses.management.output import counted, course_named, refusals_told, tell
from courses.permissions import SERVER
from courses.roster import Result


class Command(BaseCommand):
    help = "Bring a course's roster to what a CSV file says. A repeat changes nothing; staff are never demoted."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("course")
        parser.add_argument("file", help="a CSV file, or - for standard input")
        parser.add_argument("--dry-run", action="store_true", help="say what would be done, and do nothing")
        parser.add_argument("--remove-others", action="store_true", help="remove students whom the file does not name")

    def handle(self, *, course: str, file: str, dry_run: bool, remove_others: bool, **options: Any) -> None:
        found = course_named(course)
        try:
            content = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
        except OSError as error:
            raise CommandError(f"{file} cannot be read: {error.strerror}.") from error
        with refusals_told():
            sheet = csv_file.read(content)
            report, outcomes = csv_file.import_roster(
                found, sheet, by=SERVER, remove_others=remove_others, dry_run=dry_run
            )
        if sheet.ignored:
            self.stderr.write(f"columns that are not kept: {', '.join(sheet.ignored)}")
        for outcome in outcomes:
            refused = outcome.row.result == Result.REFUSED
            tell(self.stderr if refused else self.stdout, outcome.row, outcome.line)
        self.stdout.write(f"{found.name}: {counted(report)}{' (dry run: nothing was done)' if dry_run else ''}")
        if report.count(Result.REFUSED):
            raise CommandError(f"{report.count(Result.REFUSED)} lines were refused.")
