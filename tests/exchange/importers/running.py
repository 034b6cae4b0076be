"""Running a command of a take-over, and what it said."""

import io
from contextlib import redirect_stderr
from dataclasses import dataclass

from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command

from tests import cast


@dataclass
class Run:
    status: int
    said: str
    progress: str

    def counts(self, kind):
        """{"new": …, "completed": …, "there already": …, "left out": …} of the report's line."""
        (line,) = [
            line for line in self.said.splitlines() if line.split(" ")[0] == kind and line.rstrip()[-1].isdigit()
        ]
        names = ("new", "completed", "there already", "left out")
        return dict(zip(names, map(int, line.split()[1:]), strict=True))

    def problems(self):
        return [line for line in self.said.splitlines() if line.startswith("Missing or broken: ")]


def run(command, *arguments):
    said, progress, status = io.StringIO(), io.StringIO(), 0
    try:
        with redirect_stderr(progress):
            call_command(command, *map(str, arguments), stdout=said, no_color=True)
    except CommandError as error:
        status = error.returncode
        said.write(str(error))
    return Run(status, said.getvalue(), progress.getvalue())


def import_ngshare(old, *arguments, database=None):
    return run("import_ngshare", "--database", database or old / "ngshare.db", "--storage", old / "files", *arguments)


def everything_stored(folder=""):
    """The names in the store."""
    try:
        folders, files = default_storage.listdir(folder)
    except FileNotFoundError:
        return set()
    inner = [everything_stored(f"{folder}{one}/") for one in folders if one != "staging"]
    return {f"{folder}{one}" for one in files}.union(*inner)


def everything():
    return cast.everything(), everything_stored()
