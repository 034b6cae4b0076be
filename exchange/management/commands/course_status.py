"""`manage.py course_status COURSE`: who has handed in. See docs/operating.md."""

from typing import Any

from django.core.management import BaseCommand, CommandParser

from courses import csvfile
from courses.management.telling import course_named, write
from exchange import status


class Command(BaseCommand):
    help = "Say who has handed in: member by assignment. Times are in UTC."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("course")
        parser.add_argument("--csv", action="store_true", help="as CSV, as the admin gives it")
        parser.add_argument("--output", metavar="FILE", help="instead of standard output")

    def handle(self, *, course: str, csv: bool, output: str | None, **options: Any) -> None:
        found = course_named(course)
        assignments = list(found.assignments.order_by("name"))
        lines = status.of_course(found, assignments)
        if csv:
            write(csvfile.written(status.as_table(lines, assignments)), self.stdout, output)
        else:
            write(status.as_text(lines, assignments), self.stdout, output)
