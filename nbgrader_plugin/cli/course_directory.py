"""`ngshare-course-directory [COURSE [PATH]]`: folders that nbgrader and formgrader take for a course by themselves.

Such a folder has its own nbgrader_config.py, which says course and gradebook. In JupyterLab one goes into the folder
and chooses *Formgrader (local)*, which nbgrader's labextension shows when its setting `local_config` is on.
"""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..authenticator import STAFF
from ..client import paths
from ..client.client import NgshareClient
from ..client.records import mapping, rows, text
from .output import CommandFailed, done, run, settings, warn

LAB_SETTING = Path("@jupyter", "nbgrader", "formgrader.jupyterlab-settings")
CONFIG = '''\
"""Read by nbgrader in this folder, and by formgrader for it."""

import os

from nbgrader_plugin import configure

c = get_config()
configure({arguments})
root = os.path.dirname(os.path.abspath(__file__))
c.CourseDirectory.course_id = {course!r}
c.CourseDirectory.root = root
c.CourseDirectory.db_url = f"sqlite:///{{root}}/gradebook.db"
'''


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="ngshare-course-directory",
        description="Lay out a folder for a course, which formgrader opens by itself. No file is ever overwritten.",
    )
    parser.add_argument("course", metavar="COURSE", nargs="?", help="name of the course; default: each that you teach")
    parser.add_argument("path", metavar="PATH", nargs="?", type=Path, help="the folder; default: ./COURSE")
    asked = parser.parse_args(arguments)
    return run(lambda: lay_out_all(asked.course, asked.path))


def lay_out_all(course: str | None, path: Path | None) -> None:
    app = settings()
    client = NgshareClient(parent=app)
    for name in taught(client) if course is None else [checked(client, course)]:
        lay_out(name, path or Path(paths.name(name, "course")), url=client.url)
    allow_local_config(lab_settings_folder(app.config_dir) / LAB_SETTING)


def taught(client: NgshareClient) -> list[str]:
    """The courses that the user is on the staff of; CommandFailed if there are none."""
    me = mapping(client.get("me"))
    courses = [text(course, "name") for course in map(mapping, rows(me.get("courses"))) if course.get("role") in STAFF]
    if not courses:
        raise CommandFailed(f"{text(me, 'username')} teaches no course.")
    return courses


def checked(client: NgshareClient, course: str) -> str:
    """The course, if the user teaches it or is an administrator; CommandFailed or Refused otherwise."""
    role = mapping(client.get("courses", course)).get("role")
    if role not in STAFF and role is not None:
        raise CommandFailed(f"You do not teach '{course}': your role there is {role}.")
    return course


def lay_out(course: str, folder: Path, *, url: str = "") -> None:
    """Make what is missing of a course directory."""
    (folder / "source").mkdir(parents=True, exist_ok=True)
    file = folder / "nbgrader_config.py"
    content = CONFIG.format(course=course, arguments=f"c, url={url!r}" if url else "c")
    try:
        with file.open("x", encoding="utf-8") as config:
            config.write(content)
    except FileExistsError:
        if file.read_text(encoding="utf-8", errors="replace") == content:
            done(f"{folder} is laid out for '{course}' already.")
        else:
            warn(f"{file} is there already and was left as it is; see that it says course_id = {course!r}.")
        return
    done(f"{folder} is laid out for '{course}'. Put assignments into {folder / 'source'}.")


def lab_settings_folder(config_dir: str, environ: Mapping[str, str] = os.environ) -> Path:
    """Where JupyterLab keeps the user's settings (jupyterlab/commands.py, get_user_settings_dir)."""
    return Path(environ.get("JUPYTERLAB_SETTINGS_DIR") or Path(config_dir, "lab", "user-settings"))


def allow_local_config(file: Path) -> None:
    """Switch on the labextension's `local_config`, unless the user has decided about it. Keeps other settings."""
    try:
        said = json.loads(file.read_text(encoding="utf-8") or "{}")
    except FileNotFoundError:
        said = {}
    except ValueError:
        said = None  # Lab allows comments in the file, which must not be lost
    if isinstance(said, dict) and said.get("local_config") is True:
        return
    if not isinstance(said, dict) or "local_config" in said:
        warn("For Formgrader (local), switch on “Allow local nbgrader config file” in JupyterLab's settings.")
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=file.parent, encoding="utf-8", delete=False) as new:
        json.dump({**said, "local_config": True}, new, indent=4)
    os.replace(new.name, file)
    done("JupyterLab now has Nbgrader → Formgrader (local), for the folder that one is in; reload its page.")


if __name__ == "__main__":
    sys.exit(main())
