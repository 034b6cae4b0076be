"""`manage.py course_status COURSE`: who has submitted. See docs/operating.md."""

from django.core.management import BaseCommand, CommandParser

from courses import csv_writer
from courses.management.output import get_course, write
from exchange import progress


class Command(BaseCommand):
    help = "Show who has submitted, by member and assignment. Times are in UTC."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("course")
        parser.add_argument("--csv", action="store_true", help="write the CSV that the admin offers")
        parser.add_argument("--output", metavar="FILE", help="write to this file instead of standard output")

    def handle(self, *, course: str, csv: bool, output: str | None, **options: object) -> None:
        existing = get_course(course)
        assignments = list(existing.assignments.order_by("name"))
        members = progress.course_progress(existing, assignments)
        if csv:
            write(csv_writer.write_rows(progress.table_rows(members, assignments)), self.stdout, output)
        else:
            write(progress.text_lines(members, assignments), self.stdout, output)
