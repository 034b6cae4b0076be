"""A course's roster in the service, for the plugin's commands."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from nbgrader.exchange import ExchangeError

from ..client.client import NgshareClient
from ..client.records import as_list, as_mapping, role_text, text
from ..translation import gettext as _

STUDENT, INSTRUCTOR = "student", "instructor"
NAMES = ("first_name", "last_name", "email")  # that nbgrader's gradebook has as well
REFUSED = "refused"  # a result in the service's report

Member = Mapping[str, object]  # as docs/api.md describes it


class NotRemoved(ExchangeError):
    """A person stays on the roster or in the gradebook; the text is a sentence with the reason."""


@dataclass(frozen=True)
class AddResult:
    """What the service did with one person that was to be added or changed."""

    username: str
    result: str
    message: str

    @property
    def is_refused(self) -> bool:
        return self.result == REFUSED


class Roster:
    """The members of one course."""

    def __init__(self, client: NgshareClient, course: str) -> None:
        self.client = client
        self.course = course

    def members(self) -> dict[str, Member]:
        """Return all members by their user names."""
        return _by_username(self.client.get_all("courses", self.course, "members"))

    def recent_members(self) -> dict[str, Member]:
        """Return all members by their user names, for a person who waits."""
        return _by_username(self.client.get_recent("courses", self.course, "members"))

    def add(self, people: Sequence[Mapping[str, str]]) -> list[AddResult]:
        """Add or change people, and return the results in their order. Fields that are not given stay.

        The service never demotes staff.
        """
        response = self.client.post("courses", self.course, "members", "bulk", body={"members": list(people)})
        rows = [as_mapping(row) for row in as_list(as_mapping(response).get("rows"))]
        return [AddResult(text(row, "username"), text(row, "result"), str(row.get("message") or "")) for row in rows]

    def remove(self, username: str, role: str, members: Mapping[str, Member]) -> None:
        """Remove someone who has this role from the roster; raise NotRemoved otherwise. Their submissions stay."""
        if username not in members:
            raise NotRemoved(
                _("%(username)s is not a member of '%(course)s'.") % {"username": username, "course": self.course}
            )
        actual = members[username].get("role")
        if actual != role:
            raise NotRemoved(
                _("%(username)s is %(actual)s of '%(course)s', not %(role)s, and stays.")
                % {
                    "username": username,
                    "actual": role_text(str(actual)),
                    "course": self.course,
                    "role": role_text(role),
                }
            )
        self.client.delete("courses", self.course, "members", username)


def _by_username(rows: Iterable[object]) -> dict[str, Member]:
    return {text(member, "username"): member for member in map(as_mapping, rows)}


def names_of(fields: Mapping[str, object]) -> dict[str, str]:
    """Return the names in the fields, without empty ones."""
    return {name: str(fields[name]) for name in NAMES if fields.get(name)}


def with_capitals(usernames: Iterable[str]) -> list[str]:
    """Return the names that JupyterHub would not give, as it changes them to small letters (normalize_username)."""
    return [username for username in usernames if username != username.lower()]
