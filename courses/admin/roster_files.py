"""Rosters as files in the admin: an import shows every difference first; exports for spreadsheets and for nbgrader."""

from collections.abc import Iterable
from itertools import chain
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied as Forbidden
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect, StreamingHttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.http import content_disposition_header

from courses import roster_export, services
from courses.admin.base import CourseScopedAdmin, report_errors
from courses.admin.forms import RosterFileForm, SeenRosterForm
from courses.admin.roster_preview import RosterPreview
from courses.body_limits import limit_body
from courses.errors import DomainError
from courses.importers import csv_file, tables
from courses.models import Course, Membership
from courses.permissions import Permission, actor_of
from courses.roster import Result

BYTE_ORDER_MARK = "\ufeff"  # tells spreadsheets that what follows is UTF-8


class RosterFilesAdmin(CourseScopedAdmin[Course]):
    """The views of a course's page that read and write roster files."""

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        takes_roster = limit_body(lambda: settings.DATA_UPLOAD_MAX_MEMORY_SIZE, "multipart/form-data")
        return [
            path("<int:pk>/import/", takes_roster(wrap(self.import_view)), name="import_roster"),
            path("<int:pk>/roster.csv", wrap(self.export_view), name="export_roster"),
            path("<int:pk>/students-for-nbgrader.csv", wrap(self.export_for_nbgrader_view), name="export_for_nbgrader"),
            *super().get_urls(),
        ]

    # Import

    @report_errors
    def import_view(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """GET asks for a file, a POST with it shows what it would change, a POST of what was shown does it."""
        course = self.get_visible_object(request, pk)
        if not self.may(request, Permission.CHANGE_ROSTER, course):
            raise Forbidden
        if "seen" in request.POST:
            return self._import_seen(request, course)
        form = RosterFileForm(request.POST or None, request.FILES or None)
        if form.is_valid():
            try:
                text, encoding = tables.decode(form.cleaned_data["file"].read(tables.MAX_BYTES + 1))
                file = csv_file.read_text(text, encoding)
                return self._show_preview(request, course, file, text, form.cleaned_data["remove_others"])
            except DomainError as error:
                form.add_error("file", error.message)
        return self._render_import(request, course, form=form)

    def _import_seen(self, request: HttpRequest, course: Course) -> HttpResponseBase:
        """Import what was shown; where the roster has changed meanwhile, show the differences again."""
        form = SeenRosterForm(request.POST)
        if not form.is_valid():
            messages.error(request, "The form does not match what was shown. Choose the file again.")
            return self._render_import(request, course, form=RosterFileForm())
        text, remove_others = form.cleaned_data["text"], form.cleaned_data["remove_others"]
        file, actor = csv_file.read_text(text), actor_of(request)
        with transaction.atomic():  # the dry run locks the roster: what is compared is what is done
            preview = RosterPreview.of(course, file, by=actor, remove_others=remove_others)
            if preview.digest != form.cleaned_data["seen"]:
                note = "The roster has changed since you looked: these are the differences now."
                return self._show_preview(request, course, file, text, remove_others, note)
            report, _ = csv_file.import_roster(course, file, by=actor, remove_others=remove_others)
        counts = ", ".join(f"{number} {result}" for result in Result if (number := report.count(result)))
        messages.success(request, f"The roster was imported: {counts}.")
        return HttpResponseRedirect(reverse("admin:courses_course_change", args=[course.pk]))

    def _show_preview(
        self,
        request: HttpRequest,
        course: Course,
        file: csv_file.RosterFile,
        text: str,
        remove_others: bool,
        note: str = "",
    ) -> HttpResponseBase:
        preview = RosterPreview.of(course, file, by=actor_of(request), remove_others=remove_others)
        initial = {"text": text, "remove_others": remove_others, "seen": preview.digest}
        return self._render_import(
            request, course, preview=preview, seen_form=SeenRosterForm(initial=initial), note=note
        )

    def _render_import(self, request: HttpRequest, course: Course, **context: Any) -> TemplateResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": f"Import the roster of {course}",
            "course": course,
            "opts": self.opts,
            **context,
        }
        return TemplateResponse(request, "admin/ngshare/import_roster.html", context)

    # Export

    def export_view(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        course = self.get_visible_object(request, pk)
        services.record_roster_download(course, by=actor_of(request))
        return roster_response(course.memberships.all(), f"{course} roster.csv")

    def export_for_nbgrader_view(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """Return the students for `nbgrader db student import`, which would take a byte order mark for data."""
        course = self.get_visible_object(request, pk)
        services.record_roster_download(course, by=actor_of(request))
        return csv_response(roster_export.export_for_nbgrader(course.memberships.all()), f"{course} students.csv")


def roster_response(members: QuerySet[Membership], name: str) -> HttpResponseBase:
    """Return the members as a CSV file for spreadsheets."""
    return csv_response(chain([BYTE_ORDER_MARK], roster_export.export_roster(members)), name)


def csv_response(lines: Iterable[str], name: str) -> HttpResponseBase:
    response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = content_disposition_header(True, name) or ""
    return response
