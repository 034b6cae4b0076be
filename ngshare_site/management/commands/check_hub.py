"""`ngshare check_hub`: check the connection to JupyterHub, and print the configuration that is missing."""

import os
import sys

from django.conf import settings
from django.core.management import BaseCommand, CommandError, CommandParser

from ngshare_site.hub import diagnostics
from ngshare_site.hub.running_service import Service, running_services


class Command(BaseCommand):
    help = "Check the connection to JupyterHub, and print the configuration that is missing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--token",
            action="append",
            default=[],
            help="also check a token of a user's server; - reads it from standard input (may be given several times)",
        )
        parser.add_argument(
            "--pid",
            type=int,
            help="check with the environment of this process of the service (default: this command's, "
            "or where that knows no Hub, the environment of the service that runs here)",
        )

    def handle(self, *, token: list[str], pid: int | None, **options: object) -> None:
        if pid is not None or not (settings.JUPYTERHUB_API_URL or settings.NGSHARE_STANDALONE):
            self.check_as_the_service(token, pid)
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

    def check_as_the_service(self, token: list[str], pid: int | None) -> None:
        """Go on with the environment of the service that runs here. Return if there is none, and none was asked for.

        Settings are read once in a process, so this starts the command again in place of itself.
        """
        services = running_services()
        service = choose(services, pid)
        if service is None or service.environment is None:
            for other in services:
                self.stdout.write(
                    f"ngshare runs as {other.username} (process {other.pid}). To check with its environment, run this "
                    f"as that user (sudo -u {other.username} …), in its container if it is in one."
                )
            return
        self.stdout.write(f"Checking with the environment of the service that runs here (process {service.pid}).")
        self.stdout.flush()
        arguments = ["-P", "-m", "ngshare_site", "check_hub", *(f"--token={value}" for value in token)]
        path = os.pathsep.join(filter(None, sys.path))
        os.execve(sys.executable, [sys.executable, *arguments], {**service.environment, "PYTHONPATH": path})


def choose(services: list[Service], pid: int | None) -> Service | None:
    """Return the service to check, of those that run here. Errors: CommandError."""
    readable = [service for service in services if service.environment is not None]
    if pid is not None:
        readable = [service for service in readable if service.pid == pid]
        if not readable:
            raise CommandError(f"--pid: process {pid} is no service of a Hub whose environment this user may read.")
    if len(readable) > 1:
        processes = ", ".join(str(service.pid) for service in readable)
        raise CommandError(f"Several services run here: choose one with --pid ({processes}).")
    return readable[0] if readable else None
