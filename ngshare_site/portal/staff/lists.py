"""Lists of an assignment's members: the table as CSV, and the addresses of those who have not submitted."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.http import content_disposition_header

from courses.csv_writer import csv_response, write_rows
from courses.models import Course
from courses.permissions import Actor
from exchange import services
from exchange.models import Assignment
from exchange.progress_tables import TableFilter, csv_rows
from ngshare_site.portal.staff.base import StaffPage, StaffView
from ngshare_site.portal.staff.page import sections_of

MAX_MAILTO = 50  # addresses; browsers and mail programs cut longer links off


class AssignmentCSVView(StaffView):
    """The table of everybody's submissions as CSV."""

    def get(self, request: HttpRequest, course: str, assignment: str) -> HttpResponseBase:
        services.record_progress_download(self.assignment.course, by=self.actor)
        members = list(TableFilter.of(request.GET).read(self.assignment.course, [self.assignment]))
        rows = csv_rows(members, [self.assignment], named=False)
        return csv_response(write_rows(rows), f"{course} {assignment} submissions.csv")


@dataclass(frozen=True)
class Missing:
    """A student of the roster who has not submitted."""

    username: str
    first_name: str
    last_name: str
    section: str
    email: str


def find_missing(course: Course, assignment: Assignment, section: str) -> list[Missing]:
    """Return the students of the roster, or of a section, who have not submitted, by user name."""
    found = TableFilter(section=section, show="missing").apply(course, [assignment]).filter(member__role="student")
    columns = ("username", "member__first_name", "member__last_name", "member__section", "member__email")
    return [Missing(name, *(value or "" for value in rest)) for name, *rest in found.values_list(*columns)]


class ReminderView(StaffPage):
    """The addresses of those who have not submitted, to be copied into an email, and who has none."""

    template_name = "ngshare/staff/reminder.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, object]:
        section = self.request.GET.get("section", "")
        missing = _read_missing(self.actor, self.assignment, section)
        emails = [each.email for each in missing if each.email]
        mailto = f"mailto:?bcc={quote(','.join(emails), safe='@,')}" if 0 < len(emails) <= MAX_MAILTO else ""
        names = [each.username for each in missing if not each.email]
        return super().get_context_data(
            section=section,
            sections=sections_of(self.assignment.course),
            missing=missing,
            emails=emails,
            text="\n".join(emails),
            without_email=names,
            mailto=mailto,
            **kwargs,
        )


class ReminderFileView(StaffView):
    """The addresses as a text of one a line, or all who have not submitted as CSV."""

    def get(self, request: HttpRequest, course: str, assignment: str, kind: str) -> HttpResponseBase:
        missing = _read_missing(self.actor, self.assignment, request.GET.get("section", ""))
        name = f"{course} {assignment} not submitted.{kind}"
        if kind == "csv":
            header = ("username", "first_name", "last_name", "section", "email")
            rows = [header, *([getattr(each, column) for column in header] for each in missing)]
            return csv_response(write_rows(rows), name)
        text = "".join(f"{each.email}\n" for each in missing if each.email)
        response = HttpResponse(text, content_type="text/plain; charset=utf-8")
        response["Content-Disposition"] = str(content_disposition_header(True, name))
        return response


def _read_missing(actor: Actor, assignment: Assignment, section: str) -> list[Missing]:
    services.record_progress_download(assignment.course, by=actor)
    return find_missing(assignment.course, assignment, section)
