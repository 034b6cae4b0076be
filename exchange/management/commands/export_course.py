"""`manage.py export_course COURSE FILE`: a course as one zip. See docs/operating.md."""

from pathlib import Path

from django.core.management import BaseCommand, CommandError, CommandParser

from courses.management.output import write_bytes
from courses.models import Course
from courses.permissions import SERVER
from courses.sizes import readable_size
from exchange import course_archive


class Command(BaseCommand):
    help = "Write a course as one zip: roster, releases, submissions with receipts, feedback and audit log."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("course")
        parser.add_argument("file", type=Path)

    def handle(self, *, course: str, file: Path, **options: object) -> None:
        # Of those in the trash, the one that was there last: whoever retires a course exports it once more.
        rows = Course.objects.filter(name=course)
        existing = rows.filter(removed_at=None).first() or rows.order_by("-removed_at").first()
        if existing is None:
            raise CommandError(f"There is no course {course}.")
        size = write_bytes(file, course_archive.export_course(existing, by=SERVER))
        self.stdout.write(f"{file}: {course}, {readable_size(size)}.")
