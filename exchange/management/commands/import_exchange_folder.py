"""`manage.py import_exchange_folder`: import nbgrader's exchange directory."""

from pathlib import Path
from typing import Any

from django.core.management import CommandParser

from exchange.importers.command import ImportCommand
from exchange.importers.exchange_directory import ExchangeDirectory
from exchange.importers.report import ImportReport
from exchange.importers.sources import Source


class Command(ImportCommand):
    help = "Import nbgrader's exchange directory: releases, submissions and feedback."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("root", type=Path, help="the exchange directory, /usr/local/share/nbgrader/exchange or so")
        parser.add_argument("--course", action="append", default=[], help="only this course; may be repeated")
        parser.add_argument(
            "--instructor", action="append", default=[], help="make this user an instructor of each; may be repeated"
        )
        parser.add_argument(
            "--no-check-owner",
            action="store_false",
            dest="check_owner",
            help="do not note submissions whose folder belongs to somebody else than its name says",
        )

    def source(self, report: ImportReport, **options: Any) -> Source:
        return ExchangeDirectory(
            options["root"],
            report,
            only=options["course"],
            instructors=options["instructor"],
            check_owner=options["check_owner"],
        )
