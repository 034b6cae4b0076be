"""Who may do what: one table of permissions by role, asked through one `Actor`.

An *administrator* (NGSHARE_ADMINS, or a Hub administrator where NGSHARE_HUB_ADMINS is set) may do everything. Anybody
else may do in a course what their role there allows. An actor is made once per request or command and reads the roster
once. Nothing of it is stored, so a change of the roster holds from the next request on.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db.models import F, QuerySet, TextChoices
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import pgettext_lazy

from courses.errors import PermissionDenied
from courses.models import Course, Membership, Role, User
from courses.prepared import Parameter, prepared


class Permission(TextChoices):
    """The label completes the sentence "you may not …"."""

    SEE_COURSE = "see_course", pgettext_lazy("you may not …", "see the course")
    SEE_ROSTER = "see_roster", pgettext_lazy("you may not …", "see the roster")
    CHANGE_ROSTER = "change_roster", pgettext_lazy("you may not …", "change the roster")
    CHANGE_INSTRUCTORS = "change_instructors", pgettext_lazy("you may not …", "change instructors")
    RELEASE = "release", pgettext_lazy("you may not …", "release assignments")
    SUBMIT = "submit", pgettext_lazy("you may not …", "submit")
    SUBMIT_FOR_OTHERS = "submit_for_others", pgettext_lazy("you may not …", "submit for others")
    SEE_SUBMISSIONS = "see_submissions", pgettext_lazy("you may not …", "see everybody's submissions")
    WITHDRAW_SUBMISSIONS = "withdraw_submissions", pgettext_lazy("you may not …", "withdraw submissions")
    RETURN_FEEDBACK = "return_feedback", pgettext_lazy("you may not …", "return feedback")
    EXTEND = "extend", pgettext_lazy("you may not …", "grant extensions")


_STUDENT = frozenset({Permission.SEE_COURSE, Permission.SUBMIT})
_GRADER = _STUDENT | {
    Permission.SEE_ROSTER,
    Permission.SEE_SUBMISSIONS,
    Permission.SUBMIT_FOR_OTHERS,
    Permission.RETURN_FEEDBACK,
}
_INSTRUCTOR = _GRADER | {
    Permission.CHANGE_ROSTER,
    Permission.RELEASE,
    Permission.WITHDRAW_SUBMISSIONS,
    Permission.EXTEND,
}
_EXTENDING_GRADER = _GRADER | {Permission.EXTEND}  # with NGSHARE_GRADERS_MAY_EXTEND
ALLOWED: Mapping[str, frozenset[Permission]] = MappingProxyType(
    {Role.STUDENT: _STUDENT, Role.GRADER: _GRADER, Role.INSTRUCTOR: _INSTRUCTOR}
)


def allowed_to(role: str | None) -> frozenset[Permission]:
    """Return what a role may do here; nothing, for no role."""
    if role == Role.GRADER and settings.NGSHARE_GRADERS_MAY_EXTEND:
        return _EXTENDING_GRADER
    return ALLOWED.get(role or "", frozenset())


AS_ROLE = {
    Role.INSTRUCTOR: pgettext_lazy("As … of the course", "an instructor"),
    Role.GRADER: pgettext_lazy("As … of the course", "a grader"),
    Role.STUDENT: pgettext_lazy("As … of the course", "a student"),
}

# Roles as the audit log names them, beside those of a roster.
ADMINISTRATOR = "administrator"
SERVER_ROLE = "server"


@dataclass(frozen=True)
class Actor:
    """Who asks: a user with the roles that the roster gives them, or the server itself.

    Make one with `Actor.of(user)` or `actor_of(request)`; `SERVER` is the actor of commands that an operator types.
    """

    user: User | None = None
    is_server: bool = False
    is_administrator: bool = False
    roles: Mapping[int, str] = field(default_factory=dict)  # by course id; courses in the trash are left out

    @classmethod
    def of(cls, user: User | AnonymousUser) -> "Actor":
        """Return the actor for a user, in one query. Nobody, and whoever was deactivated, has no role at all."""
        if not isinstance(user, User) or not user.is_active:
            return cls(user=user if isinstance(user, User) else None)
        memberships = Membership.objects.filter(user=user, course__removed_at=None).order_by()
        roles = MappingProxyType(dict(memberships.values_list("course_id", "role")))
        return cls(user=user, is_administrator=is_administrator(user), roles=roles)

    @classmethod
    def named(cls, username: str) -> "Actor | None":
        """Return the actor for the user of this name, with the user, in one query; None if there is no such user."""
        rows = _user_in_courses.rows(username=username)  # the same one, for each course
        if not rows:
            return None
        user: User = rows[0]
        if not user.is_active:
            return cls(user=user)
        roles = MappingProxyType({row.course_id: row.role for row in rows if row.role and row.gone is None})
        return cls(user=user, is_administrator=is_administrator(user), roles=roles)

    @property
    def username(self) -> str:
        """The user name; empty for the server itself, as in the audit log."""
        return self.user.username if self.user else ""

    @property
    def required_user(self) -> User:
        """The user who acts, where the server cannot. Errors: PermissionDenied."""
        if self.user is None:
            raise PermissionDenied(_("Only a person may do this."))
        return self.user

    @property
    def may_everything(self) -> bool:
        return self.is_server or self.is_administrator

    def role_in(self, course: Course) -> str | None:
        return self.roles.get(course.pk)

    # Single permissions

    def may(self, permission: Permission, course: Course | int) -> bool:
        """Return whether the actor may do this in the course, given as itself or by its id."""
        course_id = course if isinstance(course, int) else course.pk
        return self.may_everything or permission in allowed_to(self.roles.get(course_id))

    def may_assign(self, role: str, course: Course | int) -> bool:
        """Return whether the actor may add, change or remove members of this role."""
        return self.may(permission_to_assign([role]), course)

    def may_anywhere(self, permission: Permission) -> bool:
        """Return whether the actor may do this in at least one course."""
        return self.may_everything or bool(self.courses_with(permission))

    def require(self, permission: Permission, course: Course) -> str:
        """Return the role under which the actor may do this, for the audit log. Errors: PermissionDenied."""
        role = self.role_in(course)
        if permission in allowed_to(role):
            return str(role)
        if self.may_everything:
            return self._global_role
        if role is None:
            raise PermissionDenied(_("You are not a member of the course %(course)s.") % {"course": course.name})
        names = {"role": AS_ROLE[Role(role)], "course": course.name, "do_this": permission.label}
        raise PermissionDenied(_("As %(role)s of %(course)s you may not %(do_this)s.") % names)

    def require_still(self, permission: Permission, course: Course) -> str:
        """The same as `require`, but ask the roster again, in one query: a long upload may outlast a role.

        Call it in the transaction that acts.
        """
        if self.is_server:
            return self.require(permission, course)
        rows = Membership.objects.filter(user=self.user, user__is_active=True, course=course, course__removed_at=None)
        return self.require_as(rows.order_by().values_list("role", flat=True).first(), permission, course)

    def require_as(self, role: str | None, permission: Permission, course: Course) -> str:
        """The same as `require`, with the role that a transaction found, together with what else it had to ask."""
        return replace(self, roles={course.pk: role} if role else {}).require(permission, course)

    def require_anywhere(self, permission: Permission) -> None:
        """Errors: PermissionDenied, for whom no course allows it."""
        if not self.may_anywhere(permission):
            raise PermissionDenied(_("You may not %(do_this)s in any course.") % {"do_this": permission.label})

    def require_administrator(self) -> str:
        """Return the role for the audit log. Errors: PermissionDenied."""
        if not self.may_everything:
            raise PermissionDenied(_("Only an administrator may do this."))
        return self._global_role

    def require_may_assign(self, roles: Iterable[str | None], course: Course) -> str:
        """Return the role under which the actor may add, change or remove members of these roles.

        Errors: PermissionDenied; only an administrator assigns instructors.
        """
        return self.require(permission_to_assign(roles), course)

    @property
    def _global_role(self) -> str:
        return SERVER_ROLE if self.is_server else ADMINISTRATOR

    # What is visible

    def courses_with(self, permission: Permission) -> list[int]:
        """Return the ids of the courses in which the actor's own role has this permission."""
        return [course_id for course_id, role in self.roles.items() if permission in allowed_to(role)]

    def courses_where(self, permission: Permission) -> QuerySet[Course]:
        """Return the courses in which the actor may do this: all of them for an administrator, none from the trash."""
        courses: QuerySet[Course] = Course.objects.present()
        return courses if self.may_everything else courses.filter(pk__in=self.courses_with(permission))

    def visible_courses(self) -> QuerySet[Course]:
        return self.courses_where(Permission.SEE_COURSE)

    @property
    def is_staff(self) -> bool:
        """Whether the admin is open to the actor: administrators, and the staff of any course."""
        return self.may_anywhere(Permission.SEE_ROSTER)


@prepared
def _user_in_courses(username: Parameter) -> QuerySet[User, Any]:
    return (
        User.objects.filter(username=username)
        .annotate(course_id=F("memberships__course"), role=F("memberships__role"))
        .annotate(gone=F("memberships__course__removed_at"))
        .order_by()
    )


SERVER = Actor(is_server=True)


def is_administrator(user: User | AnonymousUser) -> bool:
    """Return whether the site's settings make the user an administrator. No query."""
    if not isinstance(user, User) or not user.is_active:
        return False
    return user.username in settings.NGSHARE_ADMINS or (settings.NGSHARE_HUB_ADMINS and user.is_hub_admin)


def permission_to_assign(roles: Iterable[str | None]) -> Permission:
    return Permission.CHANGE_INSTRUCTORS if Role.INSTRUCTOR in set(roles) else Permission.CHANGE_ROSTER


def actor_of(request: HttpRequest) -> Actor:
    """Return the actor of a request, which reads the roster once however often it is asked."""
    actor: Actor | None = getattr(request, "_ngshare_actor", None)
    if actor is None or actor.user != (request.user if isinstance(request.user, User) else None):
        actor = Actor.of(request.user)
        remember_actor(request, actor)
    return actor


def remember_actor(request: HttpRequest, actor: Actor) -> None:
    """Let `actor_of` return this actor as long as its user is the request's."""
    request._ngshare_actor = actor  # type: ignore[attr-defined]
