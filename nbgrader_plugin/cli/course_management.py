"""`ngshare-course-management`: courses and rosters from the command line, with nbgrader's gradebook beside them."""

import argparse
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from ..client.client import NgshareClient
from ..gradebook import students as course_gradebook
from ..gradebook import sync as gradebook_sync
from ..gradebook.roster import INSTRUCTOR, NAMES, REFUSED, STUDENT, Roster, looks_renamed
from ..gradebook.students import CourseGradebook
from . import course_status, roster_csv
from .options import parser
from .output import CommandFailed, done, failure, run, settings, table, warn


class Management:
    """The subcommands, each a method that takes the options asked for."""

    def __init__(self) -> None:
        self.app = settings()
        self.client = NgshareClient(parent=self.app)

    def create_course(self, asked: argparse.Namespace) -> None:
        warn_of_capitals(asked.instructors)
        self.client.post(
            "courses", body={"name": asked.course, "instructors": asked.instructors or []}, repeatable=False
        )
        done(f"The course '{asked.course}' is there.")

    def add_instructor(self, asked: argparse.Namespace) -> None:
        person = {"username": asked.username, "role": INSTRUCTOR, **names_asked(asked)}
        if self._report(asked.course, [person])[1]:
            raise CommandFailed(f"{asked.username} is not made an instructor of '{asked.course}'.")

    def remove_instructor(self, asked: argparse.Namespace) -> None:
        self._remove(asked.course, [asked.username], INSTRUCTOR)

    def add_student(self, asked: argparse.Namespace) -> None:
        self._add_students(asked, [{"username": asked.username, "role": STUDENT, **names_asked(asked)}])

    def add_students(self, asked: argparse.Namespace) -> None:
        content = sys.stdin.buffer.read() if asked.file == "-" else Path(asked.file).read_bytes()
        people, left_out = students_in(roster_csv.read(content))
        if people:
            self._add_students(asked, people)
        if left_out:
            raise CommandFailed(f"{left_out} lines of the file were left out.")

    def remove_students(self, asked: argparse.Namespace) -> None:
        removed, failed = self._remove(asked.course, asked.students, STUDENT, go_on=True)
        if removed:
            failed += self._in_gradebook(asked, removed, lambda local, name: local.remove(name, force=asked.force))
        if failed:
            raise CommandFailed("Not all of it was done.")

    def status(self, asked: argparse.Namespace) -> None:
        print(course_status.shown(self.client.get("courses", asked.course, "status")))

    def export(self, asked: argparse.Namespace) -> None:
        members = [member for _, member in sorted(Roster(self.client, asked.course).members().items())]
        if asked.file == "-":
            roster_csv.write(members, sys.stdout)
            return
        with Path(asked.file).open("w", encoding="utf-8-sig", newline="") as file:  # the mark is for spreadsheets
            roster_csv.write(members, file)
        done(f"{asked.file}: {len(members)} members of '{asked.course}'.")

    def sync_gradebook(self, asked: argparse.Namespace) -> None:
        reason = course_gradebook.unusable(self.app.coursedir, asked.course, make=asked.gb)
        if reason:
            raise CommandFailed(f"{reason} Go to the course's folder, see ngshare-course-directory.")
        roster = Roster(self.client, asked.course)
        members = roster.members()
        with course_gradebook.opened(self.app.coursedir, asked.course) as local:
            found = gradebook_sync.differences(members, local.students())
            steps = gradebook_sync.plan(found, asked.direction, remove=asked.remove)
            if found:
                print(gradebook_sync.shown(found, steps))
            if not steps:
                done("There is nothing to do." if found else "Roster and gradebook say the same.")
            elif not asked.yes:
                warn("Nothing was changed. To do what the last column says, repeat with --yes.")
            else:
                gradebook_sync.carry_out(steps, roster, local, force=asked.force)
                done(f"{len(steps)} changes were made.")

    def _add_students(self, asked: argparse.Namespace, people: Sequence[dict[str, str]]) -> None:
        accepted, refused = self._report(asked.course, people)
        said = {person["username"]: person for person in reversed(people)}  # the first line of somebody is what counts

        def add(local: CourseGradebook, username: str) -> None:
            local.add(username, {name: value for name, value in said[username].items() if name in NAMES})

        if accepted:
            self._in_gradebook(asked, accepted, add)
        if refused:
            raise CommandFailed(f"{refused} of {len(people)} were refused.")

    def _report(self, course: str, people: Sequence[dict[str, str]]) -> tuple[list[str], int]:
        """Add or change people and show what came of it. Returns who was accepted, and how many lines were not."""
        warn_of_capitals(person["username"] for person in people)
        report = Roster(self.client, course).add(people)
        print(table(["name", "result", "why"], report))
        accepted = [username for username, result, _ in report if result != REFUSED]
        return accepted, len(report) - len(accepted)

    def _remove(
        self, course: str, usernames: Sequence[str], role: str, *, go_on: bool = False
    ) -> tuple[list[str], int]:
        """Who was removed, and how many not; without `go_on` the first that cannot be removed ends it."""
        roster = Roster(self.client, course)
        members = roster.members()
        removed, failed = [], 0
        for username in dict.fromkeys(usernames):
            try:
                roster.remove(username, role, members)
            except CommandFailed as error:
                if not go_on:
                    raise
                failure(str(error))
                failed += 1
                continue
            removed.append(username)
            done(f"{username} is no longer {role} of '{course}'; what they handed in stays.")
        return removed, failed

    def _in_gradebook(
        self, asked: argparse.Namespace, usernames: Iterable[str], verb: Callable[[CourseGradebook, str], None]
    ) -> int:
        """Do the same to each of them in the gradebook here, if there is one for the course. How many failed."""
        if asked.no_gb:
            return 0
        reason = course_gradebook.unusable(self.app.coursedir, asked.course, make=asked.gb)
        if reason:
            warn(f"The roster alone was changed. {reason}")
            return 0
        failed = 0
        with course_gradebook.opened(self.app.coursedir, asked.course) as local:
            for username in usernames:
                try:
                    verb(local, username)
                except CommandFailed as error:
                    failure(str(error))
                    failed += 1
        return failed


def students_in(lines: Iterable[roster_csv.Line]) -> tuple[list[dict[str, str]], int]:
    """Whom to add as students, and how many lines were left out, after saying why."""
    people: list[dict[str, str]] = []
    left_out = 0
    for line in lines:
        role = line.fields.get("role", STUDENT).lower()
        if not line.username:
            failure(f"Line {line.number} names nobody.")
            left_out += 1
        elif role in ("instructor", "grader"):
            warn(f"Line {line.number}: {line.username} is {role} in the file, and was not added as a student.")
        else:
            people.append({**line.fields, "role": STUDENT})
    return people, left_out


def names_asked(asked: argparse.Namespace) -> dict[str, str]:
    return {name: getattr(asked, name) for name in NAMES if getattr(asked, name) is not None}


def warn_of_capitals(usernames: Iterable[str]) -> None:
    renamed = looks_renamed(usernames)
    if renamed:
        warn(f"JupyterHub writes names in small letters, unless told otherwise; look at {', '.join(renamed[:20])}.")


def main(arguments: Sequence[str] | None = None) -> int:
    asked = parser().parse_args(arguments)
    return run(lambda: getattr(Management(), asked.verb)(asked))


if __name__ == "__main__":
    sys.exit(main())
