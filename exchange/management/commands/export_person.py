"""`manage.py export_person USER FILE`: everything that somebody submitted as one zip. See docs/admin.md."""

from pathlib import Path

from django.core.management import BaseCommand, CommandParser

from courses import people
from courses.management.output import report_errors, write_bytes
from courses.permissions import SERVER
from courses.sizes import readable_size
from exchange import personal_archive


class Command(BaseCommand):
    help = "Write everything that a user submitted, with receipts and feedback, as one zip."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("user")
        parser.add_argument("file", type=Path)

    def handle(self, *, user: str, file: Path, **options: object) -> None:
        with report_errors():
            size = write_bytes(file, personal_archive.export_person(people.find(user), by=SERVER))
        self.stdout.write(f"{file}: {user}, {readable_size(size)}.")
