"""Roster and gradebook side by side: where they differ, and how to make them equal."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..translation import gettext as _
from .roster import STUDENT, Member, NotRemoved, Roster, names_of
from .students import CourseGradebook

BOTH, TO_GRADEBOOK, TO_ROSTER = "both", "to-gradebook", "to-roster"
ADD, CHANGE, REMOVE = "add", "change", "remove"

Names = Mapping[str, str]  # first_name, last_name, email, without empty ones


@dataclass(frozen=True)
class Difference:
    """A student of whom roster and gradebook differ. A side that is None does not have the student."""

    username: str
    on_roster: Names | None
    in_gradebook: Names | None


@dataclass(frozen=True)
class Step:
    """One change on one side, for one difference."""

    username: str
    side: str  # TO_GRADEBOOK or TO_ROSTER; where the change is made
    action: str  # ADD, CHANGE, REMOVE
    names: Names

    def __str__(self) -> str:
        in_gradebook = self.side == TO_GRADEBOOK
        if self.action == CHANGE:
            names = ", ".join(map(" = ".join, self.names.items()))
            return (_("gradebook: %(names)s") if in_gradebook else _("roster: %(names)s")) % {"names": names}
        if self.action == ADD:
            return _("add to gradebook") if in_gradebook else _("add to roster")
        return _("remove from gradebook") if in_gradebook else _("remove from roster")


def find_differences(members: Mapping[str, Member], local: Mapping[str, Names]) -> list[Difference]:
    """Return the differences, sorted by name. Staff in the gradebook, who tried an assignment, are none."""
    students = {name: names_of(member) for name, member in members.items() if member.get("role") == STUDENT}
    staff = members.keys() - students.keys()
    return [
        Difference(name, students.get(name), local.get(name))
        for name in sorted((students.keys() | local.keys()) - staff)
        if students.get(name) != local.get(name)
    ]


def plan_steps(differences: Sequence[Difference], direction: str, *, remove: bool) -> list[Step]:
    """Return what to do. In both directions nobody is removed, and a name is only written where there was none."""
    steps = []
    for found in differences:
        if direction in (BOTH, TO_GRADEBOOK):
            steps += _step(found.username, TO_GRADEBOOK, found.on_roster, found.in_gradebook, direction, remove)
        if direction in (BOTH, TO_ROSTER):
            steps += _step(found.username, TO_ROSTER, found.in_gradebook, found.on_roster, direction, remove)
    return steps


def _step(
    username: str, side: str, source: Names | None, target: Names | None, direction: str, remove: bool
) -> list[Step]:
    """Return the step that makes the target equal to the source, if one is needed."""
    if source is None:
        return [Step(username, side, REMOVE, {})] if remove and direction != BOTH else []
    if target is None:
        return [Step(username, side, ADD, source)]
    names = {name: value for name, value in source.items() if target.get(name) != value}
    if direction == BOTH:
        names = {name: value for name, value in names.items() if not target.get(name)}
    return [Step(username, side, CHANGE, names)] if names else []


def apply_steps(steps: Sequence[Step], roster: Roster, gradebook: CourseGradebook, *, force: bool) -> list[str]:
    """Make the changes. Returns a sentence for each that could not be made."""
    failures = _change_roster([step for step in steps if step.side == TO_ROSTER], roster)
    for step in steps:
        if step.side != TO_GRADEBOOK:
            continue
        try:
            if step.action == REMOVE:
                gradebook.remove(step.username, force=force)
            else:
                gradebook.add(step.username, step.names)
        except NotRemoved as error:
            failures.append(str(error))
    return failures


def _change_roster(steps: Sequence[Step], roster: Roster) -> list[str]:
    failures = []
    people = [{"username": step.username, **step.names} for step in steps if step.action != REMOVE]
    if people:
        results = roster.add(people)
        failures += [f"{result.username}: {result.message}" for result in results if result.is_refused]
    to_remove = [step.username for step in steps if step.action == REMOVE]
    if to_remove:
        members = roster.members()
        for username in to_remove:
            try:
                roster.remove(username, STUDENT, members)
            except NotRemoved as error:
                failures.append(str(error))
    return failures
