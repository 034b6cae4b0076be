"""nbgrader's view of who is in which course, taken from the exchange's roster.

nbgrader asks for the courses of a student (`nbgrader list`, JupyterLab's course list), and reports when a student is
added to or removed from its gradebook (`nbgrader db student …`). See nbgrader/auth/base.py.
"""

from collections.abc import Collection

from nbgrader.auth import BaseAuthPlugin

from .client.client import NgshareClient
from .client.errors import ErrorResponse
from .client.printing import log_printable
from .client.records import as_list, as_mapping, role_text, text
from .translation import gettext as _

STAFF = {"instructor", "grader"}


class NgshareAuthenticator(BaseAuthPlugin):
    """`c.Authenticator.plugin_class`: the roster of the ngshare service."""

    def get_student_courses(self, student_id: str) -> list[str]:
        """Return the courses that a user belongs to in any role, taught ones included. `*` or nothing is oneself.

        An administrator belongs to all. Of other users, only the courses that one is on the staff of are known.
        """
        client = NgshareClient(parent=self)
        with client.connected():
            me = as_mapping(client.get_recent_object("me"))
            if student_id in ("", "*", me.get("username")):
                if me.get("is_administrator") is True:
                    return [text(as_mapping(course), "name") for course in client.get_recent("courses")]
                return course_names(me.get("courses"))
            taught = course_names(me.get("courses"), roles=STAFF)
            return [course for course in taught if _role(client, course, student_id)]

    def add_student_to_course(self, student_id: str, course_id: str) -> None:
        """Add a student to the roster. A user who is on it already keeps their role, staff too."""
        if not course_id:
            self.log.error(
                _("%(student)s was not added to a course: no course id is set in nbgrader_config.py."),
                {"student": student_id},
            )
            return
        member = {"username": student_id, "role": "student"}
        try:
            NgshareClient(parent=self).post("courses", course_id, "members", body=member)
        except ErrorResponse as error:
            if error.code != "already_exists":
                raise

    def remove_student_from_course(self, student_id: str, course_id: str) -> None:
        """Remove a student from the roster; their submissions stay. Staff are left alone."""
        if not course_id:
            self.log.error(
                _("%(student)s was not removed from a course: no course id is set in nbgrader_config.py."),
                {"student": student_id},
            )
            return
        client = NgshareClient(parent=self)
        with client.connected():
            role = _role(client, course_id, student_id)
            if role in STAFF:
                log_printable(self.log)
                self.log.warning(
                    _("%(student)s is %(role)s of '%(course)s' and stays on its roster."),
                    {"student": student_id, "role": role_text(role), "course": course_id},
                )
            elif role:
                client.delete("courses", course_id, "members", student_id)


def course_names(courses: object, roles: Collection[str] = ()) -> list[str]:
    """Return the names in a list of the user's courses, of those in which the user has one of the roles."""
    found = map(as_mapping, as_list(courses))
    return [text(course, "name") for course in found if not roles or course.get("role") in roles]


def _role(client: NgshareClient, course: str, username: str) -> str:
    """Return a user's role in a course; empty if they have none."""
    try:
        member = as_mapping(client.get("courses", course, "members", username))
    except ErrorResponse as error:
        if error.status != 404:
            raise
        client.get("courses", course)  # an unknown course is a 404 as well, and raises here
        return ""
    return text(member, "role")
