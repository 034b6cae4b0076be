"""`manage.py import_exchange_folder`: take over nbgrader's exchange directory."""

from pathlib import Path
from typing import Any

from django.core.management import CommandParser

from exchange.takeover.command import TakeOverCommand
from exchange.takeover.folder import ExchangeFolder
from exchange.takeover.report import Report
from exchange.takeover.sources import Source


class Command(TakeOverCommand):
    help = "Take over nbgrader's exchange directory: what was released, handed in and given back."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("root", type=Path, help="the exchange directory, /usr/local/share/nbgrader/exchange or so")
        parser.add_argument("--course", action="append", default=[], help="only this course; may be repeated")
        parser.add_argument(
            "--instructor", action="append", default=[], help="make this user an instructor of each; may be repeated"
        )

    def source(self, report: Report, **options: Any) -> Source:
        return ExchangeFolder(options["root"], report, only=options["course"], instructors=options["instructor"])
