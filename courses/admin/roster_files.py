"""Rosters as files in the admin: an import shows every difference first; exports for spreadsheets and for nbgrader."""

import json
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied as Forbidden
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _

from courses import roster_export, services
from courses.admin.base import CourseScopedAdmin, report_errors
from courses.admin.roster_forms import ColumnsForm, RosterFileForm, SeenRosterForm
from courses.admin.roster_preview import RosterPreview, count_of
from courses.body_limits import limit_body
from courses.csv_writer import csv_response
from courses.errors import DomainError
from courses.importers import csv_file, tables
from courses.importers.roster_columns import COLUMN_NAMES, UNCHOSEN, ColumnChoice, suggest
from courses.importers.tables import Sheet, UnclearColumns
from courses.models import Course, Membership
from courses.permissions import Permission, actor_of
from courses.roster import Result


@dataclass(frozen=True)
class Draft:
    """A file on its way through the pages, with what was chosen on them."""

    text: str
    remove_others: bool
    choice: ColumnChoice = UNCHOSEN


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
        """GET asks for a file, a POST with it shows what it would change, a POST of what was shown does it.

        Between them is a page that asks for the columns, where their names do not tell or the person wants to choose.
        """
        course = self.get_visible_object(request, pk)
        if not self.may(request, Permission.CHANGE_ROSTER, course):
            raise Forbidden
        if "choose" in request.POST:
            return self._ask_again(request, course)
        if "seen" in request.POST:
            return self._import_seen(request, course)
        if "text" in request.POST:
            return self._choose_columns(request, course)
        form = RosterFileForm(request.POST or None, request.FILES or None)
        if form.is_valid():
            try:
                text, encoding = tables.decode(form.cleaned_data["file"].read(tables.MAX_BYTES + 1))
                return self._show(request, course, Draft(text, form.cleaned_data["remove_others"]), encoding)
            except DomainError as error:
                form.add_error("file", error.message)
        return self._render_import(request, course, form=form)

    def _show(self, request: HttpRequest, course: Course, draft: Draft, encoding: str) -> HttpResponseBase:
        """Show what a new file would change, or ask for its columns. Errors: Invalid."""
        sheet = tables.read_sheet(draft.text, COLUMN_NAMES)
        try:
            file = csv_file.read_sheet(sheet, encoding)
        except UnclearColumns as unclear:
            if not sheet.candidates(COLUMN_NAMES):
                raise
            return self._ask_for_columns(request, course, draft, sheet, note=unclear.message)
        return self._show_preview(request, course, file, draft)

    def _ask_for_columns(
        self, request: HttpRequest, course: Course, draft: Draft, sheet: Sheet, note: str = ""
    ) -> HttpResponseBase:
        choice = draft.choice
        if choice is UNCHOSEN:
            choice = suggest(sheet, set(course.memberships.values_list("user__username", flat=True)))
        form = ColumnsForm(sheet=sheet, choice=choice, text=draft.text, remove_others=draft.remove_others)
        return self._render_import(request, course, columns_form=form, note=note)

    def _ask_again(self, request: HttpRequest, course: Course) -> HttpResponseBase:
        """Let the person choose the columns of the file that was shown."""
        form = SeenRosterForm(request.POST)
        if not form.is_valid():
            return self._start_again(request, course)
        sheet = tables.read_sheet(form.cleaned_data["text"], COLUMN_NAMES)
        likely = suggest(sheet, ())
        choice = ColumnChoice({**likely.columns, **form.choice.for_sheet(sheet)}, form.choice.before_at)
        draft = Draft(form.cleaned_data["text"], form.cleaned_data["remove_others"], choice)
        return self._ask_for_columns(request, course, draft, sheet)

    def _choose_columns(self, request: HttpRequest, course: Course) -> HttpResponseBase:
        """Show what the file would change with the columns that were chosen."""
        sheet = tables.read_sheet(request.POST["text"], COLUMN_NAMES)
        form = ColumnsForm(request.POST, sheet=sheet, choice=UNCHOSEN)
        if form.is_valid():
            draft = Draft(form.cleaned_data["text"], form.cleaned_data["remove_others"], form.choice)
            try:
                return self._show_preview(request, course, csv_file.read_sheet(sheet, "", form.choice), draft)
            except DomainError as error:
                form.add_error(None, error.message)
        return self._render_import(request, course, columns_form=form)

    def _start_again(self, request: HttpRequest, course: Course) -> HttpResponseBase:
        messages.error(request, _("The form does not match what was shown. Choose the file again."))
        return self._render_import(request, course, form=RosterFileForm())

    def _import_seen(self, request: HttpRequest, course: Course) -> HttpResponseBase:
        """Import what was shown; where the roster has changed meanwhile, show the differences again.

        A form that was sent twice has nothing left to import, and that is a success.
        """
        form = SeenRosterForm(request.POST)
        if not form.is_valid():
            return self._start_again(request, course)
        draft = Draft(form.cleaned_data["text"], form.cleaned_data["remove_others"], form.choice)
        file, actor = csv_file.read_text(draft.text, choice=draft.choice), actor_of(request)
        with transaction.atomic():  # the dry run locks the roster: what is compared is what is done
            preview = RosterPreview.of(course, file, by=actor, remove_others=draft.remove_others)
            is_done = not preview.has_changes and preview.goal == form.cleaned_data["goal"]
            if not is_done and preview.digest != form.cleaned_data["seen"]:
                note = _("The roster has changed since you looked: these are the differences now.")
                return self._show_preview(request, course, file, draft, note)
            report = csv_file.import_roster(course, file, by=actor, remove_others=draft.remove_others)[0]
        counts = ", ".join(count_of(number, result) for result in Result if (number := report.count(result)))
        text = _("Nothing was left to import: %(counts)s.") if is_done else _("The roster was imported: %(counts)s.")
        messages.success(request, text % {"counts": counts})
        return HttpResponseRedirect(reverse("admin:courses_course_change", args=[course.pk]))

    def _show_preview(
        self, request: HttpRequest, course: Course, file: csv_file.RosterFile, draft: Draft, note: str = ""
    ) -> HttpResponseBase:
        preview = RosterPreview.of(course, file, by=actor_of(request), remove_others=draft.remove_others)
        initial = {
            "text": draft.text,
            "remove_others": draft.remove_others,
            "columns": json.dumps(draft.choice.write()),
            "before_at": draft.choice.before_at,
            "seen": preview.digest,
            "goal": preview.goal,
        }
        return self._render_import(
            request, course, preview=preview, seen_form=SeenRosterForm(initial=initial), note=note
        )

    def _render_import(self, request: HttpRequest, course: Course, **context: Any) -> TemplateResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": _("Import the roster of %(course)s") % {"course": course},
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
        lines = roster_export.export_for_nbgrader(course.memberships.all())
        return csv_response(lines, f"{course} students.csv", for_spreadsheets=False)


def roster_response(members: QuerySet[Membership], name: str) -> HttpResponseBase:
    """Return the members as a CSV file for spreadsheets."""
    return csv_response(roster_export.export_roster(members), name)
