"""Roster and gradebook side by side: where they differ, and what is done about it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..cli.output import CommandFailed, failure, table
from .roster import NAMES, REFUSED, STUDENT, Roster, names_of
from .students import CourseGradebook, Student

BOTH, TO_GRADEBOOK, TO_ROSTER = "both", "to-gradebook", "to-roster"
ADD, CHANGE, REMOVE = "add", "change", "remove"


@dataclass(frozen=True)
class Difference:
    """A student whom roster and gradebook do not say the same of. What is None is not there."""

    username: str
    on_roster: Mapping[str, str] | None  # names, without empty ones
    in_gradebook: Student | None

    @property
    def local_names(self) -> Mapping[str, str] | None:
        return self.in_gradebook.names if self.in_gradebook else None


@dataclass(frozen=True)
class Step:
    """What is to be done for one difference on one side."""

    username: str
    side: str  # TO_GRADEBOOK or TO_ROSTER; where the change is made
    action: str  # ADD, CHANGE, REMOVE
    names: Mapping[str, str]

    def __str__(self) -> str:
        place = "gradebook" if self.side == TO_GRADEBOOK else "roster"
        if self.action == CHANGE:
            return f"{place}: " + ", ".join(f"{name} = {value}" for name, value in self.names.items())
        return f"{self.action} to {place}" if self.action == ADD else f"{self.action} from {place}"


def differences(members: Mapping[str, Mapping[str, Any]], local: Mapping[str, Student]) -> list[Difference]:
    """By name. Staff who are in the gradebook, because they tried an assignment, are no difference."""
    students = {name: names_of(member) for name, member in members.items() if member.get("role") == STUDENT}
    staff = members.keys() - students.keys()
    return [
        Difference(name, students.get(name), local.get(name))
        for name in sorted((students.keys() | local.keys()) - staff)
        if name not in students or name not in local or students[name] != dict(local[name].names)
    ]


def plan(found: list[Difference], direction: str, *, remove: bool) -> list[Step]:
    """What to do. In both directions nobody is removed, and a name is only written where there was none."""
    steps = []
    for one in found:
        if direction in (BOTH, TO_GRADEBOOK):
            steps += _step(one.username, TO_GRADEBOOK, one.on_roster, one.local_names, direction, remove)
        if direction in (BOTH, TO_ROSTER):
            steps += _step(one.username, TO_ROSTER, one.local_names, one.on_roster, direction, remove)
    return steps


def _step(
    username: str,
    side: str,
    source: Mapping[str, str] | None,
    target: Mapping[str, str] | None,
    direction: str,
    remove: bool,
) -> list[Step]:
    """What makes the target say what the source says: one step, or none."""
    if source is None:
        return [Step(username, side, REMOVE, {})] if remove and direction != BOTH else []
    if target is None:
        return [Step(username, side, ADD, source)]
    names = {name: said for name, said in source.items() if target.get(name) != said}
    if direction == BOTH:
        names = {name: said for name, said in names.items() if not target.get(name)}
    return [Step(username, side, CHANGE, names)] if names else []


def shown(found: list[Difference], steps: list[Step]) -> str:
    """A table: each student, what either side says, and what is to be done."""
    todo: dict[str, list[str]] = {}
    for step in steps:
        todo.setdefault(step.username, []).append(str(step))
    return table(
        ["student", "roster", "gradebook", "to do"],
        [
            [
                one.username,
                _names(one.on_roster),
                _names(one.local_names),
                "; ".join(todo.get(one.username, ["–"])),
            ]
            for one in found
        ],
    )


def carry_out(steps: list[Step], roster: Roster, gradebook: CourseGradebook, *, force: bool) -> None:
    """Do it. CommandFailed at the end if something was refused; the rest is done then."""
    failed = _on_roster(steps, roster)
    for step in steps:
        if step.side != TO_GRADEBOOK:
            continue
        try:
            if step.action == REMOVE:
                gradebook.remove(step.username, force=force)
            else:
                gradebook.add(step.username, step.names)
        except CommandFailed as error:
            failure(str(error))
            failed += 1
    if failed:
        raise CommandFailed(f"{failed} of {len(steps)} changes were not made.")


def _on_roster(steps: list[Step], roster: Roster) -> int:
    """How many were refused."""
    here = [step for step in steps if step.side == TO_ROSTER]
    said = [{"username": step.username, **step.names} for step in here if step.action != REMOVE]
    refused = [row for row in (roster.add(said) if said else []) if row[1] == REFUSED]
    for username, _, message in refused:
        failure(f"{username}: {message}")
    gone = [step.username for step in here if step.action == REMOVE]
    if gone:
        students = roster.students()
        for username in gone:
            roster.remove(username, STUDENT, students)
    return len(refused)


def _names(names: Mapping[str, str] | None) -> str:
    return "not there" if names is None else ", ".join(names[name] for name in NAMES if name in names) or "no names"
