"""course(s), instructor(s), student(s): who is in which course."""

import json
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from courses import roster, services
from courses.errors import AlreadyExists
from courses.models import STAFF_ROLES, Course, Membership, Role
from courses.permissions import Permission
from courses.roster import Result
from courses.services import RosterEntry
from exchange.api.v1.answers import Failure, success
from exchange.api.v1.arguments import Arguments
from exchange.api.v1.base import Resource

NAMES = {"first_name": "first name", "last_name": "last name", "email": "email"}


class Courses(Resource):
    def get(self, request: Request) -> Response:
        """The names of one's own courses, or of all for an administrator."""
        return success(courses=sorted(self.actor.visible_courses().values_list("name", flat=True)))


class OneCourse(Resource):
    def post(self, request: Request, course: str) -> Response:
        self.require_administrator()
        if Course.objects.present().filter(name=course).exists():
            raise Failure(409, "Course already exists")
        try:
            services.create_course(course, _instructors(self.arguments), by=self.actor)
        except AlreadyExists as error:
            raise Failure(409, "Course already exists") from error
        return success()

    def delete(self, request: Request, course: str) -> Response:
        """Into the bin, from which an administrator can bring it back."""
        self.require_administrator()
        services.trash_course(self.course_for(None), by=self.actor)
        return success()


def _instructors(arguments: Arguments) -> list[str]:
    text = arguments.either("instructors")
    names = [] if text is None else _json(text, "Instructors")
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise Failure(400, "Incorrect request format")
    return names


def _json(text: str, what: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Failure(400, f"{what} cannot be JSON decoded") from error


def _names(arguments: Arguments) -> dict[str, str]:
    names = {}
    for field, words in NAMES.items():
        value = arguments.either(field)
        if value is None:
            raise Failure(400, f"Please supply {words}")
        names[field] = value
    return names


def shown(member: Membership) -> dict[str, str | None]:
    return {"username": member.user.username, **{field: getattr(member, field) for field in NAMES}}


class OneInstructor(Resource):
    def post(self, request: Request, course: str, username: str) -> Response:
        """Administrators add and change; instructors change their own names."""
        found = self.course_for(Permission.CHANGE_ROSTER)
        names = _names(self.arguments)
        if not self.actor.is_administrator:
            if not found.memberships.filter(user__username=username, role=Role.INSTRUCTOR).exists():
                raise Failure(400, "Permission denied (cannot modify instructors)")
            if username != self.user.username:
                raise Failure(400, "Permission denied (cannot modify other instructors)")
        services.set_member(found, RosterEntry(username, Role.INSTRUCTOR, **names), by=self.actor)
        return success()

    def get(self, request: Request, course: str, username: str) -> Response:
        found = self.course_for(Permission.SEE_COURSE)
        return success(**shown(self.member(found, Role.INSTRUCTOR, what="Instructor")))

    def delete(self, request: Request, course: str, username: str) -> Response:
        self.require_administrator()
        found = self.course_for(None)
        services.remove_member(self.member(found, Role.INSTRUCTOR, what="Instructor"), by=self.actor)
        return success()


class Instructors(Resource):
    def get(self, request: Request, course: str) -> Response:
        found = self.course_for(Permission.SEE_COURSE)
        return success(instructors=_listed(found, Role.INSTRUCTOR))


def _listed(course: Course, role: str) -> list[dict[str, str | None]]:
    """In the order in which they joined."""
    return [shown(member) for member in course.memberships.filter(role=role).select_related("user").order_by("pk")]


class OneStudent(Resource):
    def post(self, request: Request, course: str, username: str) -> Response:
        found = self.course_for(Permission.CHANGE_ROSTER)
        names = _names(self.arguments)
        if found.memberships.filter(user__username=username, role__in=STAFF_ROLES).exists():
            raise Failure(409, "Cannot add instructor as student")
        services.set_member(found, RosterEntry(username, Role.STUDENT, **names), by=self.actor)
        return success()

    def get(self, request: Request, course: str, username: str) -> Response:
        """To instructors, and to oneself."""
        found = self.course_for(None if username == self.user.username else Permission.SEE_ROSTER)
        return success(**shown(self.member(found, Role.STUDENT)))

    def delete(self, request: Request, course: str, username: str) -> Response:
        """Off the roster; work handed in stays."""
        found = self.course_for(Permission.CHANGE_ROSTER)
        services.remove_member(self.member(found, Role.STUDENT), by=self.actor)
        return success()


class Students(Resource):
    def get(self, request: Request, course: str) -> Response:
        return success(students=_listed(self.course_for(Permission.SEE_ROSTER), Role.STUDENT))

    def post(self, request: Request, course: str) -> Response:
        """Add or change many; one that cannot be placed does not stop the others."""
        found = self.course_for(Permission.CHANGE_ROSTER)
        rows = _rows(self.arguments)
        staff = set(found.memberships.filter(role__in=STAFF_ROLES).values_list("user__username", flat=True))
        people = {row["username"]: _person(row) for row in rows if row["username"] not in staff}
        report = roster.apply_roster(found, list(people.values()), by=self.actor)
        refused = {row.username: row.message for row in report.rows if row.result == Result.REFUSED}
        refused |= {name: "Cannot add instructor as student" for name in staff}
        return success(status=[_told(row["username"], refused) for row in rows])


def _rows(arguments: Arguments) -> list[dict[str, str]]:
    text = arguments.either("students")
    rows = _json(text, "Students") if text else []
    if not isinstance(rows, list):
        raise Failure(400, "Incorrect request format")
    if not rows:
        raise Failure(400, "Please supply students")
    for row in rows:
        if not isinstance(row, dict) or not all(isinstance(row.get(field), str) for field in ("username", *NAMES)):
            raise Failure(400, "Incorrect request format")
    return rows


def _person(row: dict[str, str]) -> RosterEntry:
    return RosterEntry(row["username"], Role.STUDENT, **{field: row[field] for field in NAMES})


def _told(username: str, refused: dict[str, str]) -> dict[str, Any]:
    if username in refused:
        return {"username": username, "success": False, "message": refused[username]}
    return {"username": username, "success": True}
