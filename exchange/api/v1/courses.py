"""course(s)/, instructor(s)/, student(s)/: who is in which course."""

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
        """Return the names of the user's courses, or of all for an administrator."""
        return success(courses=sorted(self.actor.visible_courses().values_list("name", flat=True)))


class OneCourse(Resource):
    def post(self, request: Request, course: str) -> Response:
        self.require_administrator()
        if Course.objects.present().filter(name=course).exists():
            raise Failure(409, "Course already exists")
        try:
            services.create_course(course, _read_instructors(self.arguments), by=self.actor)
        except AlreadyExists as error:
            raise Failure(409, "Course already exists") from error
        return success()

    def delete(self, request: Request, course: str) -> Response:
        """Move the course to the trash, from which an administrator can restore it."""
        self.require_administrator()
        services.trash_course(self.course_for(None), by=self.actor)
        return success()


def _read_instructors(arguments: Arguments) -> list[str]:
    text = arguments.either("instructors")
    names = [] if text is None else _parse_json(text, "Instructors")
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise Failure(400, "Incorrect request format")
    return names


def _parse_json(text: str, what: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Failure(400, f"{what} cannot be JSON decoded") from error


def _read_names(arguments: Arguments) -> dict[str, str]:
    names = {}
    for field, words in NAMES.items():
        value = arguments.either(field)
        if value is None:
            raise Failure(400, f"Please supply {words}")
        names[field] = value
    return names


def member_fields(member: Membership) -> dict[str, str | None]:
    return {"username": member.user.username, **{field: getattr(member, field) for field in NAMES}}


class OneInstructor(Resource):
    def post(self, request: Request, course: str, username: str) -> Response:
        """Administrators add and change; instructors change their own names."""
        target = self.course_for(Permission.CHANGE_ROSTER)
        names = _read_names(self.arguments)
        if not self.actor.is_administrator:
            if not target.memberships.filter(user__username=username, role=Role.INSTRUCTOR).exists():
                raise Failure(400, "Permission denied (cannot modify instructors)")
            if username != self.user.username:
                raise Failure(400, "Permission denied (cannot modify other instructors)")
        services.set_member(target, RosterEntry(username, Role.INSTRUCTOR, **names), by=self.actor)
        return success()

    def get(self, request: Request, course: str, username: str) -> Response:
        target = self.course_for(Permission.SEE_COURSE)
        return success(**member_fields(self.member(target, Role.INSTRUCTOR, what="Instructor")))

    def delete(self, request: Request, course: str, username: str) -> Response:
        self.require_administrator()
        target = self.course_for(None)
        services.remove_member(self.member(target, Role.INSTRUCTOR, what="Instructor"), by=self.actor)
        return success()


class Instructors(Resource):
    def get(self, request: Request, course: str) -> Response:
        target = self.course_for(Permission.SEE_COURSE)
        return success(instructors=_list(target, Role.INSTRUCTOR))


def _list(course: Course, role: str) -> list[dict[str, str | None]]:
    """Return the members in the order in which they joined."""
    return [
        member_fields(member) for member in course.memberships.filter(role=role).select_related("user").order_by("pk")
    ]


class OneStudent(Resource):
    def post(self, request: Request, course: str, username: str) -> Response:
        target = self.course_for(Permission.CHANGE_ROSTER)
        names = _read_names(self.arguments)
        if target.memberships.filter(user__username=username, role__in=STAFF_ROLES).exists():
            raise Failure(409, "Cannot add instructor as student")
        services.set_member(target, RosterEntry(username, Role.STUDENT, **names), by=self.actor)
        return success()

    def get(self, request: Request, course: str, username: str) -> Response:
        """Answer staff, and the student themselves."""
        target = self.course_for(None if username == self.user.username else Permission.SEE_ROSTER)
        return success(**member_fields(self.member(target, Role.STUDENT)))

    def delete(self, request: Request, course: str, username: str) -> Response:
        """Remove the student from the roster; their submissions stay."""
        target = self.course_for(Permission.CHANGE_ROSTER)
        services.remove_member(self.member(target, Role.STUDENT), by=self.actor)
        return success()


class Students(Resource):
    def get(self, request: Request, course: str) -> Response:
        return success(students=_list(self.course_for(Permission.SEE_ROSTER), Role.STUDENT))

    def post(self, request: Request, course: str) -> Response:
        """Add or change many; one that is refused does not stop the others."""
        target = self.course_for(Permission.CHANGE_ROSTER)
        rows = _read_rows(self.arguments)
        staff = set(target.memberships.filter(role__in=STAFF_ROLES).values_list("user__username", flat=True))
        entries = {row["username"]: _entry(row) for row in rows if row["username"] not in staff}
        report = roster.apply_roster(target, list(entries.values()), by=self.actor)
        refused = {row.username: row.message for row in report.rows if row.result == Result.REFUSED}
        refused |= {name: "Cannot add instructor as student" for name in staff}
        return success(status=[_result(row["username"], refused) for row in rows])


def _read_rows(arguments: Arguments) -> list[dict[str, str]]:
    text = arguments.either("students")
    rows = _parse_json(text, "Students") if text else []
    if not isinstance(rows, list):
        raise Failure(400, "Incorrect request format")
    if not rows:
        raise Failure(400, "Please supply students")
    for row in rows:
        if not isinstance(row, dict) or not all(isinstance(row.get(field), str) for field in ("username", *NAMES)):
            raise Failure(400, "Incorrect request format")
    return rows


def _entry(row: dict[str, str]) -> RosterEntry:
    return RosterEntry(row["username"], Role.STUDENT, **{field: row[field] for field in NAMES})


def _result(username: str, refused: dict[str, str]) -> dict[str, object]:
    if username in refused:
        return {"username": username, "success": False, "message": refused[username]}
    return {"username": username, "success": True}
