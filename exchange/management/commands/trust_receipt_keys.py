"""`manage.py trust_receipt_keys FILE`: verify receipts of another server, whose courses came here."""

import json
from pathlib import Path

from django.core.management import BaseCommand, CommandError, CommandParser

from courses.management.output import report_errors
from courses.permissions import SERVER
from exchange import receipt_keys


class Command(BaseCommand):
    help = "Accept receipts that another server has signed, before its courses are imported."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="what the other server answers at api/v2/receipts/keys/")

    def handle(self, *, file: Path, **options: object) -> None:
        try:
            public_keys = [str(key["x"]) for key in json.loads(file.read_text())["keys"]]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise CommandError(
                f"{file} has no keys of receipts, as a server answers at api/v2/receipts/keys/."
            ) from error
        with report_errors():
            trusted = receipt_keys.trust(public_keys, by=SERVER)
        self.stdout.write(f"Receipts with these keys verify here: {', '.join(trusted) or 'none'}.")
