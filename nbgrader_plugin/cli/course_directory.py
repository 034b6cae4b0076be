"""`ngshare-course-directory [COURSE [PATH]]`: folders that nbgrader and formgrader recognise as a course.

Such a folder has its own nbgrader_config.py, which sets course and gradebook. In JupyterLab, open the folder and
choose *Formgrader (local)*, which nbgrader's labextension shows when its setting `local_config` is on.
"""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..authenticator import STAFF, course_names
from ..client.client import NgshareClient
from ..client.paths import check_name
from ..client.records import as_mapping, role_text, text
from ..translation import gettext as _
from .output import CommandFailed, load_nbgrader, print_success, print_warning, run_command

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
        description=_("Make a folder for a course, which formgrader can open. No file is ever overwritten."),
    )
    parser.add_argument(
        "course", metavar="COURSE", nargs="?", help=_("name of the course; default: each that you teach")
    )
    parser.add_argument("path", metavar="PATH", nargs="?", type=Path, help=_("the folder; default: ./COURSE"))
    options = parser.parse_args(arguments)
    return run_command(lambda: make_folders(options.course, options.path))


def make_folders(course: str | None, path: Path | None) -> None:
    app = load_nbgrader()
    client = NgshareClient(parent=app)
    with client.connected():
        names = taught_courses(client) if course is None else [check_taught(client, course)]
    for name in names:
        make_folder(name, path or Path(check_name(name, _("course"))), url=client.url)
    allow_local_config(lab_settings_folder(app.config_dir) / LAB_SETTING)


def taught_courses(client: NgshareClient) -> list[str]:
    """Return the courses that the user is on the staff of; raise CommandFailed if there are none."""
    me = as_mapping(client.get("me"))
    courses = course_names(me.get("courses"), roles=STAFF)
    if not courses:
        raise CommandFailed(_("%(username)s teaches no course.") % {"username": text(me, "username")})
    return courses


def check_taught(client: NgshareClient, course: str) -> str:
    """Return the course if the user teaches it or is an administrator; raise CommandFailed or ErrorResponse if not."""
    role = as_mapping(client.get("courses", course)).get("role")
    if role not in STAFF and role is not None:
        raise CommandFailed(
            _("You do not teach '%(course)s': your role there is %(role)s.")
            % {"course": course, "role": role_text(str(role))}
        )
    return course


def make_folder(course: str, folder: Path, *, url: str = "") -> None:
    """Make the parts of a course directory that are missing."""
    (folder / "source").mkdir(parents=True, exist_ok=True)
    file = folder / "nbgrader_config.py"
    content = CONFIG.format(course=course, arguments=f"c, url={url!r}" if url else "c")
    try:
        with file.open("x", encoding="utf-8") as config:
            config.write(content)
    except FileExistsError:
        if file.read_text(encoding="utf-8", errors="replace") == content:
            print_success(_("%(folder)s is already set up for '%(course)s'.") % {"folder": folder, "course": course})
        else:
            print_warning(
                _("%(file)s exists already and was not changed; check that it sets course_id = %(course)r.")
                % {"file": file, "course": course}
            )
        return
    print_success(
        _("%(folder)s is set up for '%(course)s'. Put assignments into %(source)s.")
        % {"folder": folder, "course": course, "source": folder / "source"}
    )


def lab_settings_folder(config_dir: str, environ: Mapping[str, str] = os.environ) -> Path:
    """Return where JupyterLab keeps the user's settings (jupyterlab/commands.py, get_user_settings_dir)."""
    return Path(environ.get("JUPYTERLAB_SETTINGS_DIR") or Path(config_dir, "lab", "user-settings"))


def allow_local_config(file: Path) -> None:
    """Switch on the labextension's `local_config`, unless the user has decided about it. Keeps other settings."""
    try:
        settings = json.loads(file.read_text(encoding="utf-8") or "{}")
    except FileNotFoundError:
        settings = {}
    except ValueError:
        settings = None  # Lab allows comments in the file, which must not be lost
    if isinstance(settings, dict) and settings.get("local_config") is True:
        return
    if not isinstance(settings, dict) or "local_config" in settings:
        print_warning(
            _("For Formgrader (local), switch on “Allow local nbgrader config file” in JupyterLab's settings.")
        )
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=file.parent, encoding="utf-8", delete=False) as new:
        json.dump({**settings, "local_config": True}, new, indent=4)
    os.replace(new.name, file)
    print_success(_("JupyterLab now has Nbgrader → Formgrader (local), for the current folder; reload its page."))


if __name__ == "__main__":
    sys.exit(main())
