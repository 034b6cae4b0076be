"""Running a command of an import, and what it wrote."""

import io
from contextlib import redirect_stderr
from dataclasses import dataclass

from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command

from tests import cast


@dataclass
class Run:
    status: int
    output: str
    progress: str

    def counts(self, kind):
        """{"new": …, "completed": …, "there already": …, "left out": …} of the report's line."""
        (line,) = [
            line for line in self.output.splitlines() if line.split(" ")[0] == kind and line.rstrip()[-1].isdigit()
        ]
        names = ("new", "completed", "there already", "left out")
        return dict(zip(names, map(int, line.split()[1:]), strict=True))

    def problems(self):
        return [line for line in self.output.splitlines() if line.startswith("Missing or broken: ")]


def run(command, *arguments):
    output, progress, status = io.StringIO(), io.StringIO(), 0
    try:
        with redirect_stderr(progress):
            call_command(command, *map(str, arguments), stdout=output, no_color=True)
    except CommandError as error:
        status = error.returncode
        output.write(str(error))
    return Run(status, output.getvalue(), progress.getvalue())


def import_ngshare(old, *arguments, database=None):
    return run("import_ngshare", "--database", database or old / "ngshare.db", "--storage", old / "files", *arguments)


def everything_stored(folder=""):
    """The names in the store."""
    try:
        folders, files = default_storage.listdir(folder)
    except FileNotFoundError:
        return set()
    inner = [everything_stored(f"{folder}{row}/") for row in folders if row != "staging"]
    return {f"{folder}{row}" for row in files}.union(*inner)


def everything():
    return cast.everything(), everything_stored()
