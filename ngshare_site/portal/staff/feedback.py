"""Returning feedback: from a zip, which is looked at first, or single pages on one attempt."""

import hashlib
from collections.abc import Callable, Sequence
from pathlib import PurePosixPath
from typing import Any

from django import forms
from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from courses.errors import DomainError
from courses.permissions import Permission
from courses.templatetags.times import local_seconds
from exchange import services
from exchange.importers import feedback_archive
from exchange.importers.feedback_archive import FeedbackArchive
from exchange.models import Submission
from exchange.services import FeedbackItem
from exchange.storage.blobs import CHUNK
from exchange.storage.file_sets import Upload
from exchange.storage.manifests import ManifestEntry
from ngshare_site.portal.staff.base import StaffPage, StaffView, address_of

MAX_NAMED = 20  # students in a message


class ZipForm(forms.Form):
    file = forms.FileField(
        label=gettext_lazy("Zip file"), widget=forms.ClearableFileInput({"accept": ".zip,application/zip"})
    )


class FilesInput(forms.ClearableFileInput):
    allow_multiple_selected = True


class FilesField(forms.FileField):
    """Several files, as in Django's documentation of file uploads."""

    widget = FilesInput

    def clean(self, data: Any, initial: Any = None) -> Any:
        files = data if isinstance(data, list | tuple) and data else [data or None]
        return [super(FilesField, self).clean(file, initial) for file in files]


class PagesForm(forms.Form):
    """Pages of feedback on one attempt of a student."""

    attempt = forms.TypedChoiceField(label=gettext_lazy("For the attempt of"), coerce=int)
    pages = FilesField(label=gettext_lazy("Pages (.html)"), widget=FilesInput({"accept": ".html"}))

    def __init__(self, attempts: Sequence[Submission], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(each.pk, local_seconds(each.created)) for each in attempts]
        self.fields["attempt"].choices = choices  # type: ignore[attr-defined]

    def clean_pages(self) -> list[UploadedFile]:
        files: list[UploadedFile] = self.cleaned_data["pages"]
        for file in files:
            if PurePosixPath(str(file.name)).suffix.lower() != ".html":
                text = _("%(file)s is no page: feedback is files that end with .html.")
                raise forms.ValidationError(text % {"file": file.name})
        return files


class FeedbackView(StaffPage):
    """The form for a zip, which goes to a page that says what would be returned."""

    permission = Permission.RETURN_FEEDBACK
    template_name = "ngshare/staff/feedback.html"
    http_method_names = ["get", "head", "post"]

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        form = ZipForm(request.POST, request.FILES)
        if form.is_valid():
            file: Any = form.cleaned_data["file"]
            try:
                FeedbackArchive(file, self.assignment)
                file.seek(0)
                kept = feedback_archive.keep_archive(file, file.size, self.assignment.course, by=self.actor)
            except DomainError as error:
                form.add_error("file", error.message)
            else:
                return HttpResponseRedirect(address_of("assignment-feedback-confirm", self.assignment, kept))
        return self.render_to_response(self.get_context_data(form=form))

    def get_context_data(self, **kwargs: Any) -> dict[str, object]:
        return super().get_context_data(**{"form": ZipForm(), **kwargs})


class ConfirmFeedbackView(StaffPage):
    """What a zip would return (GET); return it (POST). Feedback that is there already is not returned again."""

    permission = Permission.RETURN_FEEDBACK
    template_name = "ngshare/staff/confirm_feedback.html"
    http_method_names = ["get", "head", "post"]

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self._with_archive(self._show)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self._with_archive(self._return)

    def _with_archive(self, use: Callable[[FeedbackArchive], HttpResponse]) -> HttpResponse:
        course = self.assignment.course
        try:
            with feedback_archive.open_kept(course, str(self.kwargs["pk"]), by=self.actor) as file:
                return use(FeedbackArchive(file, self.assignment))
        except DomainError as error:
            messages.error(self.request, error.message)
            return redirect(address_of("assignment-feedback", self.assignment))

    def _show(self, archive: FeedbackArchive) -> HttpResponse:
        rows = archive.rows()
        returned = sum(row.is_returned for row in rows)
        context = self.get_context_data(
            rows=rows, returned=returned, repeats=sum(row.is_repeat for row in rows), ignored=archive.ignored
        )
        return self.render_to_response(context)

    def _return(self, archive: FeedbackArchive) -> HttpResponse:
        rows = archive.rows()
        count = feedback_archive.return_rows(archive, rows, by=self.actor)
        there = count + sum(row.is_repeat for row in rows)
        text = ngettext(
            "Feedback is returned to %(count)d student.", "Feedback is returned to %(count)d students.", there
        )
        messages.success(self.request, text % {"count": there})
        if refused := [row.student for row in rows if row.problem]:
            names = ", ".join(refused[:MAX_NAMED]) + (" …" if len(refused) > MAX_NAMED else "")
            messages.warning(self.request, _("Nothing was returned to %(students)s.") % {"students": names})
        return redirect(self.home)


class PagesView(StaffView):
    """Return pages on one attempt of a student, from the student's page."""

    permission = Permission.RETURN_FEEDBACK
    http_method_names = ["post"]

    def post(self, request: HttpRequest, course: str, assignment: str, student: str) -> HttpResponseBase:
        attempts = self.assignment.submissions.filter(student__username=student).order_by("-created")
        form = PagesForm(list(attempts), request.POST, request.FILES)
        if not form.is_valid():
            messages.error(request, " ".join(str(error) for errors in form.errors.values() for error in errors))
        else:
            try:
                self._return(form.cleaned_data["attempt"], form.cleaned_data["pages"])
                messages.success(request, _("Feedback is returned to %(student)s.") % {"student": student})
            except DomainError as error:
                messages.error(request, error.message)
        return redirect(address_of("assignment-student", self.assignment, student))

    def _return(self, attempt: int, files: list[UploadedFile]) -> None:
        """Errors: those of services.return_feedback."""
        read = [(_entry(file), file) for file in files]
        entries = sorted((entry for entry, _file in read), key=lambda entry: entry.path)
        sent: dict[str, Any] = {entry.sha256: file for entry, file in read}
        item = FeedbackItem(entries, submission=attempt)
        services.return_feedback(self.assignment, [item], Upload([entries], sent.items()), by=self.actor)


def _entry(file: UploadedFile) -> ManifestEntry:
    """Return the entry of a file, which is read from its beginning, and leave it there."""
    sha256 = hashlib.sha256()
    file.seek(0)
    for chunk in file.chunks(CHUNK):
        sha256.update(chunk)
    file.seek(0)
    return ManifestEntry(str(file.name), sha256.hexdigest(), file.size or 0)
