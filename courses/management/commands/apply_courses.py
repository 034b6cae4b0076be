"""`manage.py apply_courses FILE`: create courses and rosters as a YAML file declares them. See docs/rosters.md."""

import sys
from pathlib import Path

from django.core.management import BaseCommand, CommandError, CommandParser
from django.utils.translation import ngettext

from courses.importers import yaml_file
from courses.importers.yaml_file import AppliedCourse
from courses.management.output import format_counts, report_errors, write_change
from courses.permissions import SERVER
from courses.roster import Result


class Command(BaseCommand):
    help = "Create courses and rosters as a YAML file declares them. A repeat changes nothing; staff are never demoted."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", help="a YAML file, or - for standard input")
        parser.add_argument("--dry-run", action="store_true", help="show what would change, and change nothing")

    def handle(self, *, file: str, dry_run: bool, **options: object) -> None:
        try:
            text = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
        except OSError as error:
            raise CommandError(f"{file} cannot be read: {error.strerror}.") from error
        with report_errors():
            courses = yaml_file.apply_declarations(yaml_file.read(text), by=SERVER, dry_run=dry_run)
        for applied in courses:
            self.stdout.write(f"{applied.name}: {_format_new(applied)}{format_counts(applied.report)}")
            for row in applied.report.rows:
                write_change(self.stderr if row.result == Result.REFUSED else self.stdout, row)
        if dry_run:
            self.stdout.write("dry run: nothing was done")
        if refused := sum(applied.report.count(Result.REFUSED) for applied in courses):
            texts = ("%d of the declared people was refused.", "%d of the declared people were refused.")
            raise CommandError(ngettext(*texts, refused) % refused)


def _format_new(applied: AppliedCourse) -> str:
    if not applied.is_new:
        return ""
    return "new, beside a course of this name in the trash; " if applied.is_namesake_in_trash else "new; "
