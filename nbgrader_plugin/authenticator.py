"""nbgrader's view of who is in which course, taken from the exchange's roster.

nbgrader asks for the courses of a student (`nbgrader list`, JupyterLab's course list), and tells when a student is
added to or removed from its gradebook (`nbgrader db student …`). See nbgrader/auth/base.py.
"""

from collections.abc import Iterable

from nbgrader.auth import BaseAuthPlugin

from .client.client import NgshareClient
from .client.errors import Refused
from .client.records import mapping, rows, text

STAFF = {"instructor", "grader"}


class NgshareAuthenticator(BaseAuthPlugin):
    """`c.Authenticator.plugin_class`: the roster of the ngshare service."""

    def get_student_courses(self, student_id: str) -> list[str]:
        """Names of the courses that a user belongs to in any role, taught ones included. `*` or nothing is oneself.

        An administrator belongs to all. Of others, only the courses that oneself is on the staff of are known.
        """
        client = NgshareClient(parent=self)
        me = mapping(client.get("me"))
        if student_id in ("", "*", me.get("username")):
            if me.get("is_administrator") is True:
                return [text(mapping(course), "name") for course in client.pages("courses")]
            return list(_names(me.get("courses")))
        taught = _names(me.get("courses"), roles=STAFF)
        return [course for course in taught if _role(client, course, student_id)]

    def add_student_to_course(self, student_id: str, course_id: str) -> None:
        """Put a student on the roster. Who is on it already stays what they are, staff too."""
        if not course_id:
            self.log.error("%s was not added to a course: no course id is set in nbgrader_config.py.", student_id)
            return
        member = {"username": student_id, "role": "student"}
        try:
            NgshareClient(parent=self).post("courses", course_id, "members", body=member)
        except Refused as error:
            if error.code != "already_exists":
                raise

    def remove_student_from_course(self, student_id: str, course_id: str) -> None:
        """Take a student off the roster; what they handed in stays. Staff are left alone."""
        if not course_id:
            self.log.error("%s was not removed from a course: no course id is set in nbgrader_config.py.", student_id)
            return
        client = NgshareClient(parent=self)
        role = _role(client, course_id, student_id)
        if role in STAFF:
            self.log.warning("%s is %s of '%s' and stays on its roster.", student_id, role, course_id)
        elif role:
            client.delete("courses", course_id, "members", student_id)


def _names(courses: object, roles: Iterable[str] = ()) -> Iterable[str]:
    return [
        text(course, "name") for course in map(mapping, rows(courses)) if not roles or course.get("role") in set(roles)
    ]


def _role(client: NgshareClient, course: str, username: str) -> str:
    """Someone's role in a course; empty if they have none."""
    try:
        member = mapping(client.get("courses", course, "members", username))
    except Refused as error:
        if error.status == 404 and _course_exists(client, course):
            return ""
        raise
    return text(member, "role")


def _course_exists(client: NgshareClient, course: str) -> bool:
    """Tells a course that is not there from a member that is not (both are 404); raises for the former."""
    client.get("courses", course)
    return True
