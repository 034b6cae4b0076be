"""The options of the subcommands of `ngshare-course-management` that are about deadlines."""

import argparse
from collections.abc import Callable

from ..gradebook.deadline_sync import TO_SERVICE
from ..gradebook.sync import BOTH, TO_GRADEBOOK
from ..translation import gettext as _


def add_deadline_commands(command: Callable[[str, str], argparse.ArgumentParser]) -> None:
    time = _("ISO 8601, with an offset or in the time zone of the course: 2026-12-01T23:59")
    subparser = command("set_due", _("Set due date, cut-off, release time or attempt limit of an assignment"))
    subparser.add_argument("assignment", metavar="ASSIGNMENT")
    subparser.add_argument("--due", metavar="TIME", help=_("%(time)s; none clears it") % {"time": time})
    subparser.add_argument(
        "--cut-off", "--cut_off", metavar="TIME", help=_("when nothing is accepted any more, or none")
    )
    subparser.add_argument("--release-at", "--release_at", metavar="TIME", help=_("when students see it, or none"))
    subparser.add_argument("--attempts", metavar="N", help=_("how often a student may submit, or none"))
    _add_asking_options(subparser)

    subparser = command("extend", _("Grant an extension, instead of one that the student or section has"))
    subparser.add_argument("assignment", metavar="ASSIGNMENT")
    whose = subparser.add_mutually_exclusive_group(required=True)
    whose.add_argument("--student", metavar="NAME", nargs="+", action="extend")
    whose.add_argument("--section")
    subparser.add_argument("--due", metavar="TIME", help=time)
    subparser.add_argument(
        "--cut-off", "--cut_off", metavar="TIME", help=_("default: open until the due date at least")
    )
    subparser.add_argument("--attempts", metavar="N", type=natural, default=0, help=_("how many more"))
    subparser.add_argument("--reason", default="")
    subparser.add_argument("--withdraw", action="store_true", help=_("withdraw the extension"))
    _add_asking_options(subparser)

    _add_comparing_commands(command)


def _add_comparing_commands(command: Callable[[str, str], argparse.ArgumentParser]) -> None:
    subparser = command(
        "deadlines", _("Show the deadlines; of one assignment, for whom something else is in force, and why")
    )
    subparser.add_argument("assignment", metavar="ASSIGNMENT", nargs="?")

    subparser = command(
        "sync_deadlines", _("Show where due dates differ from those of the gradebook; with --yes, mend it")
    )
    subparser.add_argument("assignment", metavar="ASSIGNMENT", nargs="?")
    subparser.add_argument(
        "--direction",
        choices=[BOTH, TO_GRADEBOOK, TO_SERVICE],
        default=BOTH,
        help=_("which side is changed; default: both, where each gets what it lacks, and students the later due date"),
    )
    subparser.add_argument("--yes", action="store_true", help=_("make the changes"))

    subparser = command("collect_when_due", _("Wait until an assignment is due for everybody, and collect it"))
    subparser.add_argument("assignment", metavar="ASSIGNMENT")
    subparser.add_argument(
        "--now-if-due",
        action="store_true",
        help=_("do not wait: collect if it is due, and do nothing otherwise (cron)"),
    )
    subparser.add_argument(
        "--before-duedate", "--before_duedate", action="store_true", help=_("as of nbgrader collect: what came in time")
    )


def natural(typed: str) -> int:
    if not typed.isdecimal():
        raise argparse.ArgumentTypeError(_("%(typed)s is no number of attempts") % {"typed": typed})
    return int(typed)


def _add_asking_options(subparser: argparse.ArgumentParser) -> None:
    subparser.add_argument("--yes", action="store_true", help=_("do not ask"))
    subparser.add_argument("--no-gb", action="store_true", help=_("leave the gradebook unchanged"))
