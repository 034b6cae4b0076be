"""`manage.py export_roster COURSE`: a roster as CSV, which import_roster reads back unchanged."""

from django.core.management import BaseCommand, CommandParser

from courses import roster_export
from courses.management.output import get_course, write


class Command(BaseCommand):
    help = "Write a course's roster as CSV."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("course")
        parser.add_argument("--output", metavar="FILE", help="write to this file instead of standard output")
        parser.add_argument(
            "--nbgrader", action="store_true", help="only the students, as `nbgrader db student import` reads them"
        )

    def handle(self, *, course: str, output: str | None, nbgrader: bool, **options: object) -> None:
        members = get_course(course).memberships.all()
        lines = roster_export.export_for_nbgrader(members) if nbgrader else roster_export.export_roster(members)
        write(lines, self.stdout, output)
