"""`manage.py import_ngshare`: take over an installation of ngshare 0.5 or 0.6."""

from pathlib import Path
from typing import Any

from django.core.management import CommandParser

from exchange.takeover.command import TakeOverCommand
from exchange.takeover.ngshare import Ngshare, database
from exchange.takeover.report import Report
from exchange.takeover.sources import Source


class Command(TakeOverCommand):
    help = "Take over the courses, members, assignments, submissions, feedback and files of an ngshare 0.5 or 0.6."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--database", required=True, help="its SQLite file, or any SQLAlchemy URL")
        parser.add_argument("--storage", required=True, type=Path, help="its folder of files")

    def source(self, report: Report, **options: Any) -> Source:
        return Ngshare(database(options["database"]), options["storage"], report)
