"""`manage.py course_status COURSE`: who has submitted. See docs/operating.md."""

from django.core.management import BaseCommand, CommandParser

from courses import csv_writer
from courses.management.output import get_course, write
from exchange import progress
from exchange.progress_tables import TableFilter, csv_rows, text_lines


class Command(BaseCommand):
    help = "Show who has submitted, by member and assignment. Times are in UTC."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("course")
        parser.add_argument("--csv", action="store_true", help="write the CSV that the admin offers")
        parser.add_argument("--trials", action="store_true", help="with what staff submitted to try an assignment")
        parser.add_argument("--output", metavar="FILE", help="write to this file instead of standard output")

    def handle(self, *, course: str, csv: bool, trials: bool, output: str | None, **options: object) -> None:
        existing = get_course(course)
        assignments = list(existing.assignments.order_by("name"))
        members = TableFilter(trials=trials).read(existing, assignments)
        if csv:
            write(csv_writer.write_rows(csv_rows(members, assignments)), self.stdout, output)
            return
        counts = progress.count_by_assignment(assignments, trials=trials)
        sentences = [counts[each.pk].sentence for each in assignments]
        write(text_lines(members, assignments, sentences, late_days=existing.late_days), self.stdout, output)
