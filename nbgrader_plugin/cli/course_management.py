"""`ngshare-course-management`: courses and rosters from the command line, and with them nbgrader's gradebook."""

import argparse
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from ..client.records import parse_status, role_text
from ..gradebook import students, sync
from ..gradebook.roster import INSTRUCTOR, NAMES, STUDENT, NotRemoved, Roster, with_capitals
from ..gradebook.students import CourseGradebook
from ..translation import gettext as _
from ..translation import ngettext
from . import roster_csv
from .collect_when_due import CollectWhenDue
from .course_status import render_status
from .deadlines import DeadlineCommands
from .options import make_parser
from .output import (
    CommandFailed,
    print_error,
    print_success,
    print_warning,
    render_made,
    render_table,
    run_command,
)
from .sync_table import render_sync


class CourseManagement(DeadlineCommands, CollectWhenDue):
    """All subcommands; here those of courses and rosters."""

    def create_course(self, options: argparse.Namespace) -> None:
        warn_of_capitals(options.instructors)
        body = {"name": options.course, "instructors": options.instructors or []}
        self.client.post("courses", body=body, repeatable=False)
        print_success(_("Created the course '%(course)s'.") % {"course": options.course})

    def add_instructor(self, options: argparse.Namespace) -> None:
        person = {"username": options.username, "role": INSTRUCTOR, **names_in(options)}
        if self._add_and_report(options.course, [person])[1]:
            raise CommandFailed(
                _("%(username)s was not made an instructor of '%(course)s'.")
                % {"username": options.username, "course": options.course}
            )

    def remove_instructor(self, options: argparse.Namespace) -> None:
        self._remove(options.course, [options.username], INSTRUCTOR)

    def add_student(self, options: argparse.Namespace) -> None:
        self._add_students(options, [{"username": options.username, "role": STUDENT, **names_in(options)}])

    def add_students(self, options: argparse.Namespace) -> None:
        content = sys.stdin.buffer.read() if options.file == "-" else Path(options.file).read_bytes()
        people, skipped = select_students(
            roster_csv.read(content, roster_csv.ColumnChoice.parse(options.column, options.before_at))
        )
        if people:
            self._add_students(options, people)
        if skipped:
            raise CommandFailed(
                ngettext(
                    "%(count)s line of the file was skipped.", "%(count)s lines of the file were skipped.", skipped
                )
                % {"count": skipped}
            )

    def remove_students(self, options: argparse.Namespace) -> None:
        removed, failed = self._remove(options.course, options.students, STUDENT, go_on=True)
        if removed:
            failed += self._in_gradebook(
                options, removed, lambda gradebook, name: gradebook.remove(name, force=options.force)
            )
        if failed:
            raise CommandFailed(_("Not everything was done."))

    def status(self, options: argparse.Namespace) -> None:
        trials = {"trials": "true"} if options.trials else {}
        pages = [parse_status(self.client.get("courses", options.course, "status", page=1, **trials))]
        while page := pages[-1].get("next_page"):
            pages.append(parse_status(self.client.get("courses", options.course, "status", page=page, **trials)))
        print(render_status(pages))

    def export(self, options: argparse.Namespace) -> None:
        found = Roster(self.client, options.course).members()
        members = [found[username] for username in sorted(found)]
        if options.file == "-":
            roster_csv.write(members, sys.stdout)
            return
        with Path(options.file).open("w", encoding="utf-8-sig", newline="") as file:  # the mark is for spreadsheets
            roster_csv.write(members, file)
        sentence = ngettext(
            "%(file)s: %(count)s member of '%(course)s'.", "%(file)s: %(count)s members of '%(course)s'.", len(members)
        )
        print_success(sentence % {"file": options.file, "count": len(members), "course": options.course})

    def sync_gradebook(self, options: argparse.Namespace) -> None:
        reason = students.reason_not_to_use(self.app.coursedir, options.course, create=options.gb)
        if reason:
            raise CommandFailed(
                _("%(reason)s Go to the course's folder, see ngshare-course-directory.") % {"reason": reason}
            )
        roster = Roster(self.client, options.course)
        members = roster.members()
        with students.open_gradebook(self.app.coursedir, options.course) as gradebook:
            differences = sync.find_differences(members, gradebook.students())
            steps = sync.plan_steps(differences, options.direction, remove=options.remove)
            if differences:
                print(render_sync(differences, steps))
            if not steps:
                print_success(_("There is nothing to do.") if differences else _("Roster and gradebook are equal."))
            elif not options.yes:
                print_warning(_("Nothing was changed. To do what the last column says, repeat with --yes."))
            else:
                report_steps(steps, sync.apply_steps(steps, roster, gradebook, force=options.force))

    def _add_students(self, options: argparse.Namespace, people: Sequence[dict[str, str]]) -> None:
        accepted, refused = self._add_and_report(options.course, people)
        by_name = {person["username"]: person for person in reversed(people)}  # the first line of a person counts

        def add(gradebook: CourseGradebook, username: str) -> None:
            gradebook.add(username, {name: value for name, value in by_name[username].items() if name in NAMES})

        if accepted:
            self._in_gradebook(options, accepted, add)
        if refused:
            sentence = ngettext(
                "%(refused)s of %(count)s was refused.", "%(refused)s of %(count)s were refused.", refused
            )
            raise CommandFailed(sentence % {"refused": refused, "count": len(people)})

    def _add_and_report(self, course: str, people: Sequence[dict[str, str]]) -> tuple[list[str], int]:
        """Add or change people and print the results. Returns who was accepted, and how many were not."""
        warn_of_capitals(person["username"] for person in people)
        results = Roster(self.client, course).add(people)
        rows = [(result.username, _result_text(result.result), result.message) for result in results]
        print(render_table([_("name"), _("result"), _("why")], rows))
        accepted = [result.username for result in results if not result.is_refused]
        return accepted, len(results) - len(accepted)

    def _remove(
        self, course: str, usernames: Sequence[str], role: str, *, go_on: bool = False
    ) -> tuple[list[str], int]:
        """Return who was removed, and how many were not; unless `go_on`, raise the first NotRemoved."""
        roster = Roster(self.client, course)
        members = roster.members()
        removed, failed = [], 0
        for username in dict.fromkeys(usernames):
            try:
                roster.remove(username, role, members)
            except NotRemoved as error:
                if not go_on:
                    raise
                print_error(str(error))
                failed += 1
                continue
            removed.append(username)
            print_success(
                _("%(username)s is no longer %(role)s of '%(course)s'; their submissions stay.")
                % {"username": username, "role": role_text(role), "course": course}
            )
        return removed, failed

    def _in_gradebook(
        self, options: argparse.Namespace, usernames: Iterable[str], change: Callable[[CourseGradebook, str], None]
    ) -> int:
        """Change each of them in the gradebook here, if there is one for the course. Returns how many failed."""
        if options.no_gb:
            return 0
        reason = students.reason_not_to_use(self.app.coursedir, options.course, create=options.gb)
        if reason:
            print_warning(_("Only the roster was changed. %(reason)s") % {"reason": reason})
            return 0
        failed = 0
        with students.open_gradebook(self.app.coursedir, options.course) as gradebook:
            for username in usernames:
                try:
                    change(gradebook, username)
                except NotRemoved as error:
                    print_error(str(error))
                    failed += 1
        return failed


def _result_text(result: str) -> str:
    """Return what the service did with a person, in a word."""
    words = {
        "created": _("created"),
        "changed": _("changed"),
        "unchanged": _("unchanged"),
        "refused": _("refused"),
    }
    return words.get(result, result)


def select_students(people: Iterable[roster_csv.CsvPerson]) -> tuple[list[dict[str, str]], int]:
    """Return whom to add as students, and how many lines were skipped, after printing why."""
    selected: list[dict[str, str]] = []
    skipped = 0
    for person in people:
        role = person.fields.get("role", STUDENT).lower()
        if not person.username:
            print_error(_("Line %(line)s has no user name.") % {"line": person.line})
            skipped += 1
        elif role in ("instructor", "grader"):
            print_warning(
                _("Line %(line)s: %(username)s is %(role)s in the file, and was not added as a student.")
                % {"line": person.line, "username": person.username, "role": role}
            )
        else:
            selected.append({**person.fields, "role": STUDENT})
    return selected, skipped


def report_steps(steps: Sequence[sync.Step], failures: Sequence[str]) -> None:
    for failure in failures:
        print_error(failure)
    if failures:
        raise CommandFailed(_not_made(len(failures), len(steps)))
    print_success(render_made(len(steps)))


def _not_made(failed: int, steps: int) -> str:
    """Return a sentence with two numbers, of which English inflects for both."""
    if steps == 1:
        sentence = _("%(failed)s of %(count)s change was not made.")
    else:
        sentence = ngettext(
            "%(failed)s of %(count)s changes was not made.", "%(failed)s of %(count)s changes were not made.", failed
        )
    return sentence % {"failed": failed, "count": steps}


def names_in(options: argparse.Namespace) -> dict[str, str]:
    return {name: getattr(options, name) for name in NAMES if getattr(options, name) is not None}


def warn_of_capitals(usernames: Iterable[str]) -> None:
    suspicious = with_capitals(usernames)
    if suspicious:
        names = ", ".join(suspicious[:20])
        print_warning(
            _("JupyterHub writes user names in small letters, unless configured otherwise; check %(names)s.")
            % {"names": names}
        )


def main(arguments: Sequence[str] | None = None) -> int:
    options = make_parser().parse_args(arguments)
    return run_command(lambda: CourseManagement().run(options))


if __name__ == "__main__":
    sys.exit(main())
