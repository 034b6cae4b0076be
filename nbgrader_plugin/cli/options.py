"""The options of `ngshare-course-management`; those of ngshare_exchange have the same meaning as there."""

import argparse
from collections.abc import Callable

from ..gradebook.sync import BOTH, TO_GRADEBOOK, TO_ROSTER
from ..translation import gettext as _
from .deadline_options import add_deadline_commands


def make_parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(
        prog="ngshare-course-management",
        description=_(
            "Courses and rosters of an ngshare service. nbgrader's gradebook in the current folder is "
            "changed as well, if it is that of the course."
        ),
    )
    subparsers = top.add_subparsers(metavar="COMMAND", required=True)

    def command(name: str, help: str) -> argparse.ArgumentParser:
        subparser = subparsers.add_parser(name, help=help, description=help)
        subparser.set_defaults(method=name.replace("-", "_"))
        subparser.add_argument("course", metavar="COURSE_ID", help=_("name of the course"))
        return subparser

    _add_people_commands(command)
    _add_course_commands(command)
    add_deadline_commands(command)
    return top


def _add_people_commands(command: Callable[[str, str], argparse.ArgumentParser]) -> None:
    subparser = command("add_instructor", _("Make a user an instructor, or change their names (administrators)"))
    _add_person_options(subparser, "INSTRUCTOR_ID")

    subparser = command("remove_instructor", _("Remove an instructor from the roster (administrators)"))
    subparser.add_argument("username", metavar="INSTRUCTOR_ID")

    subparser = command("add_student", _("Add a student, or change their names"))
    _add_person_options(subparser, "STUDENT_ID")
    _add_gradebook_options(subparser)

    subparser = command("add_students", _("Add or change the students of a CSV file"))
    subparser.add_argument(
        "file",
        metavar="CSV_FILE",
        help=_(
            "its first line names the columns: student_id and, where known, first_name, last_name, email, section; "
            "- reads standard input. Files of Canvas, Moodle, Blackboard and Sakai are read, too"
        ),
    )
    subparser.add_argument(
        "--column",
        metavar="FIELD=COLUMN",
        action="append",
        default=[],
        help=_("read a field from this column of the file, as --column username='SIS Login ID'"),
    )
    subparser.add_argument("--before-at", action="store_true", help=_("user names are what comes before the @"))
    _add_gradebook_options(subparser)

    subparser = command("remove_students", _("Remove students from the roster; their submissions stay"))
    subparser.add_argument("students", metavar="STUDENT", nargs="+")
    _add_gradebook_options(subparser)
    subparser.add_argument("--force", action="store_true", help=_("delete their grades in the gradebook as well"))


def _add_course_commands(command: Callable[[str, str], argparse.ArgumentParser]) -> None:
    subparser = command("create_course", _("Create a course (administrators)"))
    subparser.add_argument("instructors", metavar="INSTRUCTOR", nargs="*", help=_("who teaches it"))

    subparser = command("status", _("Show who has submitted what"))
    subparser.add_argument("--trials", action="store_true", help=_("with what staff submitted to try an assignment"))

    subparser = command("export", _("Write the roster as CSV"))
    subparser.add_argument("file", metavar="FILE", nargs="?", default="-", help=_("default: standard output"))

    subparser = command("sync-gradebook", _("Show where roster and gradebook differ; with --yes, make them equal"))
    subparser.add_argument(
        "--direction",
        choices=[BOTH, TO_GRADEBOOK, TO_ROSTER],
        default=BOTH,
        help=_("which side is changed; default: both, where each gets what it lacks and nobody is removed"),
    )
    subparser.add_argument(
        "--remove", action="store_true", help=_("in one direction: also remove students whom the other side lacks")
    )
    subparser.add_argument(
        "--force", action="store_true", help=_("with --remove: also students with grades, which are deleted")
    )
    subparser.add_argument("--yes", action="store_true", help=_("make the changes"))
    subparser.add_argument("--gb", action="store_true", help=_("create a gradebook here if there is none"))


def _add_person_options(subparser: argparse.ArgumentParser, metavar: str) -> None:
    subparser.add_argument("username", metavar=metavar, help=_("user name on the Hub"))
    subparser.add_argument("-f", "--first_name", "--first-name")
    subparser.add_argument("-l", "--last_name", "--last-name")
    subparser.add_argument("-e", "--email")


def _add_gradebook_options(subparser: argparse.ArgumentParser) -> None:
    choice = subparser.add_mutually_exclusive_group()
    choice.add_argument("--no-gb", action="store_true", help=_("leave the gradebook unchanged"))
    choice.add_argument("--gb", action="store_true", help=_("create a gradebook here if there is none"))
