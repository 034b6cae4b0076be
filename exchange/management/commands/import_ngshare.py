"""`manage.py import_ngshare`: take over an installation of ngshare 0.5 or 0.6."""

from pathlib import Path
from typing import Any

from django.core.management import CommandParser

from exchange.importers.command import ImportCommand
from exchange.importers.ngshare import Ngshare, database
from exchange.importers.report import ImportReport
from exchange.importers.sources import Source


class Command(ImportCommand):
    help = "Take over the courses, members, assignments, submissions, feedback and files of an ngshare 0.5 or 0.6."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--database", required=True, help="its SQLite file, or any SQLAlchemy URL")
        parser.add_argument("--storage", required=True, type=Path, help="its folder of files")

    def source(self, report: ImportReport, **options: Any) -> Source:
        return Ngshare(database(options["database"]), options["storage"], report)
