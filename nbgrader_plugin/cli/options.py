"""The words of `ngshare-course-management`; those that ngshare_exchange had mean what they meant there."""

import argparse
from collections.abc import Callable

from ..gradebook.sync import BOTH, TO_GRADEBOOK, TO_ROSTER


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(
        prog="ngshare-course-management",
        description="Courses and rosters of an ngshare service. nbgrader's gradebook in the folder you are in follows, "
        "if it is that of the course.",
    )
    subparsers = top.add_subparsers(metavar="COMMAND", required=True)

    def command(name: str, help: str) -> argparse.ArgumentParser:
        one = subparsers.add_parser(name, help=help, description=help)
        one.set_defaults(verb=name.replace("-", "_"))
        one.add_argument("course", metavar="COURSE_ID", help="name of the course")
        return one

    _about_people(command)
    _about_courses(command)
    return top


def _about_people(command: Callable[[str, str], argparse.ArgumentParser]) -> None:
    one = command("add_instructor", "Make somebody an instructor, or change their names (administrators)")
    _person(one, "INSTRUCTOR_ID")

    one = command("remove_instructor", "Take an instructor off the course (administrators)")
    one.add_argument("username", metavar="INSTRUCTOR_ID")

    one = command("add_student", "Add a student, or change their names")
    _person(one, "STUDENT_ID")
    _gradebook(one)

    one = command("add_students", "Add or change the students of a CSV file")
    one.add_argument(
        "file",
        metavar="CSV_FILE",
        help="its first line names the columns: student_id and, where known, first_name, last_name, email, section; "
        "- reads standard input",
    )
    _gradebook(one)

    one = command("remove_students", "Take students off the course; what they handed in stays")
    one.add_argument("students", metavar="STUDENT", nargs="+")
    _gradebook(one)
    one.add_argument("--force", action="store_true", help="delete their grades in the gradebook as well")


def _about_courses(command: Callable[[str, str], argparse.ArgumentParser]) -> None:
    one = command("create_course", "Create a course (administrators)")
    one.add_argument("instructors", metavar="INSTRUCTOR", nargs="*", help="who teaches it")

    command("status", "Show who has handed in what")

    one = command("export", "Write the roster as CSV")
    one.add_argument("file", metavar="FILE", nargs="?", default="-", help="default: standard output")

    one = command("sync-gradebook", "Show where roster and gradebook differ; with --yes, bring them together")
    one.add_argument(
        "--direction",
        choices=[BOTH, TO_GRADEBOOK, TO_ROSTER],
        default=BOTH,
        help="which side is changed; default: both, where each gets what it lacks and nobody is removed",
    )
    one.add_argument("--remove", action="store_true", help="in one direction: also remove whom the other side lacks")
    one.add_argument("--force", action="store_true", help="with --remove: also who has grades, deleting them")
    one.add_argument("--yes", action="store_true", help="do it")
    one.add_argument("--gb", action="store_true", help="make a gradebook here if there is none")


def _person(one: argparse.ArgumentParser, metavar: str) -> None:
    one.add_argument("username", metavar=metavar, help="user name on the Hub")
    one.add_argument("-f", "--first_name", "--first-name")
    one.add_argument("-l", "--last_name", "--last-name")
    one.add_argument("-e", "--email")


def _gradebook(one: argparse.ArgumentParser) -> None:
    choice = one.add_mutually_exclusive_group()
    choice.add_argument("--no-gb", action="store_true", help="leave the gradebook as it is")
    choice.add_argument("--gb", action="store_true", help="make a gradebook here if there is none")
