"""Courses and rosters declared in YAML, for Helm values and rosters kept in Git; docs/rosters.md has the format.

The format is strict: an unknown key, a repeated name or an unexpected type rejects the whole file before anything is
written. Every scalar is read as plain text, so that a user may be called `007` or `no`.

A valid file is applied in one transaction: all of its courses or none. Single people may be refused, such as staff whom
the roster would demote; the report names them, and the others are applied.
"""

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml
from django.db import transaction

from courses import roster, services
from courses.errors import Invalid
from courses.models import Course, Role
from courses.permissions import Actor
from courses.roster import RosterReport
from courses.services import RosterEntry

ROLES = {"instructors": Role.INSTRUCTOR, "graders": Role.GRADER, "students": Role.STUDENT}
PERSON_KEYS = ("username", *services.NAME_FIELDS)
YES, NO = ("true", "yes"), ("false", "no")
EMPTY = ""  # the value of a key without one
MAX_PEOPLE = 200_000  # people in one file; its aliases could name far more than it has lines


@dataclass(frozen=True)
class DeclaredCourse:
    """One course as the file declares it."""

    name: str
    people: list[RosterEntry] = field(default_factory=list)
    remove_others: bool = False  # remove the students whom it does not name


@dataclass(frozen=True)
class AppliedCourse:
    name: str
    is_new: bool
    is_namesake_in_trash: bool
    report: RosterReport


class _Loader(yaml.BaseLoader):
    """Load texts, lists and mappings; refuse a repeated key, of which PyYAML would keep the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[str] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            where = f"Line {key_node.start_mark.line + 1}"
            if not isinstance(key, str):
                raise Invalid(f"{where}: a key must be text.")
            if key in seen:
                raise Invalid(f"{where}: {key[:80]!r} comes twice.")
            seen.add(key)
        return super().construct_mapping(node, deep)


def read(text: str | bytes) -> list[DeclaredCourse]:
    """Return the courses that the file declares. Errors: Invalid."""
    try:
        document = yaml.load(text, Loader=_Loader)  # a BaseLoader creates only texts, lists and mappings
    # PyYAML does not wrap the last three: an escape that is not a character, or lists that are nested too deeply.
    except (yaml.YAMLError, ValueError, OverflowError, RecursionError) as error:
        raise Invalid(f"This is not YAML: {' '.join(str(error).split())[:300]}") from error
    courses = _mapping(document, "The file", ("courses",)).get("courses")
    if not isinstance(courses, dict):
        raise Invalid("“courses” must map each course's name to its members.")
    if sum(map(_size, courses.values())) > MAX_PEOPLE:
        raise Invalid(f"The file names more than {MAX_PEOPLE:,} people.")
    return [_course(name, members) for name, members in courses.items()]


def _size(course: Any) -> int:
    return sum(len(value) for value in course.values() if isinstance(value, list)) if isinstance(course, dict) else 0


def _course(name: str, value: Any) -> DeclaredCourse:
    services.check_name(name, "course")
    course = _mapping({} if value == EMPTY else value, f"The course {name}", (*ROLES, "remove_others"))
    people = []
    for key, role in ROLES.items():
        where = f"{name}, {key}"
        people += [_person(person, role, where) for person in _list(course, key, where)]
    for username, times in Counter(person.username for person in people).items():
        if times > 1:
            raise Invalid(f"{name}: {username} comes twice; a person has one role in a course.")
    return DeclaredCourse(name, people, _yes_or_no(course.get("remove_others", "no"), f"{name}, remove_others"))


def _person(value: Any, role: str, where: str) -> RosterEntry:
    person = _mapping({"username": value} if isinstance(value, str) else value, where, PERSON_KEYS)
    if not all(isinstance(text, str) for text in person.values()):
        raise Invalid(f"{where}: every value of a person must be text.")
    if "username" not in person:
        raise Invalid(f"{where}: a person needs a “username”.")
    try:
        services.check_name(person["username"])
    except Invalid as error:
        raise Invalid(f"{where}: {error.message}") from error
    return RosterEntry(role=str(role), **person)


def _mapping(value: Any, where: str, keys: Iterable[str]) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Invalid(f"{where} must hold keys and values: {', '.join(keys)}.")
    if unknown := set(value) - set(keys):
        raise Invalid(f"{where} has the unknown key {min(unknown)[:80]!r}; known are {', '.join(keys)}.")
    return value


def _list(course: dict[str, Any], key: str, where: str) -> list[Any]:
    value = course.get(key, EMPTY)
    if value == EMPTY:
        return []
    if not isinstance(value, list):
        raise Invalid(f"{where} must be a list.")
    return value


def _yes_or_no(value: Any, where: str) -> bool:
    if not isinstance(value, str) or value.lower() not in YES + NO:
        raise Invalid(f"{where}: write true or false.")
    return value.lower() in YES


def apply_declarations(declared: Sequence[DeclaredCourse], *, by: Actor, dry_run: bool = False) -> list[AppliedCourse]:
    """Create the missing courses, and make all rosters match the file; a repeat changes nothing.

    An error in one course undoes all of them. A dry run is rolled back at its end.
    """
    with transaction.atomic():
        applied = [_apply(course, by=by) for course in declared]
        if dry_run:
            transaction.set_rollback(True)
    return applied


def _apply(declared: DeclaredCourse, *, by: Actor) -> AppliedCourse:
    course = Course.objects.present().filter(name=declared.name).first()
    is_new = course is None
    is_namesake_in_trash = is_new and Course.objects.filter(name=declared.name).exists()
    if course is None:
        course = services.create_course(declared.name, by=by)
    report = roster.apply_roster(
        course, declared.people, by=by, remove_others=declared.remove_others, source="declaration"
    )
    return AppliedCourse(declared.name, is_new, is_namesake_in_trash, report)
