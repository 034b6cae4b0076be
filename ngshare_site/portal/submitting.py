"""Submitting in the browser: the page with its form, and what the form sends. It works without a script.

The service function `submit` decides, as for everybody who submits.
"""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.mixins import LoginRequiredMixin
from django.core.exceptions import TooManyFilesSent
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views import View
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt, csrf_protect

from courses.api.draining import drain
from courses.api.errors import status_of
from courses.body_limits import BodyLimit
from courses.errors import DomainError
from courses.models import Role, User
from courses.permissions import Actor, Permission, actor_of
from courses.sizes import readable_size
from courses.timestamps import local_text
from exchange import chosen_files, file_responses, queries, services
from exchange.models import Assignment, Release, Submission
from exchange.storage import blobs, manifests
from exchange.storage.archives import ArchiveFolder
from ngshare_site.portal.assignment import get_assignment, sees_everybody
from ngshare_site.portal.base import MemberView
from ngshare_site.portal.deadlines import ShownDeadlines, shown_deadlines
from ngshare_site.portal.form_files import IN_FORM, BadForm, FormFiles
from ngshare_site.portal.sent_files import make_upload, released_paths

SOON = timedelta(minutes=5)
REPEAT = timedelta(minutes=1)  # what comes again later than this was no double click
MULTIPART = "multipart/form-data"
KEY = "page-"  # with which the idempotency keys of this page begin


def max_form() -> int:
    return settings.NGSHARE_MAX_SUBMISSION_SIZE + IN_FORM * (settings.NGSHARE_MAX_FILES + 100)


class ReleaseZipView(MemberView):
    """The files of the latest release as a zip, for whoever may fetch them."""

    def get(self, request: HttpRequest, course: str, assignment: str) -> HttpResponseBase:
        found = get_assignment(self.actor, course, assignment)
        if (release := readable_release(self.actor, found)) is None:
            raise Http404
        return file_responses.download_zip([ArchiveFolder(release.file_set, found.name, release.created)], found.name)


@method_decorator([never_cache, csrf_exempt], name="dispatch")  # the token is checked while the form is read
class SubmitView(LoginRequiredMixin, View):
    """The page to submit on. Nothing of a form is read before it is known who asks and whether they may submit."""

    http_method_names = ["get", "head", "post"]

    def get(self, request: HttpRequest, course: str, assignment: str) -> HttpResponseBase:
        return self._show(get_assignment_to_submit(actor_of(request), course, assignment))

    def post(self, request: HttpRequest, course: str, assignment: str) -> HttpResponseBase:
        found = get_assignment_to_submit(actor_of(request), course, assignment)
        try:
            if not may_be_repeated(found, actor_of(request).required_user):
                services.check_may_submit(found, by=actor_of(request))
            with blobs.staging() as folder:
                return self._receive(request, found, folder)
        except TooManyFilesSent:
            limit = settings.NGSHARE_MAX_FILES
            return self._show(
                found, manifests.TooManyFiles(_("There are too many files; the limit is %(limit)d.") % {"limit": limit})
            )
        except DomainError as error:
            drain(request)
            return self._show(found, error)

    def _receive(self, request: HttpRequest, assignment: Assignment, folder: Path) -> HttpResponseBase:
        files = FormFiles(folder)
        request.upload_handlers = [files]
        try:
            return self._submit(request, assignment, files, folder)
        finally:
            files.close()

    @method_decorator(csrf_protect)
    def _submit(self, request: HttpRequest, assignment: Assignment, files: FormFiles, folder: Path) -> HttpResponseBase:
        """Submit the files of the form, and lead to the submission."""
        if request.POST.get("end") != "1":  # the last field of the form
            raise BadForm(_("Not everything has arrived, so nothing was submitted. Submit again."))
        received = files.files(request.POST.get("paths", ""))
        if not received:
            raise BadForm(_("Choose the files to submit first."))
        actor = actor_of(request)
        upload = make_upload(received, folder, assignment, by=actor)
        key = attempt_key(assignment, actor.required_user, manifests.digest(upload.manifests[0]))
        submission, is_new = services.submit(assignment, upload, by=actor, key=key)
        is_repeat = not is_new and submission.created < timezone.now() - REPEAT
        return redirect(f"{reverse('submission', args=[submission.pk])}?{'again' if is_repeat else 'submitted'}")

    def _show(self, assignment: Assignment, error: DomainError | None = None) -> HttpResponseBase:
        actor = actor_of(self.request)
        own = queries.own_submissions(actor).filter(assignment=assignment)
        attempts = own.filter(withdrawn_at=None, trial=False).count()
        shown = shown_deadlines(actor, assignment, attempts=attempts)
        is_held = actor.role_in(assignment.course) == Role.STUDENT
        is_open = assignment.withdrawn_at is None and not (is_held and (shown.is_closed or shown.attempts_left == 0))
        release = readable_release(actor, assignment)
        context = {
            "assignment": assignment,
            "shown": shown,
            "error": error,
            "attempts": attempts,
            "is_trial": not is_held,
            "is_open": is_open,
            "warnings": list(warnings_before(assignment, shown)) if is_held and is_open else [],
            "release": release,
            "rules": page_rules(assignment, release),
            "texts": page_texts(),
            "max_size": readable_size(settings.NGSHARE_MAX_SUBMISSION_SIZE),
        }
        return render(self.request, "ngshare/submit.html", context, status=status_of(error) if error else 200)


def get_assignment_to_submit(actor: Actor, course: str, name: str) -> Assignment:
    """Return an assignment to which the actor may submit, unless it is closed. Errors: Http404."""
    found = get_assignment(actor, course, name)
    if found.course.removed_at is not None or not actor.may(Permission.SUBMIT, found.course):
        raise Http404
    return found


def readable_release(actor: Actor, assignment: Assignment) -> Release | None:
    """Return the latest release, if the actor may fetch it now."""
    course = assignment.course
    is_member = course.removed_at is None and actor.may(Permission.SEE_COURSE, course)
    return (
        assignment.latest_release if is_member and (assignment.is_shown or sees_everybody(actor, assignment)) else None
    )


def attempt_key(assignment: Assignment, student: User, digest: str) -> str:
    """Return the idempotency key: the same one as long as the files and the student's latest attempt are the same.

    So a double click, Back and a reload make one submission, also on a page that was loaded again. An attempt with
    other files comes between, or one that was withdrawn, or another release: then it is a new attempt.
    """
    same = {"file_set__digest": digest, "withdrawn_at": None, "release": assignment.latest_release}
    others = Submission.objects.filter(assignment=assignment, student=student).exclude(**same)
    latest = others.order_by("-created").values_list("pk", flat=True).first()
    return f"{KEY}{latest or 0}-{digest}"


def may_be_repeated(assignment: Assignment, student: User) -> bool:
    """Return whether a form may bring again what was submitted with this page: nothing then refuses it."""
    rows = Submission.objects.filter(assignment=assignment, student=student, withdrawn_at=None)
    return rows.filter(idempotency_key__startswith=KEY).exists()


def warnings_before(assignment: Assignment, shown: ShownDeadlines) -> Iterator[str]:
    """Yield what the plugin warns of, too, before it submits."""
    name, now, deadline, zone = assignment.name, timezone.now(), shown.deadline, assignment.course.zone
    if deadline.due and deadline.is_late(now):
        text = _("%(assignment)s was due %(time)s: what you submit now is late.")
        yield text % {"assignment": name, "time": local_text(deadline.due, zone)}
    if shown.attempts_left == 1:
        yield _("This is your last attempt for %(assignment)s.") % {"assignment": name}
    if deadline.cut_off and now <= deadline.cut_off <= now + SOON:
        minutes = -((now - deadline.cut_off) // timedelta(minutes=1))
        text = ngettext(
            "%(assignment)s closes at %(time)s, in %(minutes)d minute.",
            "%(assignment)s closes at %(time)s, in %(minutes)d minutes.",
            minutes,
        )
        yield text % {"assignment": name, "time": local_text(deadline.cut_off, zone), "minutes": minutes}


def page_rules(assignment: Assignment, release: Release | None) -> dict[str, Any]:
    """Return what the script on the page needs to compare files with the release before it sends them.

    Of a release of thousands of files, that is not all: the page stays small.
    """
    needed = (".ipynb", ".zip")
    paths = [
        path for path in released_paths(release) if path.endswith(needed) or path.startswith(f"{assignment.name}/")
    ]
    return {
        "assignment": assignment.name,
        "released": paths,
        "ignored": chosen_files.IGNORED,
        "ignoredAtTop": chosen_files.IGNORED_AT_TOP,
        "maxFiles": settings.NGSHARE_MAX_FILES,
        "maxSize": settings.NGSHARE_MAX_SUBMISSION_SIZE,
    }


def page_texts() -> dict[str, str]:
    """Return what the script on the page says. It fills in what stands in braces."""
    return {
        "found": _("found"),
        "MISSING": _("MISSING"),
        "EXTRA": _("EXTRA"),
        "byte": _("1 byte"),
        "bytes": _("{count} bytes"),
        "more": _("and {count} more"),
        "submit": _("Submit"),
        "submitWithout": _("Submit without the missing notebooks"),
        "unreadable": _("What is in this zip file cannot be shown here. It is compared when it has arrived."),
        "nothing": _("Nothing to submit among these files."),
        "file": _("1 file, {size}."),
        "files": _("{count} files, {size}."),
        "missingOne": _("1 notebook of the assignment is missing."),
        "missingMany": _("{count} notebooks of the assignment are missing."),
        "leftOutOne": _("1 file left out, such as checkpoints."),
        "leftOutMany": _("{count} files left out, such as checkpoints."),
        "maxFiles": _("The limit is {count} files."),
        "maxSize": _("The limit is {size}."),
        "percent": _("{percent} sent"),
        "storing": _("Sent. The server is storing it …"),
        "broken": _(
            "It could not be sent: the connection broke off, you are logged out, or a file was changed after you chose "
            "it. Submit again: nothing is doubled."
        ),
        "stopped": _("Stopped."),
        "noAnswer": _(
            "The answer cannot be shown here. Reload this page, log in if you are asked to, and submit again: nothing "
            "is doubled."
        ),
    }


submit_view = SubmitView.as_view()
submit_view.body_limit = BodyLimit(max_form, MULTIPART)  # type: ignore[attr-defined]
