"""Verbs on a course's roster in the service, for the plugin's commands."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..cli.output import CommandFailed
from ..client.client import NgshareClient
from ..client.records import mapping, rows, text

STUDENT, INSTRUCTOR = "student", "instructor"
NAMES = ("first_name", "last_name", "email")  # that nbgrader's gradebook has as well
REFUSED = "refused"


class Roster:
    """Who is in one course."""

    def __init__(self, client: NgshareClient, course: str) -> None:
        self.client = client
        self.course = course

    def members(self) -> dict[str, Mapping[str, Any]]:
        """All members by their names, as docs/api.md describes them."""
        found = map(mapping, self.client.pages("courses", self.course, "members"))
        return {text(member, "username"): member for member in found}

    def students(self) -> dict[str, Mapping[str, Any]]:
        return {name: member for name, member in self.members().items() if member.get("role") == STUDENT}

    def add(self, people: Sequence[Mapping[str, str]]) -> list[tuple[str, str, str]]:
        """Add or change people; what is not said of them stays. The service never demotes staff.

        Returns (username, result, message) of each, in their order.
        """
        report = mapping(self.client.post("courses", self.course, "members", "bulk", body={"members": list(people)}))
        found = [mapping(row) for row in rows(report.get("rows"))]
        return [(text(row, "username"), text(row, "result"), str(row.get("message") or "")) for row in found]

    def remove(self, username: str, role: str, members: Mapping[str, Mapping[str, Any]]) -> None:
        """Take someone off the roster who has this role; CommandFailed otherwise. What they handed in stays."""
        if username not in members:
            raise CommandFailed(f"{username} is not a member of '{self.course}'.")
        actual = members[username].get("role")
        if actual != role:
            raise CommandFailed(f"{username} is {actual} of '{self.course}', not {role}, and stays.")
        self.client.delete("courses", self.course, "members", username)


def names_of(fields: Mapping[str, Any]) -> dict[str, str]:
    """The names that are said, without those that are empty."""
    return {name: str(fields[name]) for name in NAMES if fields.get(name)}


def looks_renamed(usernames: Iterable[str]) -> list[str]:
    """Names that JupyterHub would not give, as it writes them in small letters (auth.py, normalize_username)."""
    return [username for username in usernames if username != username.lower()]
