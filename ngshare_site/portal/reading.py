"""Reading a file in the browser: of a submission, of a release, of feedback.

Each has one address, which is a page of ours around the file. `?as=document` is what that page frames: somebody else
wrote it, so it is shown in a sandbox. `?as=file` is the file itself.
"""

from dataclasses import dataclass
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.generic import TemplateView

from courses.errors import BytesLost, DomainError, TryAgain
from courses.models import Course
from exchange import file_responses, queries
from exchange.models import Assignment, FileEntry, FileSet
from exchange.rendering import documents
from exchange.rendering.documents import Look, look_of
from ngshare_site.portal.base import MemberView
from ngshare_site.portal.submitting import readable_release
from ngshare_site.portal.views import address_of, get_submission, latest_feedback, notebooks_first, title_of

MOST_SIBLINGS = 200  # files that a page links to
SHORT = 500  # bytes of a text that needs no frame as high as the window
PLACE = "<!-- the document -->"  # in its template
STATUS: dict[type[DomainError], int] = {TryAgain: 503, BytesLost: 410}  # all others are 422


@dataclass(frozen=True)
class Source:
    """Where a file is."""

    file_set: FileSet
    route: str  # the name of the address of one of its files
    pk: int
    assignment: Assignment
    title: str  # what it is a file of
    address: str  # the page of that
    beside: FileSet | None = None  # where its pictures may be, too

    def address_of(self, path: str) -> str:
        return reverse(self.route, args=[self.pk, path])


class FileView(MemberView, TemplateView):
    template_name = "ngshare/file.html"

    def find_source(self, pk: int) -> Source:
        """Errors: Http404."""
        raise NotImplementedError

    def get(self, request: HttpRequest, pk: int, path: str) -> HttpResponseBase:  # type: ignore[override]
        source = self.find_source(pk)
        entry: FileEntry = get_object_or_404(source.file_set.entries.select_related("blob"), path=path)
        look = look_of(entry.path, entry.blob.size)
        match request.GET.get("as"):
            case "document" if look in documents.RENDERED:
                return show_document(entry, source, person=self.actor.username)
            case "file" if look is Look.IMAGE:
                return file_responses.open_file(entry)
            case "file":
                return file_responses.download_file(entry)
        return self.render_to_response(self.get_context_data(source=source, entry=entry, look=look))

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        source = kwargs["source"]
        paths = source.file_set.entries.order_by("position").values_list("path", flat=True)[:MOST_SIBLINGS]
        return super().get_context_data(
            siblings=[(path, source.address_of(path)) for path in paths],
            assignment_address=address_of(source.assignment, self.actor),
            is_rendered=kwargs["look"] in documents.RENDERED,
            is_short=kwargs["look"] is Look.TEXT and kwargs["entry"].blob.size <= SHORT,
            sandbox=documents.SANDBOX,
            **kwargs,
        )


class SubmissionFileView(FileView):
    def find_source(self, pk: int) -> Source:
        submission = get_submission(self.actor, pk, files=False)
        title = title_of(submission, self.actor)
        address = reverse("submission", args=[pk])
        return Source(submission.file_set, "submission-file", pk, submission.assignment, title, address)


class FeedbackFileView(FileView):
    """A file of the latest feedback on a submission."""

    def find_source(self, pk: int) -> Source:
        submission = get_submission(self.actor, pk, files=False)
        if (feedback := latest_feedback(submission)) is None:
            raise Http404
        is_own = submission.student_id == self.actor.required_user.pk
        title = _("Your feedback") if is_own else _("Feedback for %(student)s") % {"student": submission.student}
        address = reverse("submission", args=[pk])
        return Source(feedback.file_set, "feedback", pk, submission.assignment, title, address, submission.file_set)


class FeedbackView(MemberView):
    """The latest feedback on a submission: its first page."""

    def get(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        feedback = latest_feedback(get_submission(self.actor, pk, files=False))
        paths = [entry.path for entry in feedback.file_set.entries.all()] if feedback else []
        if not paths:
            raise Http404
        return redirect("feedback", pk, min(paths, key=lambda path: (not path.endswith(".html"), path)))


class ReleaseFileView(FileView):
    def find_source(self, pk: int) -> Source:
        rows = queries.visible_releases(self.actor).select_related("assignment__course", "file_set")
        release = get_object_or_404(rows, pk=pk)
        activate_zone(release.assignment.course)
        title, address = _("Release %(number)s") % {"number": release.number}, reverse("release", args=[pk])
        return Source(release.file_set, "release-file", pk, release.assignment, title, address)


class ReleaseView(MemberView, TemplateView):
    """The files of a release."""

    template_name = "ngshare/release.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        rows = queries.visible_releases(self.actor).select_related("assignment__course", "file_set", "released_by")
        release = get_object_or_404(rows, pk=kwargs["pk"])
        activate_zone(release.assignment.course)
        return super().get_context_data(
            release=release,
            is_latest=release == readable_release(self.actor, release.assignment),
            entries=notebooks_first(release.file_set.entries.select_related("blob").order_by("position")),
            assignment_address=address_of(release.assignment, self.actor),
            **kwargs,
        )


def activate_zone(course: Course) -> None:
    timezone.activate(course.zone)


def show_document(entry: FileEntry, source: Source, *, person: str) -> HttpResponse:
    """Return a file as a document in its sandbox; if that cannot be, a document that says why."""
    content, message, status = b"", "", 200
    try:
        content = documents.render(entry, person=person, beside=source.beside)
    except DomainError as error:
        message = error.message
        status = next((status for kind, status in STATUS.items() if isinstance(error, kind)), 422)
    context = {"entry": entry, "message": message, "is_busy": status == 503, "place": PLACE}
    context["address"], context["LANGUAGE_CODE"] = source.address_of(entry.path), get_language()
    start, _, end = render_to_string("ngshare/document.html", context).partition(PLACE)
    response = HttpResponse([start.encode(), content, end.encode()], status=status)
    response["Content-Security-Policy"] = documents.POLICY
    response["X-Frame-Options"] = "SAMEORIGIN"
    response["X-DNS-Prefetch-Control"] = "off"  # a browser would look up the hosts of links
    response["Referrer-Policy"] = "no-referrer"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    return response
