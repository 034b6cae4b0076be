"""`manage.py export_roster COURSE`: a roster as CSV, which import_roster reads back unchanged."""

from typing import Any

from django.core.management import BaseCommand, CommandError, CommandParser

from courses import csvfile
from courses.management.telling import course_named


class Command(BaseCommand):
    help = "Write a course's roster as CSV."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("course")
        parser.add_argument("--output", metavar="FILE", help="instead of standard output")
        parser.add_argument(
            "--nbgrader", action="store_true", help="the students alone, as `nbgrader db student import` reads them"
        )

    def handle(self, *, course: str, output: str | None, nbgrader: bool, **options: Any) -> None:
        members = course_named(course).memberships.all()
        lines = csvfile.written(csvfile.roster_for_nbgrader(members) if nbgrader else csvfile.roster(members))
        if output is None:
            for line in lines:
                self.stdout.write(line, ending="")
            return
        try:
            with open(output, "w", encoding="utf-8", newline="") as file:
                file.writelines(lines)
        except OSError as error:
            raise CommandError(f"{output} cannot be written: {error.strerror}.") from error
