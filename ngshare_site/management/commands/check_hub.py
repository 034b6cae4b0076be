"""`manage.py check_hub`: what works between this service and JupyterHub, and what to write where it does not."""

import sys
from typing import Any

from django.core.management import BaseCommand, CommandError, CommandParser

from ngshare_site.hub import doctor


class Command(BaseCommand):
    help = "Say what works between this service and JupyterHub, and print the configuration that is missing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--token",
            action="append",
            default=[],
            help="a token of a user's server to try; - reads it from the standard input (may be given several times)",
        )

    def handle(self, *, token: list[str], **options: Any) -> None:
        tokens = [sys.stdin.readline().strip() if one == "-" else one for one in token]
        missing = 0
        for finding in doctor.examine(tokens):
            mark = self.style.SUCCESS("ok     ") if finding.is_good else self.style.ERROR("missing")
            self.stdout.write(f"{mark} {finding.sentence}")
            if finding.lines:
                self.stdout.write(f"\n{finding.lines}\n")
            missing += not finding.is_good
        if missing:
            raise CommandError(f"{missing} of the above must be mended; see docs/jupyterhub.md.")
