"""Courses and rosters declared in YAML, for Helm values and rosters kept in Git; docs/rosters.md has the format.

Strict: a key that is not known, a name that comes twice or a shape that is not foreseen stops the whole file before
anything is done. Every scalar is read as the text that stands there, so that a user called `007` or `no` is one.
"""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from typing import Any

import yaml

from courses import rosters
from courses.errors import Invalid
from courses.models import Course, Role, User
from courses.rosters import Person, Report

ROLES = {"instructors": Role.INSTRUCTOR, "graders": Role.GRADER, "students": Role.STUDENT}
PERSON_KEYS = ("username", *rosters.NAME_FIELDS)
YES, NO = ("true", "yes"), ("false", "no")


@dataclass(frozen=True)
class Declared:
    """One course as it shall be."""

    name: str
    people: list[Person] = field(default_factory=list)
    remove_others: bool = False  # students whom it does not name


@dataclass(frozen=True)
class Applied:
    name: str
    is_new: bool
    report: Report


class _Loader(yaml.BaseLoader):
    """Texts, lists and mappings, and no key twice (PyYAML would let the last one win)."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for key in keys:
            if not isinstance(key, str):
                raise Invalid(f"Line {node.start_mark.line + 1}: a key must be text.")
            if keys.count(key) > 1:
                raise Invalid(f"Line {node.start_mark.line + 1}: {key!r} comes twice.")
        return super().construct_mapping(node, deep)


def read(text: str | bytes) -> list[Declared]:
    """Errors: Invalid."""
    try:
        document = yaml.load(text, Loader=_Loader)  # a BaseLoader makes nothing but texts and lists
    except yaml.YAMLError as error:
        raise Invalid(f"This is no YAML: {' '.join(str(error).split())[:300]}") from error
    courses = _mapping(document, "The file", ("courses",)).get("courses")
    if not isinstance(courses, dict):
        raise Invalid("“courses” must map the names of courses to what they hold.")
    return [_course(name, said) for name, said in courses.items()]


def _course(name: str, said: Any) -> Declared:
    rosters.check_name(name, "course")
    said = _mapping(said or {}, f"The course {name}", (*ROLES, "remove_others"))
    people = []
    for key, role in ROLES.items():
        where = f"{name}, {key}"
        people += [_person(one, role, where) for one in _list(said, key, where)]
    seen: set[str] = set()
    for person in people:
        if person.username in seen:
            raise Invalid(f"{name}: {person.username} comes twice; someone has one role in a course.")
        seen.add(person.username)
    return Declared(name, people, _yes_or_no(said.get("remove_others", "no"), f"{name}, remove_others"))


def _person(said: Any, role: str, where: str) -> Person:
    if isinstance(said, str):
        said = {"username": said}
    said = _mapping(said, where, PERSON_KEYS)
    if not all(isinstance(value, str) for value in said.values()):
        raise Invalid(f"{where}: what is said of a person must be text.")
    if "username" not in said:
        raise Invalid(f"{where}: a person needs a “username”.")
    rosters.check_name(said["username"])
    return Person(role=str(role), **said)


def _mapping(value: Any, where: str, keys: Iterable[str]) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Invalid(f"{where} must hold keys and values: {', '.join(keys)}.")
    if unknown := set(value) - set(keys):
        raise Invalid(f"{where} has the unknown key {min(unknown)!r}; known are {', '.join(keys)}.")
    return value


def _list(said: dict[str, Any], key: str, where: str) -> list[Any]:
    value = said.get(key) or []
    if not isinstance(value, list):
        raise Invalid(f"{where} must be a list.")
    return value


def _yes_or_no(value: Any, where: str) -> bool:
    if value not in YES + NO:
        raise Invalid(f"{where}: write true or false.")
    return value in YES


def apply(declared: Declared, *, by: User | None, dry_run: bool = False) -> Applied:
    """Make the course if it is not there, and bring its roster to what is declared; a repeat changes nothing."""
    course = Course.objects.present().filter(name=declared.name).first()
    is_new = course is None
    if course is None:
        if dry_run:
            rows = [rosters.Row(one.username, rosters.Result.CREATED) for one in declared.people]
            return Applied(declared.name, True, Report(rows))
        course = rosters.create_course(declared.name, by=by)
    report = rosters.apply(
        course,
        declared.people,
        by=by,
        remove_others=declared.remove_others,
        dry_run=dry_run,
        source="declaration",
    )
    return Applied(declared.name, is_new, report)
