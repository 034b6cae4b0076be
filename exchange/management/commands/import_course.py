"""`manage.py import_course FILE`: a course from the zip of export_course. See docs/operating.md."""

from pathlib import Path

from django.core.management import BaseCommand, CommandError, CommandParser
from django.utils.translation import ngettext

from courses.management.output import report_errors
from exchange.importers import course_archive


class Command(BaseCommand):
    """Exit status: 0 if everything is here, 1 if nothing was imported, 3 if bytes were lost before."""

    help = "Import a course from a zip of export_course, with the same times and digests."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--name", default="", help="give the course another name")

    def handle(self, *, file: Path, name: str, **options: object) -> None:
        with report_errors():
            imported = course_archive.import_course(file, name=name)
        count = imported.submissions
        self.stdout.write(f"{imported.course}: {ngettext('%d submission', '%d submissions', count) % count}.")
        if imported.lost:
            for sha256 in sorted(imported.lost):
                self.stderr.write(f"lost before the export: {sha256}")
            texts = ("%d blob is missing; everything else is here.", "%d blobs are missing; everything else is here.")
            raise CommandError(ngettext(*texts, len(imported.lost)) % len(imported.lost), returncode=3)
