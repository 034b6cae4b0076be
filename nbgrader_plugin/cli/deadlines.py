"""The subcommands `set_due`, `extend`, `deadlines` and `sync_deadlines`."""

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, tzinfo

from nbgrader.api import Gradebook

from ..gradebook import deadline_sync, students
from ..gradebook.deadline_sync import Difference
from ..gradebook.deadlines import AssignmentDeadlines, CourseDeadlines, Extension, StateChange, Terms
from ..gradebook.due_dates import gradebook_exists
from ..gradebook.sync import BOTH, TO_GRADEBOOK
from ..translation import gettext as _
from . import deadline_tables
from .commands import Commands
from .deadline_tables import render_time
from .output import CommandFailed, print_success, print_warning, render_made
from .typed_times import NONE, parse_time

YES = ("y", "yes")
Change = Callable[[bool], list[StateChange]]  # takes whether it is only tried; returns whose state changes


class DeadlineCommands(Commands):
    """Each change shows first whose submissions change their state, and asks."""

    def set_due(self, options: argparse.Namespace) -> None:
        deadlines = CourseDeadlines(self.client, options.course)
        zone = deadlines.zone()
        values: dict[str, object] = {
            name: parse_time(typed, zone)
            for name in ("release_at", "due", "cut_off")
            if (typed := getattr(options, name)) is not None
        }
        if options.attempts is not None:
            values["max_attempts"] = parse_attempts(options.attempts)
        if not values:
            raise CommandFailed(_("Say what to set: --due, --cut-off, --release-at or --attempts."))
        extended = self._extended(options, deadlines) if "due" in values else set()
        change_after_asking(
            lambda dry_run: deadlines.change(options.assignment, values, dry_run=dry_run), yes=options.yes
        )
        print_success(describe(deadlines.assignment(options.assignment), zone))
        if "due" in values:
            self._carry_to_gradebook(
                options, deadlines, lambda found: not found.student or found.is_extended or found.student in extended
            )

    def extend(self, options: argparse.Namespace) -> None:
        deadlines = CourseDeadlines(self.client, options.course)
        concerned = {*(options.student or []), *self._extended(options, deadlines)}
        if options.withdraw:
            self._withdraw(options, deadlines)
        else:
            self._grant(options, deadlines)
        self._carry_to_gradebook(options, deadlines, lambda found: found.student in concerned or found.is_extended)

    def deadlines(self, options: argparse.Namespace) -> None:
        deadlines = CourseDeadlines(self.client, options.course)
        zone = deadlines.zone()
        if options.assignment:
            found = deadlines.assignment(options.assignment)
            members, extensions = deadlines.members(found.name), deadlines.extensions(found.name)
            print(deadline_tables.render_assignment(found, members, extensions, zone))
        else:
            assignments = deadlines.assignments()
            extended = [len(deadlines.extensions(found.name)) for found in assignments]
            print(deadline_tables.render_assignments(assignments, extended, zone))
        if self._reason_without_gradebook(options.course):
            return
        with self._gradebook(options.course) as gradebook:
            warn_of(self._differences(options, deadlines, gradebook), options.course)

    def sync_deadlines(self, options: argparse.Namespace) -> None:
        reason = self._reason_without_gradebook(options.course)
        if reason:
            raise CommandFailed(
                _("%(reason)s Go to the course's folder, see ngshare-course-directory.") % {"reason": reason}
            )
        deadlines = CourseDeadlines(self.client, options.course)
        with self._gradebook(options.course) as gradebook:
            if options.assignment and options.assignment not in {found.name for found in gradebook.assignments}:
                raise CommandFailed(
                    _("There is no %(assignment)s in the gradebook here.") % {"assignment": options.assignment}
                )
            differences = self._differences(options, deadlines, gradebook)
            steps = deadline_sync.plan_steps(differences, options.direction)
            if not differences:
                print_success(_("Service and gradebook agree."))
                return
            print(deadline_tables.render_sync(differences, steps, deadlines.zone()))
            for assignment, changes in deadline_sync.preview(steps, deadlines).items():
                print("\n" + _("In %(assignment)s, this changes:") % {"assignment": assignment})
                print(deadline_tables.render_changes(changes))
            if not steps:
                is_both = options.direction == BOTH
                print_warning(
                    _("Which due date is right, only you can say: repeat with --direction.")
                    if is_both
                    else _("There is nothing to do: the service makes no extension shorter.")
                )
            elif not options.yes:
                print_warning(_("Nothing was changed. To do what the last column says, repeat with --yes."))
            else:
                deadline_sync.apply_steps(steps, deadlines, gradebook)
                print_success(render_made(len(steps)))

    def _extended(self, options: argparse.Namespace, deadlines: CourseDeadlines) -> set[str]:
        """Return who has something else than everybody before a change, which the gradebook must follow."""
        if self._reason_without_gradebook(options.course):
            return set()
        return {member.username for member in deadlines.members(options.assignment) if member.why}

    def _grant(self, options: argparse.Namespace, deadlines: CourseDeadlines) -> None:
        zone = deadlines.zone()
        grant: dict[str, object] = {"reason": options.reason, "attempts": options.attempts}
        for name in ("due", "cut_off"):
            typed = getattr(options, name)
            grant[name] = None if typed is None else parse_time(typed, zone)
        owners = [{"student": name} for name in options.student or []] or [{"section": options.section}]
        grants = [{**owner, **grant} for owner in owners]

        def change(dry_run: bool) -> list[StateChange]:
            changes = deadlines.grant(options.assignment, grants, dry_run=dry_run)
            if dry_run:  # and not refused
                self._warn_before(options, deadlines, grant, zone)
            return changes

        change_after_asking(change, yes=options.yes)
        for extension in find_extensions(options, deadlines):
            print_success(render_extension(extension, zone))

    def _warn_before(
        self, options: argparse.Namespace, deadlines: CourseDeadlines, grant: Mapping[str, object], zone: tzinfo | None
    ) -> None:
        """Say that an extension changes nothing, and whose place it takes."""
        own = deadlines.assignment(options.assignment).terms
        if not (grant["attempts"] or is_later(grant["due"], own.due) or is_later(grant["cut_off"], own.cut_off)):
            everybody = ", ".join(render_terms(own, zone))
            print_warning(
                _("This is no later than for everybody (%(everybody)s), and what is more generous counts.")
                % {"everybody": everybody}
            )
        for extension in find_extensions(options, deadlines):
            print_warning(_("%(extension)s Yours takes its place.") % {"extension": render_extension(extension, zone)})

    def _withdraw(self, options: argparse.Namespace, deadlines: CourseDeadlines) -> None:
        if options.due or options.cut_off or options.attempts or options.reason:
            raise CommandFailed(_("--withdraw takes no due date, cut-off, attempts or reason."))
        found = find_extensions(options, deadlines)
        wanted = options.student or [_("section %(section)s") % {"section": options.section}]
        missing = [name for name in wanted if name not in {extension.whose for extension in found}]
        if missing:
            raise CommandFailed(
                _("%(whose)s has no extension of %(assignment)s.")
                % {"whose": missing[0], "assignment": options.assignment}
            )

        def withdraw(dry_run: bool) -> list[StateChange]:
            return [
                change
                for extension in found
                for change in deadlines.withdraw(options.assignment, extension, dry_run=dry_run)
            ]

        change_after_asking(withdraw, yes=options.yes)
        for extension in found:
            print_success(
                _("%(whose)s has no extension of %(assignment)s any more.")
                % {"whose": extension.whose, "assignment": options.assignment}
            )

    # The gradebook in the current folder

    def _reason_without_gradebook(self, course: str) -> str:
        """Return why there is no gradebook of the course here; empty if there is one."""
        reason = students.reason_not_to_use(self.app.coursedir, course)
        return reason or ("" if gradebook_exists(self.app.coursedir) else _("There is no gradebook here."))

    @contextmanager
    def _gradebook(self, course: str) -> Iterator[Gradebook]:
        with Gradebook(self.app.coursedir.db_url, course) as gradebook:
            yield gradebook

    def _differences(
        self, options: argparse.Namespace, deadlines: CourseDeadlines, gradebook: Gradebook
    ) -> list[Difference]:
        """Return the differences of the assignments, or the one in the options, that both sides have."""
        known = {assignment.name for assignment in gradebook.assignments}
        names = [options.assignment] if options.assignment else [found.name for found in deadlines.assignments()]
        return [
            difference
            for name in names
            if name in known
            for difference in deadline_sync.compare(name, deadlines, gradebook, self.app.coursedir)
        ]

    def _carry_to_gradebook(
        self, options: argparse.Namespace, deadlines: CourseDeadlines, concerns: Callable[[Difference], bool]
    ) -> None:
        """Write into the gradebook here what is now in force in the service, where the change concerns it."""
        if options.no_gb:
            return
        reason = self._reason_without_gradebook(options.course)
        if reason:
            print_warning(_("Only the service was changed. %(reason)s") % {"reason": reason})
            return
        with self._gradebook(options.course) as gradebook:
            differences = filter(concerns, self._differences(options, deadlines, gradebook))
            steps = deadline_sync.plan_steps(list(differences), TO_GRADEBOOK)
            deadline_sync.apply_steps(steps, deadlines, gradebook)
        if steps:
            print_success(_("The gradebook here has it, too."))


def change_after_asking(change: Change, *, yes: bool) -> None:
    """Make a change; if it changes anybody's state, show whose, and ask. Raise CommandFailed if the answer is no."""
    changes = change(True)
    if changes:
        print(deadline_tables.render_changes(changes))
        if not yes and not _agrees():
            raise CommandFailed(_("Nothing was changed. To change it without being asked, add --yes."))
    change(False)


def _agrees() -> bool:
    if not sys.stdin.isatty():
        return False
    try:
        return input(_("Change this? [y/N]") + " ").strip().lower() in {*YES, _("y"), _("yes")}
    except EOFError:
        return False


def parse_attempts(typed: str) -> int | None:
    """Return the number of attempts, None for `none`; raise CommandFailed for something else."""
    if typed.strip().lower() == NONE:
        return None
    if not typed.strip().isdecimal() or int(typed) == 0:
        raise CommandFailed(_("%(typed)s is no number of attempts: write a number, or none.") % {"typed": typed})
    return int(typed)


def describe(found: AssignmentDeadlines, zone: tzinfo | None) -> str:
    """Return the deadlines of an assignment as a sentence."""
    parts = render_terms(found.terms, zone)
    parts += [_("released from %(time)s") % {"time": render_time(found.release_at, zone)}] if found.release_at else []
    parts += [_("%(attempts)s attempts") % {"attempts": found.terms.max_attempts}] if found.terms.max_attempts else []
    return f"{found.name}: {', '.join(parts)}."


def render_terms(terms: Terms, zone: tzinfo | None) -> list[str]:
    """Return due date and cut-off, each as part of a sentence."""
    parts = [_("due %(due)s") % {"due": render_time(terms.due, zone)} if terms.due else _("no due date")]
    return parts + ([_("cut-off %(cut_off)s") % {"cut_off": render_time(terms.cut_off, zone)}] if terms.cut_off else [])


def is_later(granted: object, own: datetime | None) -> bool:
    """Return whether a time is later than that of everybody; None is no limit for them."""
    return isinstance(granted, datetime) and own is not None and granted > own


def find_extensions(options: argparse.Namespace, deadlines: CourseDeadlines) -> list[Extension]:
    """Return the extensions of the students, or the section, that the options name."""
    return [
        found
        for found in deadlines.extensions(options.assignment)
        if (found.student in (options.student or []) if found.student else found.section == options.section)
    ]


def render_extension(found: Extension, zone: tzinfo | None) -> str:
    parts = [_("due %(due)s") % {"due": render_time(found.due, zone)}] if found.due else []
    parts += [_("cut-off %(cut_off)s") % {"cut_off": render_time(found.cut_off, zone)}] if found.cut_off else []
    parts += [_("%(attempts)s more attempts") % {"attempts": found.attempts}] if found.attempts else []
    parts += [found.reason] if found.reason else []
    return _("%(whose)s has an extension: %(parts)s.") % {"whose": found.whose, "parts": ", ".join(parts)}


def warn_of(differences: Sequence[Difference], course: str) -> None:
    """Say in one sentence that service and gradebook disagree, if they do."""
    names = sorted({found.assignment for found in differences})
    if names:
        print_warning(
            _("The gradebook here has other due dates than the service for %(assignments)s: see `%(command)s`.")
            % {
                "assignments": ", ".join(names),
                "command": f'ngshare-course-management sync_deadlines "{course}"',
            }
        )
