"""From JupyterHub's groups to rosters, where a site has switched it on (NGSHARE_GROUPS).

A *pattern* such as `nbgrader-{course}` says which group means which role in which course; the defaults are the names
that nbgrader itself uses (nbgrader/auth/jupyterhub.py). Groups only ever join people to courses that are there: they
never take a role away, and they make no course.

A user is joined once for each group. So a member whom an instructor removes from the roster does not return with their
next request; only `manage.py sync_groups`, which an operator types, joins everybody again.
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


@dataclass(frozen=True)
class Meaning:
    """What a group says: members of it have this role in this course."""

    course: str
    role: str


def meanings(group: str) -> list[Meaning]:
    """What the group means under each of the site's patterns. Names that no course can have mean nothing.

    >>> meanings("nbgrader-NBG 101"), meanings("physics")
    ([Meaning(course='NBG 101', role='student')], [])
    """
    found = []
    for role, pattern in settings.NGSHARE_GROUP_PATTERNS.items():
        before, place, after = pattern.partition(PLACE)
        name = group[len(before) : len(group) - len(after)]
        if place and group == f"{before}{name}{after}" and _can_be_a_course(name):
            found.append(Meaning(name, role))
    return found


def _can_be_a_course(name: str) -> bool:
    try:
        services.check_name(name, "course")
    except Invalid:
        return False
    return True


def join(user: User, groups: Iterable[str]) -> None:
    """Join someone to the courses that their groups name, once for each group. No query where none is new."""
    if not settings.NGSHARE_GROUPS:
        return
    done = set(user.hub_groups)
    new = {group: said for group in groups if group not in done and (said := meanings(group))}
    if not new:
        return
    there = courses_named(meaning.course for said in new.values() for meaning in said)
    honoured = {group for group, said in new.items() if any(meaning.course in there for meaning in said)}
    for name, given in wanted({group: [user.username] for group in honoured}).items():
        if name in there:
            _join(there[name], RosterEntry(user.username, _highest(given[user.username])))
    if honoured:
        user.hub_groups = sorted(done | honoured)
        user.save(update_fields=["hub_groups"])


def _join(course: Course, person: RosterEntry) -> None:
    member = course.memberships.select_related("user", "course").filter(user__username=person.username).first()
    if member is None:
        try:
            services.add_member(course, person, by=SERVER)
        except AlreadyExists:
            pass  # by another request of theirs at this very instant
    elif RANK[member.role] < RANK[str(person.role)]:
        services.change_member(member, person, by=SERVER)


def _highest(roles: Iterable[str]) -> str:
    return max(roles, key=RANK.__getitem__)


def courses_named(names: Iterable[str]) -> dict[str, Course]:
    return {course.name: course for course in Course.objects.present().filter(name__in=list(names))}


def apply(course: Course, given: Mapping[str, Iterable[str]], *, dry_run: bool = False) -> RosterReport:
    """Join people to a course: {user name: the roles that their groups say}; the highest counts. Never demotes."""
    highest = {name: _highest(said) for name, said in given.items()}
    has = dict(course.memberships.values_list("user__username", "role"))
    people = [
        RosterEntry(name, role) for name, role in sorted(highest.items()) if RANK[has.get(name, role)] <= RANK[role]
    ]
    return roster.apply_roster(course, people, by=SERVER, dry_run=dry_run, source="the Hub's groups")


def remember(members: Mapping[str, Iterable[str]], there: Mapping[str, Course]) -> None:
    """Note for everybody in {group: user names} that these groups were honoured, where their courses are `there`."""
    new: dict[str, set[str]] = {}
    for group, names in members.items():
        if any(meaning.course in there for meaning in meanings(group)):
            for name in names:
                new.setdefault(name, set()).add(group)
    on_rosters = User.objects.filter(memberships__course__in=list(there.values())).order_by().distinct()
    changed = [user for user in on_rosters if not new.get(user.username, set()) <= set(user.hub_groups)]
    for user in changed:
        user.hub_groups = sorted({*user.hub_groups, *new[user.username]})
    User.objects.bulk_update(changed, ["hub_groups"], batch_size=200)


def wanted(members: Mapping[str, Iterable[str]]) -> dict[str, dict[str, set[str]]]:
    """What the Hub's groups say, {group: user names}, as {course: {user name: roles}}."""
    found: dict[str, dict[str, set[str]]] = {}
    for group, names in members.items():
        for meaning in meanings(group):
            in_course = found.setdefault(meaning.course, {})
            for name in names:
                in_course.setdefault(name, set()).add(meaning.role)
    return found
