"""`manage.py apply_courses FILE`: make courses and rosters as a YAML file declares them. See docs/rosters.md."""

import sys
from pathlib import Path
from typing import Any

from django.core.management import BaseCommand, CommandError, CommandParser

from courses import declarations
from courses.management.telling import counted, refusals_told, tell
from courses.rosters import Result


class Command(BaseCommand):
    help = "Make courses and rosters as a YAML file declares them. A repeat changes nothing; staff are never demoted."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", help="a YAML file, or - for standard input")
        parser.add_argument("--dry-run", action="store_true", help="say what would be done, and do nothing")

    def handle(self, *, file: str, dry_run: bool, **options: Any) -> None:
        try:
            text = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
        except OSError as error:
            raise CommandError(f"{file} cannot be read: {error.strerror}.") from error
        refused = 0
        with refusals_told():
            for declared in declarations.read(text):
                applied = declarations.apply(declared, by=None, dry_run=dry_run)
                self.stdout.write(f"{applied.name}: {'new; ' if applied.is_new else ''}{counted(applied.report)}")
                for row in applied.report.rows:
                    tell(self.stderr if row.result == Result.REFUSED else self.stdout, row)
                refused += applied.report.count(Result.REFUSED)
        if dry_run:
            self.stdout.write("dry run: nothing was done")
        if refused:
            raise CommandError(f"{refused} of the declared people were refused.")
