"""ngshare's command line: `ngshare serve`, `python -m ngshare_site serve`, `python manage.py serve`."""

import os
import sys
import textwrap

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import ManagementUtility, get_commands, load_command_class
from django.core.management.base import BaseCommand
from django.utils import translation

from ngshare_site import __version__, data_folder, metrics_folder

METRICS = "PROMETHEUS_MULTIPROC_DIR"  # prometheus-client reads it when Django loads the apps
OUR_APPS = ("courses", "exchange", "ngshare_site")
# Commands that need no data: they work anywhere and write nothing. `restore` makes the data itself.
WITHOUT_DATA = frozenset({"help", "version", "check", "check_hub", "diffsettings", "restore", "spectacular"})
MAKE_DATABASE = frozenset({"serve", "migrate", "makemigrations"})


class CommandLine(ManagementUtility):
    """Django's command line, with ngshare's version and ngshare's own commands first in the help."""

    def execute(self) -> None:
        if self.argv[1:] in (["--version"], ["version"]):
            sys.stdout.write(f"ngshare {__version__}\n")
            return
        super().execute()

    def fetch_command(self, subcommand: str) -> BaseCommand:
        """Return the command, with data for it to work on if it is about to run."""
        translation.activate("en")  # what commands say is for operators; the pages of `serve` are in other threads
        command = super().fetch_command(subcommand)
        is_help = self.argv[1] != subcommand or {"-h", "--help"} & set(self.argv)
        if subcommand not in WITHOUT_DATA and not is_help:
            if subcommand in MAKE_DATABASE:
                data_folder.prepare()
                data_folder.require_database(to_exist=False)
            else:
                data_folder.require_database(to_exist=True)  # before anything is made where the service's data is not
                data_folder.prepare()
        else:
            # A cache in files makes its folder as soon as Django's checks look at it.
            settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}
        return command

    def main_help_text(self, commands_only: bool = False) -> str:
        if commands_only:
            return super().main_help_text(commands_only)
        commands = get_commands()
        ours = sorted(name for name, app in commands.items() if app in OUR_APPS)
        others = sorted({*commands, "help", "version"} - set(ours))
        width = max(map(len, ours), default=0)
        return "\n".join(
            [
                f"ngshare {__version__}: the exchange service of nbgrader on JupyterHub.",
                f"Type '{self.prog_name} help <command>' for the options of one command.",
                "",
                "ngshare's commands:",
                *(f"  {name:{width}}  {load_command_class(str(commands[name]), name).help}" for name in ours),
                "",
                "Django's commands:",
                textwrap.fill(", ".join(others), 100, initial_indent="  ", subsequent_indent="  "),
            ]
        )


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ngshare_site.settings")
    try:
        if sys.argv[1:] not in (["--version"], ["version"]):
            settings.DATABASES  # noqa: B018  # reads the environment
        if sys.argv[1:2] == ["serve"]:
            os.environ[METRICS] = str(metrics_folder.prepare(os.environ.get(METRICS, "")))
        CommandLine(sys.argv).execute()
    except ImproperlyConfigured as error:
        sys.exit(f"ngshare cannot start: {error}")


if __name__ == "__main__":
    main()
