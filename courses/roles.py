"""Rights: what a role allows, in one table, read from the roster at each question.

An *administrator* (NGSHARE_ADMINS, or a Hub administrator where NGSHARE_HUB_ADMINS is set) may do everything. Anybody
else may do in a course what their role there allows. Nothing of this is copied anywhere, so a change in the
roster holds from the next question on.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db.models import QuerySet

from courses.errors import PermissionDenied
from courses.models import STAFF_ROLES, Course, Membership, Role, User


class Right(StrEnum):
    SEE_COURSE = "see the course"
    SEE_ROSTER = "see the roster"
    CHANGE_ROSTER = "change the roster"
    CHANGE_STAFF = "change instructors"
    RELEASE = "release assignments"
    HAND_IN = "hand in"
    HAND_IN_FOR_OTHERS = "hand in for others"
    SEE_WORK = "see everybody's work"
    REMOVE_WORK = "withdraw hand-ins"
    RETURN_FEEDBACK = "return feedback"


_STUDENT = {Right.SEE_COURSE, Right.HAND_IN}
_GRADER = _STUDENT | {Right.SEE_ROSTER, Right.SEE_WORK, Right.HAND_IN_FOR_OTHERS, Right.RETURN_FEEDBACK}
_INSTRUCTOR = _GRADER | {Right.CHANGE_ROSTER, Right.RELEASE, Right.REMOVE_WORK}
ALLOWED: dict[str, set[Right]] = {Role.STUDENT: _STUDENT, Role.GRADER: _GRADER, Role.INSTRUCTOR: _INSTRUCTOR}

Person = User | AnonymousUser


def is_administrator(user: Person) -> bool:
    if not isinstance(user, User) or not user.is_active:
        return False
    return user.username in settings.NGSHARE_ADMINS or (settings.NGSHARE_HUB_ADMINS and user.is_hub_admin)


def role_in(user: Person, course: Course) -> str | None:
    """The role this person has in the course, or None."""
    if not isinstance(user, User) or not user.is_active:
        return None
    return Membership.objects.filter(user=user, course=course).values_list("role", flat=True).first()


def roles_of(user: Person) -> dict[int, str]:
    """The roles that this person has: {the course's id: role}. Courses in the bin are left out."""
    if not isinstance(user, User) or not user.is_active:
        return {}
    found = Membership.objects.filter(user=user, course__removed_at=None).order_by()
    return dict(found.values_list("course_id", "role"))


@dataclass(frozen=True)
class Standing:
    """What someone may, everywhere: read from the roster once, for a request that asks many times."""

    is_administrator: bool
    role_in: dict[int, str]  # by the course's id

    def may(self, right: Right, course_id: int) -> bool:
        return self.is_administrator or right in ALLOWED.get(self.role_in.get(course_id, ""), ())

    def may_give(self, role: str, course_id: int) -> bool:
        """Add, change or remove a member of this role."""
        return self.may(right_to_give([role]), course_id)

    def courses_with(self, right: Right) -> list[int]:
        """The ids of the courses in which the person's role has this right; an administrator has it everywhere."""
        return [course for course, role in self.role_in.items() if right in ALLOWED[role]]

    def may_somewhere(self, right: Right) -> bool:
        return self.is_administrator or bool(self.courses_with(right))


def standing(user: Person) -> Standing:
    """One query."""
    return Standing(is_administrator(user), roles_of(user))


def may(user: Person, right: Right, course: Course) -> bool:
    return is_administrator(user) or right in ALLOWED.get(role_in(user, course) or "", ())


def require(user: Person, right: Right, course: Course) -> str:
    """The role under which this person may, for the audit log; or PermissionDenied with a sentence."""
    role = role_in(user, course)
    if right in ALLOWED.get(role or "", ()):
        return str(role)
    if is_administrator(user):
        return "administrator"
    if role is None:
        raise PermissionDenied(f"You are not a member of the course {course.name}.")
    raise PermissionDenied(
        f"As {'an' if role == Role.INSTRUCTOR else 'a'} {role} of {course.name} you may not {right}."
    )


def require_administrator(user: Person) -> str:
    if not is_administrator(user):
        raise PermissionDenied("Only an administrator may do this.")
    return "administrator"


def require_may_give(user: Person, roles: Iterable[str | None], course: Course) -> str:
    """May this person add, change or remove members of these roles? Instructors are an administrator's to give."""
    return require(user, right_to_give(roles), course)


def right_to_give(roles: Iterable[str | None]) -> Right:
    return Right.CHANGE_STAFF if Role.INSTRUCTOR in set(roles) else Right.CHANGE_ROSTER


def visible_courses(user: Person) -> QuerySet[Course]:
    """The courses that someone belongs to; all of them for an administrator. Those in the bin are left out."""
    courses = Course.objects.present()
    if is_administrator(user):
        return courses
    if not isinstance(user, User) or not user.is_active:
        return courses.none()
    return courses.filter(memberships__user=user)


def staffed_courses(user: Person) -> QuerySet[Course]:
    """The courses in which someone sees everybody's work."""
    courses = Course.objects.present()
    if is_administrator(user):
        return courses
    if not isinstance(user, User) or not user.is_active:
        return courses.none()
    return courses.filter(memberships__user=user, memberships__role__in=STAFF_ROLES)


def is_staff(user: Person) -> bool:
    """May open the admin: administrators, and whoever is on the staff of some course."""
    return is_administrator(user) or staffed_courses(user).exists()
