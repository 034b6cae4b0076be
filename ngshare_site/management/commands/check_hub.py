"""`ngshare check_hub`: check the connection to JupyterHub, and print the configuration that is missing."""

import sys

from django.core.management import BaseCommand, CommandError, CommandParser

from ngshare_site.hub import diagnostics


class Command(BaseCommand):
    help = "Check the connection to JupyterHub, and print the configuration that is missing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--token",
            action="append",
            default=[],
            help="also check a token of a user's server; - reads it from standard input (may be given several times)",
        )

    def handle(self, *, token: list[str], **options: object) -> None:
        tokens = [sys.stdin.readline().strip() if value == "-" else value for value in token]
        missing = 0
        for finding in diagnostics.run_checks(tokens):
            mark = self.style.SUCCESS("ok     ") if finding.is_ok else self.style.ERROR("missing")
            self.stdout.write(f"{mark} {finding.message}")
            if finding.config:
                self.stdout.write(f"\n{finding.config}\n")
            missing += not finding.is_ok
        if missing:
            raise CommandError(f"{missing} of the above must be corrected; see docs/jupyterhub.md.")
