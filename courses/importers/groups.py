"""Add people to rosters by their groups on JupyterHub, if the site has enabled it (NGSHARE_GROUPS).

A *pattern* such as `nbgrader-{course}` says which group stands for which role in which course; the defaults are the
names that nbgrader itself uses (nbgrader/auth/jupyterhub.py). Groups only add people to existing courses: they never
remove or lower a role, and they create no course.

A user is added once for each group. So a member whom an instructor removes from the roster does not return with their
next request; only `manage.py sync_groups`, which an operator runs, adds everybody again.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.conf import settings

from courses import roster, services
from courses.checks import PLACE
from courses.errors import AlreadyExists, Invalid
from courses.models import Course, User
from courses.permissions import SERVER
from courses.roster import RosterReport
from courses.services import RANK, RosterEntry

SOURCE = "the Hub's groups"  # in the audit log


@dataclass(frozen=True)
class Meaning:
    """What a group stands for: its members have this role in this course."""

    course: str
    role: str


def meanings(group: str) -> list[Meaning]:
    """Return what the group means under each of the site's patterns. A name that no course can have means nothing.

    >>> meanings("nbgrader-NBG 101"), meanings("physics")
    ([Meaning(course='NBG 101', role='student')], [])
    """
    result = []
    for role, pattern in settings.NGSHARE_GROUP_PATTERNS.items():
        before, place, after = pattern.partition(PLACE)
        name = group[len(before) : len(group) - len(after)]
        if place and group == f"{before}{name}{after}" and _can_be_a_course(name):
            result.append(Meaning(name, role))
    return result


def _can_be_a_course(name: str) -> bool:
    try:
        services.check_name(name, "course")
    except Invalid:
        return False
    return True


def join(user: User, groups: Iterable[str]) -> bool:
    """Add the user to the courses that their groups name, once for each group. Makes no query unless one is new.

    Return whether any was new, which may have changed the user's roles.
    """
    if not settings.NGSHARE_GROUPS:
        return False
    applied = set(user.hub_groups)
    meanings_of = {group: meanings(group) for group in groups if group not in applied}
    if not any(meanings_of.values()):
        return False
    courses = find_courses(meaning.course for found in meanings_of.values() for meaning in found)
    new = {group for group, found in meanings_of.items() if any(meaning.course in courses for meaning in found)}
    for name, roles in roles_by_course({group: [user.username] for group in new}).items():
        if name in courses:
            _join(courses[name], RosterEntry(user.username, _highest(roles[user.username])))
    if new:
        user.hub_groups = sorted(applied | new)
        user.save(update_fields=["hub_groups"])
    return bool(new)


def _join(course: Course, person: RosterEntry) -> None:
    """Add the person, or give them the role if it is higher than theirs."""
    member = course.memberships.select_related("user", "course").filter(user__username=person.username).first()
    if member is None:
        try:
            services.add_member(course, person, by=SERVER, source=SOURCE)
        except AlreadyExists:
            pass  # another request of theirs did it at the same instant
    elif RANK[member.role] < RANK[str(person.role)]:
        services.change_member(member, person, by=SERVER, source=SOURCE)


def _highest(roles: Iterable[str]) -> str:
    return max(roles, key=RANK.__getitem__)


def find_courses(names: Iterable[str]) -> dict[str, Course]:
    """Return the courses of these names that are not in the trash."""
    return {course.name: course for course in Course.objects.present().filter(name__in=list(names))}


def apply(course: Course, roles: Mapping[str, Iterable[str]], *, dry_run: bool = False) -> RosterReport:
    """Add people to a course: {user name: the roles of their groups}; the highest counts. Never demotes."""
    highest = {name: _highest(names) for name, names in roles.items()}
    existing = dict(course.memberships.values_list("user__username", "role"))
    people = [
        RosterEntry(name, role)
        for name, role in sorted(highest.items())
        if RANK[existing.get(name, role)] <= RANK[role]
    ]
    return roster.apply_roster(course, people, by=SERVER, dry_run=dry_run, source=SOURCE)


def remember(members: Mapping[str, Iterable[str]], courses: Mapping[str, Course]) -> None:
    """Store for everybody in {group: user names} that the groups of these courses were applied."""
    new: dict[str, set[str]] = {}
    for group, names in members.items():
        if any(meaning.course in courses for meaning in meanings(group)):
            for name in names:
                new.setdefault(name, set()).add(group)
    on_rosters = User.objects.filter(memberships__course__in=list(courses.values())).order_by().distinct()
    changed = [user for user in on_rosters if not new.get(user.username, set()) <= set(user.hub_groups)]
    for user in changed:
        user.hub_groups = sorted({*user.hub_groups, *new[user.username]})
    User.objects.bulk_update(changed, ["hub_groups"], batch_size=200)


def roles_by_course(members: Mapping[str, Iterable[str]]) -> dict[str, dict[str, set[str]]]:
    """Return the roles that the Hub's groups, {group: user names}, stand for: {course: {user name: roles}}."""
    courses: dict[str, dict[str, set[str]]] = {}
    for group, names in members.items():
        for meaning in meanings(group):
            roles = courses.setdefault(meaning.course, {})
            for name in names:
                roles.setdefault(name, set()).add(meaning.role)
    return courses
