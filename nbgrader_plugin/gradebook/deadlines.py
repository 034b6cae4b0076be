"""The deadlines of a course in the service, for the plugin's commands.

What is in force for whom is the service's to say: here it is only asked for, and shown.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from http import HTTPStatus

from ..client import times
from ..client.client import NgshareClient
from ..client.errors import ErrorResponse, OlderService
from ..client.records import as_list, as_mapping, optional_time, parse_status, text
from ..translation import gettext as _


@dataclass(frozen=True)
class Terms:
    """What holds for an assignment itself, or for one person; None for no limit."""

    due: datetime | None
    cut_off: datetime | None
    max_attempts: int | None

    @property
    def end(self) -> datetime | None:
        """When nothing more comes that is to be collected: at the cut-off, or at the due date without one."""
        return self.cut_off or self.due


@dataclass(frozen=True)
class AssignmentDeadlines:
    name: str
    is_released: bool
    release_at: datetime | None
    terms: Terms


@dataclass(frozen=True)
class MemberDeadline:
    """What is in force for a student on the roster."""

    username: str
    section: str
    terms: Terms
    why: str  # empty if it is as for everybody


@dataclass(frozen=True)
class Extension:
    """An extension as it was granted, of a student or a section."""

    id: int
    student: str
    section: str
    due: datetime | None
    cut_off: datetime | None
    attempts: int
    reason: str
    granted_by: str

    @property
    def whose(self) -> str:
        return self.student or _("section %(section)s") % {"section": self.section}


@dataclass(frozen=True)
class StateChange:
    """Somebody whose latest submission, or chance to submit, changes its state."""

    student: str
    before: str
    after: str


class CourseDeadlines:
    """The deadlines of one course."""

    def __init__(self, client: NgshareClient, course: str) -> None:
        self.client = client
        self.course = course
        self._assignments = ("courses", course, "assignments")

    def zone(self) -> tzinfo | None:
        """Return the time zone of the course; None if this computer does not know it."""
        course = as_mapping(self.client.get("courses", self.course))
        if "timezone" not in course:
            raise OlderService
        return times.find_zone(text(course, "timezone"))

    def assignments(self) -> list[AssignmentDeadlines]:
        """Return all assignments, sorted by name."""
        rows = self.client.get_all(*self._assignments, status="all")
        return sorted(map(_assignment, rows), key=lambda assignment: assignment.name)

    def assignment(self, name: str) -> AssignmentDeadlines:
        return _assignment(self.client.get(*self._assignments, name))

    def members(self, name: str) -> list[MemberDeadline]:
        """Return what is in force for each student on the roster. To staff alone."""
        status = parse_status(self.client.get("courses", self.course, "status", assignment=name))
        return [_member(row) for row in map(as_mapping, as_list(status.get("members"))) if not row.get("standing")]

    def extensions(self, name: str) -> list[Extension]:
        return [_extension(row) for row in self.client.get_all(*self._assignments, name, "extensions")]

    def change(self, name: str, values: Mapping[str, object], *, dry_run: bool = False) -> list[StateChange]:
        """Set release_at, due, cut_off or max_attempts; return whose state that changes."""
        body = {key: _in_json(value) for key, value in values.items()}
        return _changes(self.client.patch(*self._assignments, name, body=body, dry_run=dry_run))

    def grant(self, name: str, grants: Sequence[Mapping[str, object]], *, dry_run: bool = False) -> list[StateChange]:
        """Grant extensions, each instead of the one that the student or section has; all or none."""
        body = {"extensions": [{key: _in_json(value) for key, value in grant.items()} for grant in grants]}
        return _changes(self.client.post(*self._assignments, name, "extensions", body=body, dry_run=dry_run))

    def withdraw(self, name: str, extension: Extension, *, dry_run: bool = False) -> list[StateChange]:
        try:
            return _changes(self.client.delete(*self._assignments, name, "extensions", extension.id, dry_run=dry_run))
        except ErrorResponse as error:
            if dry_run or error.status != HTTPStatus.NOT_FOUND:
                raise
            return []  # it is gone: the answer before was lost, or somebody else was faster


def _assignment(row: object) -> AssignmentDeadlines:
    fields = as_mapping(row)
    name, is_released = text(fields, "name"), fields.get("status") == "released"
    return AssignmentDeadlines(name, is_released, optional_time(fields, "release_at"), _terms(fields))


def _terms(fields: Mapping[str, object]) -> Terms:
    attempts = fields.get("max_attempts")
    due, cut_off = optional_time(fields, "due"), optional_time(fields, "cut_off")
    return Terms(due, cut_off, attempts if isinstance(attempts, int) else None)


def _member(fields: Mapping[str, object]) -> MemberDeadline:
    (work,) = map(as_mapping, as_list(fields.get("work")))  # of the one assignment that was asked for
    reasons = {"extension": _("extended"), "section": _("extended for the section"), "joined": _("joined late")}
    why = reasons.get(str(work.get("reason")), "")
    why = f"{why}: {work['note']}" if why and work.get("note") else why
    return MemberDeadline(text(fields, "username"), str(fields.get("section") or ""), _terms(work), why)


def _extension(row: object) -> Extension:
    fields = as_mapping(row)
    id, attempts = fields.get("id"), fields.get("attempts")
    return Extension(
        id=id if isinstance(id, int) else 0,
        student=str(fields.get("student") or ""),
        section=str(fields.get("section") or ""),
        due=optional_time(fields, "due"),
        cut_off=optional_time(fields, "cut_off"),
        attempts=attempts if isinstance(attempts, int) else 0,
        reason=str(fields.get("reason") or ""),
        granted_by=str(fields.get("granted_by") or ""),
    )


def _changes(response: object) -> list[StateChange]:
    rows = map(as_mapping, as_list(as_mapping(response).get("changes")))
    return [StateChange(text(row, "student"), _state(row.get("before")), _state(row.get("after"))) for row in rows]


def _state(response: object) -> str:
    fields = as_mapping(response)
    late = fields.get("late")  # null without a submission
    submitted = _("nothing submitted") if late is None else _("late") if late else _("in time")
    return ", ".join([submitted, _("closed") if fields.get("closed") else _("open")])


def _in_json(value: object) -> object:
    return times.to_server(value) if isinstance(value, datetime) else value
