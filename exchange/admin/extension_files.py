"""Extensions as files in the admin: an import shows what it does before anything is written."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied as Forbidden
from django.db import transaction
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from courses.admin.base import CourseScopedAdmin, report_errors
from courses.body_limits import limit_body
from courses.csv_writer import csv_response
from courses.errors import DomainError
from courses.importers import tables
from courses.permissions import Permission, actor_of
from courses.templatetags.times import local
from exchange import services
from exchange.admin.base import change_address
from exchange.admin.deadline_forms import ExtensionFileForm, SeenExtensionsForm
from exchange.importers import extension_file
from exchange.models import Assignment
from exchange.services import Grant
from exchange.state_preview import StatePreview, StatesWouldChange

MAX_FAULTS = 20  # on the page
MAX_ROWS = 500


class ExtensionFilesAdmin(CourseScopedAdmin[Assignment]):
    """The views of an assignment's page that read and write files of extensions."""

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        takes_file = limit_body(lambda: settings.DATA_UPLOAD_MAX_MEMORY_SIZE, "multipart/form-data")
        return [
            path("<int:pk>/extensions/import/", takes_file(wrap(self.import_view)), name="import_extensions"),
            path("<int:pk>/extensions.csv", wrap(self.export_view), name="export_extensions"),
            *super().get_urls(),
        ]

    @report_errors
    def import_view(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """GET asks for a file, a POST with it shows what it would do, a POST of what was shown does it."""
        assignment = self.get_visible_object(request, pk)
        if not self.may(request, Permission.EXTEND, assignment):
            raise Forbidden
        if "text" in request.POST:
            return self._import_seen(request, assignment)
        form = ExtensionFileForm(request.POST or None, request.FILES or None)
        if form.is_valid():
            try:
                text, _encoding = tables.decode(form.cleaned_data["file"].read(tables.MAX_BYTES + 1))
                file = extension_file.read(assignment, text)
                if not file.faults:
                    return self._show_preview(request, assignment, file.grants, text)
                for fault in file.faults[:MAX_FAULTS]:
                    form.add_error("file", fault)
            except DomainError as error:
                form.add_error("file", error.message)
        return self._render_import(request, assignment, form=form)

    def _import_seen(self, request: HttpRequest, assignment: Assignment) -> HttpResponseBase:
        """Grant what was shown; where it would change other states by now, show it again."""
        form = SeenExtensionsForm(request.POST)
        if not form.is_valid():
            messages.error(request, _("The form does not match what was shown. Choose the file again."))
            return self._render_import(request, assignment, form=ExtensionFileForm())
        text = form.cleaned_data["text"]
        file = extension_file.read(assignment, text)
        if file.faults:
            messages.error(request, file.faults[0])
            return self._render_import(request, assignment, form=ExtensionFileForm())
        try:
            with transaction.atomic():
                changes = services.grant_extensions(assignment, file.grants, by=actor_of(request))
                StatePreview.of([changes]).require_seen(form.cleaned_data["seen"])
        except StatesWouldChange:
            note = _("The states have changed since you looked: this is what it does now.")
            return self._show_preview(request, assignment, file.grants, text, note)
        count = len(file.grants)
        sentence = ngettext("%d extension was granted.", "%d extensions were granted.", count)
        messages.success(request, sentence % count)
        return HttpResponseRedirect(change_address(assignment))

    def _show_preview(
        self, request: HttpRequest, assignment: Assignment, grants: list[Grant], text: str, note: str = ""
    ) -> HttpResponseBase:
        changes = services.grant_extensions(assignment, grants, by=actor_of(request), dry_run=True)
        preview = StatePreview.of([changes])
        rows = [
            (
                grant.whose,
                local(grant.due),
                local(grant.cut_off),
                grant.attempts or "",
                grant.reason,
            )
            for grant in grants[:MAX_ROWS]
        ]
        seen_form = SeenExtensionsForm(initial={"text": text, "seen": preview.digest})
        return self._render_import(
            request, assignment, preview=preview, rows=rows, count=len(grants), seen_form=seen_form, note=note
        )

    def _render_import(self, request: HttpRequest, assignment: Assignment, **context: Any) -> TemplateResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": _("Import extensions of %(assignment)s") % {"assignment": assignment.name},
            "assignment": assignment,
            "opts": self.opts,
            "hidden_count": max(0, context.get("count", 0) - MAX_ROWS),
            **context,
        }
        return TemplateResponse(request, "admin/ngshare/import_extensions.html", context)

    def export_view(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        assignment = self.get_visible_object(request, pk)
        services.record_extensions_download(assignment, by=actor_of(request))
        return csv_response(extension_file.export(assignment), f"{assignment.course} {assignment.name} extensions.csv")
